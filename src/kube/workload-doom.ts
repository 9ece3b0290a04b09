import { type Doom, doomOf } from './doom.ts';
import { at, numberAt, textAt } from './fields.ts';
import type { KubeObject } from './kube.ts';
import { condition } from './readiness/state.ts';
import type { Readiness } from './readiness/state.ts';
import { newReplicaSet } from './revision.ts';

/** What is seen of a workload that does not serve yet. */
export interface Look {
  /** Milliseconds since the epoch, as is `now`. */
  readonly changedAt: number;
  readonly live: KubeObject;
  readonly state: Readiness;
  /** The pods of its new version. */
  readonly pods: readonly KubeObject[];
  /** Everything that is watched. */
  readonly all: readonly KubeObject[];
  readonly now: number;
}

const FAILED_CREATES = 3;
/** A Deployment may repeat for so long what it said of the version before. */
const STALE_MS = 10_000;
/** What a pod needs, such as the service account of a new namespace, may come a moment after it. */
const REFUSED_MS = 3_000;

/** Whether a workload is beyond hope, by its pods, its events and what it says of itself. */
export function workloadDoom({ changedAt, live, state, pods, all, now }: Look): Doom | undefined {
  const recent = all.filter((object) => object.kind === 'Event' && timeOf(object) >= changedAt - 1000);
  // Pods on their way out make room, however long their grace is.
  const makesRoom = all.some(({ kind, metadata }) => kind === 'Pod' && metadata.deletionTimestamp !== undefined);
  for (const pod of pods) {
    const doom = doomOf(pod, recent, now);
    // A Job starts its pods again as often as it was told to, and says itself when that was enough.
    const retried = live.kind === 'Job' && (doom?.kind === 'crash' || doom?.kind === 'out-of-memory');
    if (doom !== undefined && !retried && !(makesRoom && doom.kind === 'unschedulable')) return doom;
  }
  // The scheduler's grace for a Pod is in its doom above.
  if (state.state === 'failed' && !(live.kind === 'Pod' && textAt(live, 'status', 'phase') !== 'Failed'))
    return isOfBefore(live, state, all, now - changedAt)
      ? undefined
      : { kind: kindOf(state.reason), reason: state.reason, message: state.message };
  const refusals = recent.filter(
    (event) => textAt(event, 'reason') === 'FailedCreate' && at(event, 'involvedObject', 'uid') === live.metadata.uid,
  );
  const times = refusals.reduce((sum, event) => sum + (numberAt(event, 'count') ?? 1), 0);
  if (times < FAILED_CREATES || pods.length > 0) return undefined;
  return { kind: 'refused', reason: 'FailedCreate', message: textAt(refusals.at(-1), 'message') };
}

/**
 * Whether a Deployment says of itself what is true of another version only. Its controller keeps ReplicaFailure as
 * long as any of its ReplicaSets has it, and ProgressDeadlineExceeded until something progresses: without this the
 * version that mends a failed one would fail by what is left of that (sync.go and progress.go of the controller).
 */
function isOfBefore(
  live: KubeObject,
  { reason, message }: Readiness,
  all: readonly KubeObject[],
  age: number,
): boolean {
  if (live.kind !== 'Deployment' || !['ReplicaFailure', 'ProgressDeadlineExceeded'].includes(reason)) return false;
  const sets = all.filter(({ kind }) => kind === 'ReplicaSet');
  const own = newReplicaSet(live, sets);
  if (own === undefined) return age < STALE_MS;
  if (reason === 'ReplicaFailure') return condition(own, 'ReplicaFailure')?.status !== 'True' || age < REFUSED_MS;
  return message.startsWith('ReplicaSet "') && !message.includes(`"${own.metadata.name}"`);
}

function kindOf(reason: string): Doom['kind'] {
  if (reason === 'ProgressDeadlineExceeded') return 'deadline';
  return reason === 'ReplicaFailure' ? 'refused' : 'failed';
}

/** When an event came last, in milliseconds; events without a time count as new. */
export function timeOf(event: KubeObject): number {
  const time =
    textAt(event, 'series', 'lastObservedTime') ||
    textAt(event, 'lastTimestamp') ||
    textAt(event, 'eventTime') ||
    (event.metadata.creationTimestamp ?? '');
  return Date.parse(time) || Number.POSITIVE_INFINITY;
}
