import { type Problem, UserError } from '../action/errors.ts';
import type { Document } from './document.ts';
import { broughtTypes } from './brought.ts';
import { CONCURRENCY, eachOf } from '../task/each.ts';
import { explainKubeError } from './errors.ts';
import { type Kube, KubeError, type KubeObject, type TypeRef, showRef } from './kube.ts';
import { near } from './near.ts';
import { inOrder } from './order.ts';

export interface ValidateOptions {
  readonly fieldManager: string;
  /** Where namespaced objects go that name no namespace, and the only one they may name; `''` allows any. */
  readonly namespace: string;
  readonly concurrency?: number;
  readonly force?: boolean;
  readonly signal?: AbortSignal;
}

/** A document that the server would take. */
export interface Checked {
  /** With its namespace filled in. */
  readonly document: Document;
  /** The object as it would be; absent where its kind or namespace comes with this very deploy. */
  readonly planned?: KubeObject;
}

/**
 * Asks the server about everything without changing anything: the kinds, the namespaces, and a dry run of each apply,
 * admission included. Objects of a CRD, or in a namespace, that these documents bring can't be dry-run and count as good.
 * @throws UserError with every refusal at its file and line; the signal's reason when it aborts
 */
export async function validate(
  kube: Kube,
  documents: readonly Document[],
  { fieldManager, namespace, force, signal, concurrency = CONCURRENCY }: ValidateOptions,
): Promise<readonly Checked[]> {
  const brought = broughtTypes(documents);
  const problems: Problem[] = [];
  const placed = await eachOf(documents, concurrency, async (document) => {
    signal?.throwIfAborted();
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
  const checked = await eachOf(placed, concurrency, async (document): Promise<Checked> => {
    signal?.throwIfAborted();
    const { object, file, line } = document;
    if (brought.some((t) => sameType(t, object)) && !(await kube.resource(object))) return { document };
    try {
      return {
        document,
        planned: await kube.apply(object, { fieldManager, dryRun: true, ...(force ? { force } : {}) }),
      };
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (error.status === 401 || error.reason === 'Unreachable') throw error;
      if (!isMissingNamespace(error, object, newNamespaces))
        problems.push(...explainKubeError(error, { subject: showRef(object), place: { file, line } }).problems);
      return { document };
    }
  });
  if (problems.length > 0) throw UserError.all(inOrder(problems, documents), 'the cluster would reject the manifests');
  return checked;
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
