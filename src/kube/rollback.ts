import { messageOf } from '../action/errors.ts';
import type { Clock } from '../action/host.ts';
import { itemsAt, textAt } from './fields.ts';
import { type Kube, KubeError, type KubeObject, type ObjectRef, refOf } from './kube.ts';
import { reversion } from './revert.ts';
import { isSame, wishOf } from './tree.ts';
import { deleteStuckPods } from './unstick.ts';
import { type WaitResult, waitForAll } from './wait.ts';

/** An object that a deploy changed: as it was, and as the server answered the change. It may be a Secret: never show it. */
export interface Changed {
  readonly before: KubeObject;
  readonly applied: KubeObject;
}

export interface RollBackOptions {
  /** Milliseconds until the old version has to serve again. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly onProgress?: (line: string) => void;
  /** Everything is put back; the wait for it begins. */
  readonly onRestored?: () => void;
}

/** An object that was not put back, and why in a sentence. */
export interface NotRestored {
  readonly ref: ObjectRef;
  readonly message: string;
}

export interface RolledBack {
  readonly restored: readonly ObjectRef[];
  /** What someone else changed since the deploy did: left as it is. */
  readonly left: readonly NotRestored[];
  /** What the API server refused to put back, with its words. */
  readonly failed: readonly NotRestored[];
  /** Whether the restored objects serve again; absent when the wait for it was cancelled. */
  readonly wait?: WaitResult;
}

/** How often a restore is tried when the object changes under it, as each status update of a controller does. */
const ATTEMPTS = 8;

/**
 * Takes back what a deploy changed, the last applied first, and waits until the old version serves again. What someone
 * else changed since is left alone, and an object that cannot be put back does not keep the others from it. Once begun,
 * a cancelled run still puts all objects back, so that no mix of versions stays; only the wait is given up.
 */
export async function rollBack(kube: Kube, changed: readonly Changed[], options: RollBackOptions): Promise<RolledBack> {
  const restored: KubeObject[] = [];
  const left: NotRestored[] = [];
  const failed: NotRestored[] = [];
  for (const entry of changed.toReversed()) {
    const ref = refOf(entry.applied);
    try {
      const result = await restore(kube, entry);
      if ('conflict' in result) {
        left.push({ ref, message: result.conflict });
        continue;
      }
      restored.push(result.object);
      await deleteStuckPods(kube, result.failed);
    } catch (error) {
      failed.push({ ref, message: messageOf(error) });
    }
  }
  options.onRestored?.();
  const now = options.clock.now();
  const objects = restored.toReversed();
  const result = { restored: objects.map(refOf), left, failed };
  try {
    const wait = await waitForAll(
      kube,
      objects.map((object) => ({ object, changedAt: now })),
      options,
    );
    return { ...result, wait };
  } catch (error) {
    if (options.signal.aborted) return result;
    throw error;
  }
}

interface Restored {
  readonly object: KubeObject;
  /** As it was until then. */
  readonly failed: KubeObject;
}

/** The object as it is once restored, or who has changed it since. */
async function restore(kube: Kube, { before, applied }: Changed): Promise<Restored | { readonly conflict: string }> {
  const ref = refOf(before);
  for (let attempt = 1; ; attempt += 1) {
    const live = await kube.get(ref);
    if (live === undefined) return { conflict: 'someone deleted it since, so it was not made again' };
    if (live.metadata.uid !== applied.metadata.uid)
      return { conflict: 'someone replaced it since, so it was left as it is' };
    const { patch, conflicts } = reversion({ before, applied, live });
    if (conflicts.length > 0) return { conflict: describeConflict(conflicts, live, applied) };
    if (patch.length === 0) return { object: live, failed: live };
    try {
      const object = await kube.patch(ref, [...held(live), ...patch]);
      return { object: await ownedAsBefore(kube, object, before), failed: live };
    } catch (error) {
      const changedMeanwhile = error instanceof KubeError && error.status === 409;
      if (!changedMeanwhile || attempt === ATTEMPTS) throw error;
    }
  }
}

/** Makes the API server refuse a patch with 409 unless the object still is the one that was read. */
function held({ metadata }: KubeObject): readonly object[] {
  return [{ op: 'replace', path: '/metadata/resourceVersion', value: metadata.resourceVersion }];
}

/**
 * Hands the fields back to the managers that had them. Otherwise what was put back would belong to this patch, and the
 * next deploy could not take such a field away by leaving it out. Not worth failing for.
 */
async function ownedAsBefore(kube: Kube, restored: KubeObject, before: KubeObject): Promise<KubeObject> {
  const isStatus = (entry: unknown): boolean => textAt(entry, 'subresource') !== '';
  const owners = itemsAt(before, 'metadata', 'managedFields').filter((entry) => !isStatus(entry));
  let live: KubeObject | undefined = restored;
  for (let attempt = 1; attempt <= ATTEMPTS && live && owners.length > 0; attempt += 1) {
    // What others have written since has to stay theirs.
    if (!isSame(wishOf(live), wishOf(before))) break;
    const value = [...owners, ...itemsAt(live, 'metadata', 'managedFields').filter(isStatus)];
    try {
      return await kube.patch(refOf(live), [...held(live), { op: 'replace', path: '/metadata/managedFields', value }]);
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (error.status !== 409) break;
      live = await kube.get(refOf(live)).catch(() => undefined);
    }
  }
  return restored;
}

function describeConflict(paths: readonly string[], live: KubeObject, applied: KubeObject): string {
  const known = new Set(itemsAt(applied, 'metadata', 'managedFields').map((entry) => JSON.stringify(entry)));
  const others = itemsAt(live, 'metadata', 'managedFields')
    .filter((entry) => textAt(entry, 'subresource') === '' && !known.has(JSON.stringify(entry)))
    .map((entry) => textAt(entry, 'manager'))
    .filter((manager) => manager !== '' && manager !== 'deploy-eks');
  const who = others.length > 0 ? [...new Set(others)].slice(0, 3).join(', ') : 'someone';
  const fields = paths.slice(0, 3).map((path) => path.slice(1));
  return `${who} changed ${fields.join(', ')} since, so it was left as it is`;
}
