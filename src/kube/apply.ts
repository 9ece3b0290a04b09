import { type Problem, UserError } from '../action/errors.ts';
import type { Clock } from '../action/host.ts';
import type { Document } from './document.ts';
import { broughtTypes } from './brought.ts';
import { type FieldChange, changesOf } from './changes.ts';
import { CONCURRENCY, eachOf } from '../task/each.ts';
import { explainKubeError } from './errors.ts';
import { type Kube, KubeError, type KubeObject, refOf, showRef } from './kube.ts';
import { type Wave, inOrder } from './order.ts';

/** What became of an object, or would, and which of its fields are others. */
export interface Change {
  readonly change: 'created' | 'configured' | 'unchanged';
  /** None for an object that is new. */
  readonly changes: readonly FieldChange[];
}

/** What became of one object. */
export interface Applied extends Change {
  readonly document: Document;
  /** As the server has it now. */
  readonly object: KubeObject;
  /** As it was before; `undefined` when it is new. */
  readonly before?: KubeObject;
}

export interface ApplyAllOptions {
  readonly fieldManager: string;
  /** Requests in flight within a wave; default 16. */
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
  readonly force?: boolean;
  /** Before the server is asked to change an object. */
  readonly onAsked?: (document: Document) => void;
  readonly onApplied?: (applied: Applied) => void;
  readonly clock: Clock;
}

const ESTABLISHED_MS = 60_000;

/**
 * Applies wave after wave; within one, many at a time. After CRDs it waits until they are established.
 * @throws UserError with every refusal of the first wave that has one; later waves are then left alone. The signal's
 * reason when it aborts, once the requests under way were answered
 */
export async function applyAll(
  kube: Kube,
  waves: readonly Wave[],
  options: ApplyAllOptions,
): Promise<readonly Applied[]> {
  const { concurrency = CONCURRENCY, signal, fieldManager, force, onAsked, onApplied } = options;
  const all: Applied[] = [];
  for (const wave of waves) {
    const problems: Problem[] = [];
    await eachOf(wave.documents, concurrency, async (document) => {
      signal?.throwIfAborted();
      const { object, file, line } = document;
      try {
        const before = await kube.get(refOf(object));
        signal?.throwIfAborted();
        onAsked?.(document);
        const after = await kube.apply(object, { fieldManager, ...(force ? { force } : {}) });
        const applied = { document, object: after, ...changeOf(before, after), ...(before ? { before } : {}) };
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

/** What an object's change comes to, by its states before and after as the server tells them. */
export function changeOf(before: KubeObject | undefined, after: KubeObject): Change {
  // A dry run gives no uid of its own, so only two that differ tell a replaced object.
  const isNew = before === undefined || before.metadata.uid !== (after.metadata.uid ?? before.metadata.uid);
  if (isNew) return { change: 'created', changes: [] };
  const changes = changesOf(before, after);
  return { change: changes.length === 0 ? 'unchanged' : 'configured', changes };
}
