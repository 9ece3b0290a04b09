import { isDeepStrictEqual } from 'node:util';
import { type Problem, UserError } from '../action/errors.ts';
import type { Clock } from '../action/host.ts';
import type { Document } from '../manifests/parse.ts';
import { explainKubeError } from './errors.ts';
import { type Kube, KubeError, type KubeObject, type Resource, type TypeRef, refOf, showRef } from './kube.ts';
import { near } from './near.ts';
import type { Wave } from './order.ts';

/** What became of one object. */
export interface Applied {
  readonly document: Document;
  /** As the server has it now. */
  readonly object: KubeObject;
  /** As it was before; `undefined` when it is new. */
  readonly before?: KubeObject;
  readonly change: 'created' | 'configured' | 'unchanged';
}

export interface ApplyAllOptions {
  readonly fieldManager: string;
  /** Requests in flight within a wave; default 16. */
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
  readonly force?: boolean;
  readonly onApplied?: (applied: Applied) => void;
  readonly clock: Clock;
}

export interface ValidateOptions {
  readonly fieldManager: string;
  /** Where namespaced objects go that name no namespace, and the only one they may name; `''` allows any. */
  readonly namespace: string;
  readonly concurrency?: number;
  readonly force?: boolean;
}

const CONCURRENCY = 16;
const ESTABLISHED_MS = 60_000;

/**
 * Asks the server about everything without changing anything: the kinds, the namespaces, and a dry run of each apply,
 * admission included. Objects of a CRD, or in a namespace, that these documents bring can't be dry-run and count as good.
 * @returns the documents with their namespaces filled in
 * @throws UserError with every refusal at its file and line
 */
export async function validate(
  kube: Kube,
  documents: readonly Document[],
  { fieldManager, namespace, force, concurrency = CONCURRENCY }: ValidateOptions,
): Promise<readonly Document[]> {
  const brought = broughtTypes(documents);
  const problems: Problem[] = [];
  const placed = await eachOf(documents, concurrency, async (document) => {
    const type = (await kube.resource(document.object)) ?? brought.find((t) => sameType(t, document.object));
    if (!type) {
      problems.push(await unknownKind(kube, document));
      return document;
    }
    const result = place(document, type, namespace);
    if ('message' in result) {
      problems.push(result);
      return document;
    }
    return result;
  });
  if (problems.length > 0) throw UserError.all(inOrder(problems, documents), 'the cluster would reject the manifests');
  const newNamespaces = new Set(
    placed.flatMap(({ object }) => (object.kind === 'Namespace' ? [object.metadata.name] : [])),
  );
  await eachOf(placed, concurrency, async (document) => {
    const { object, file, line } = document;
    if (brought.some((t) => sameType(t, object)) && !(await kube.resource(object))) return;
    try {
      await kube.apply(object, { fieldManager, dryRun: true, ...(force ? { force } : {}) });
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (error.status === 401 || error.reason === 'Unreachable') throw error;
      if (isMissingNamespace(error, object, newNamespaces)) return;
      problems.push(...explainKubeError(error, { subject: showRef(object), place: { file, line } }).problems);
    }
  });
  if (problems.length > 0) throw UserError.all(inOrder(problems, documents), 'the cluster would reject the manifests');
  return placed;
}

/**
 * Applies wave after wave; within one, many at a time. After CRDs it waits until they are established.
 * @throws UserError with every refusal of the first wave that has one; later waves are then left alone
 */
export async function applyAll(
  kube: Kube,
  waves: readonly Wave[],
  options: ApplyAllOptions,
): Promise<readonly Applied[]> {
  const { concurrency = CONCURRENCY, signal, fieldManager, force, onApplied } = options;
  const all: Applied[] = [];
  for (const wave of waves) {
    const problems: Problem[] = [];
    await eachOf(wave.documents, concurrency, async (document) => {
      signal?.throwIfAborted();
      const { object, file, line } = document;
      try {
        const before = await kube.get(refOf(object));
        const after = await kube.apply(object, { fieldManager, ...(force ? { force } : {}) });
        const applied = { document, object: after, change: changeOf(before, after), ...(before ? { before } : {}) };
        all.push(applied);
        onApplied?.(applied);
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        problems.push(...explainKubeError(error, { subject: showRef(object), place: { file, line } }).problems);
      }
    });
    if (problems.length > 0) throw UserError.all(inOrder(problems, wave.documents), 'the cluster rejected objects');
    const crds = wave.documents.filter(({ object }) => object.kind === 'CustomResourceDefinition');
    await eachOf(crds, concurrency, async (crd) => established(kube, crd, options));
  }
  return all;
}

async function established(kube: Kube, crd: Document, { clock, signal }: ApplyAllOptions): Promise<void> {
  const types = broughtTypes([crd]);
  for (const end = clock.now() + ESTABLISHED_MS; clock.now() < end; await clock.sleep(200, signal)) {
    const now = await kube.get(refOf(crd.object));
    const status = now?.['status'] as { conditions?: { type?: string; status?: string }[] } | undefined;
    if (!status?.conditions?.some((c) => c.type === 'Established' && c.status === 'True')) continue;
    const served = await Promise.all(types.map(async (type) => kube.resource(type)));
    if (served.every(Boolean)) return;
  }
  throw new UserError(`${showRef(crd.object)} was not established within ${ESTABLISHED_MS / 1000} s`, {
    remedy: `look at: kubectl describe crd ${crd.object.metadata.name}`,
    place: { file: crd.file, line: crd.line },
  });
}

/** Answers come in any order; people read from the first file and line on. */
function inOrder(problems: readonly Problem[], documents: readonly Document[]): readonly Problem[] {
  const position = ({ place }: Problem): number =>
    documents.findIndex(({ file, line }) => file === place?.file && line === place.line);
  return problems.toSorted((a, b) => position(a) - position(b));
}

function changeOf(before: KubeObject | undefined, after: KubeObject): Applied['change'] {
  if (!before || before.metadata.uid !== after.metadata.uid) return 'created';
  if (before.metadata.resourceVersion === after.metadata.resourceVersion) return 'unchanged';
  return isDeepStrictEqual(wished(before), wished(after)) ? 'unchanged' : 'configured';
}

/** What people wish of an object: controllers write its status between two looks, and that is no change of ours. */
function wished(object: KubeObject): object {
  const { resourceVersion: _version, managedFields: _fields, ...metadata } = object.metadata;
  return { ...object, status: undefined, metadata };
}

function place(document: Document, type: { readonly namespaced: boolean }, namespace: string): Document | Problem {
  const { object, file, line } = document;
  if (!type.namespaced) return document;
  const own = object.metadata.namespace;
  if (own !== undefined && namespace !== '' && own !== namespace) {
    return {
      message: `${showRef(object)} names the namespace ${own}, but the deploy goes to ${namespace}`,
      remedy: `take the namespace out of the manifest, or set namespace: ${own}`,
      place: { file, line },
    };
  }
  const target = own ?? (namespace === '' ? 'default' : namespace);
  return { ...document, object: { ...object, metadata: { ...object.metadata, namespace: target } } };
}

async function unknownKind(kube: Kube, { object, file, line }: Document): Promise<Problem> {
  const guess = near(object, await kube.resources());
  return {
    message: `the cluster does not know the kind ${object.kind} of ${object.apiVersion}`,
    remedy: guess
      ? `did you mean kind: ${guess.kind} with apiVersion: ${guess.apiVersion}?`
      : 'install its CustomResourceDefinition first, or put it among the manifests',
    place: { file, line },
  };
}

/** The kinds that CRDs among the documents will bring. */
function broughtTypes(documents: readonly Document[]): readonly Pick<Resource, 'apiVersion' | 'kind' | 'namespaced'>[] {
  return documents.flatMap(({ object }) => {
    if (object.kind !== 'CustomResourceDefinition') return [];
    const spec = object['spec'] as
      | { group?: string; scope?: string; names?: { kind?: string }; versions?: { name?: string; served?: boolean }[] }
      | undefined;
    const { group, names, scope, versions } = spec ?? {};
    return (Array.isArray(versions) ? versions : [])
      .filter((version) => version.served !== false)
      .map((version) => ({
        apiVersion: `${group}/${version.name}`,
        kind: names?.kind ?? '',
        namespaced: scope === 'Namespaced',
      }));
  });
}

function isMissingNamespace(error: KubeError, { metadata }: KubeObject, brought: ReadonlySet<string>): boolean {
  const { namespace } = metadata;
  return (
    error.status === 404 &&
    namespace !== undefined &&
    brought.has(namespace) &&
    error.message.includes(`namespaces "${namespace}"`)
  );
}

function sameType(a: TypeRef, b: TypeRef): boolean {
  return a.apiVersion === b.apiVersion && a.kind === b.kind;
}

/** Maps with at most `limit` at work; results in the order of the items. */
async function eachOf<T, R>(items: readonly T[], limit: number, work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [i, item] of queue) results[i] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
