import type { Clock } from '../action/host.ts';
import { type Doom, doomOf } from './doom.ts';
import { at, numberAt, textAt } from './fields.ts';
import { type Kube, type KubeObject, type ObjectRef, type Selection, refOf, showRef } from './kube.ts';
import { type Readiness, readiness } from './readiness/readiness.ts';
import { newPods, readyCount } from './revision.ts';
import { wantedPods } from './serving.ts';
import { Settling } from './settle.ts';
import { type View, type ViewPlan, selectionKey, startView } from './view.ts';

export type { Doom } from './doom.ts';

/** An object as the API server answered when it was applied; `changedAt` in milliseconds since the epoch. */
export interface Applied {
  readonly object: KubeObject;
  readonly changedAt: number;
}

export interface WaitOptions {
  /** Milliseconds for all together. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** One line for a workload whenever it got further, such as `Deployment/api: 2/3 new pods ready`. */
  readonly onProgress?: (line: string) => void;
  /** As soon as an object serves; `seconds` since it was changed. */
  readonly onReady?: (ref: ObjectRef, seconds: number) => void;
}

export interface WaitResult {
  readonly ready: readonly { readonly ref: ObjectRef; readonly seconds: number }[];
  /** The first that is beyond hope; the others were not awaited further. */
  readonly failed?: { readonly ref: ObjectRef; readonly cause: Doom };
  /** What was not ready in time, and how far it came. */
  readonly timedOut: readonly { readonly ref: ObjectRef; readonly message: string }[];
}

/** Kinds that run pods. */
export const WORKLOADS: ReadonlySet<string> = new Set([
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'ReplicaSet',
  'Job',
  'Pod',
]);
/** How often what depends on time alone is looked at. */
const TICK_MS = 500;
const FAILED_CREATES = 3;
const SETTLES = 'ready, watched for 3 s more, as it has no readiness probe';

/**
 * Waits until the new version of every object serves, by watch, and ends at once when one is beyond hope.
 * @throws KubeError when the objects themselves may not be watched; the signal's reason when it aborts
 */
export async function waitForAll(kube: Kube, applied: readonly Applied[], options: WaitOptions): Promise<WaitResult> {
  const { clock, signal } = options;
  signal.throwIfAborted();
  const started = clock.now();
  const stop = new AbortController();
  const view = startView(kube, planView(applied), AbortSignal.any([signal, stop.signal]));
  const ready: { ref: ObjectRef; seconds: number }[] = [];
  const shown = new Map<string, string>();
  const settling = new Settling();
  let pending = [...applied];
  try {
    for (;;) {
      const now = clock.now();
      const verdicts = pending.map((item) => ({ item, verdict: judge({ item, view, settling, now }) }));
      for (const { item, verdict } of verdicts) {
        const line = `${showRef(item.object)}: ${verdict.message}`;
        const key = JSON.stringify(refOf(item.object));
        if (verdict.known && shown.get(key) !== line) options.onProgress?.(line);
        if (verdict.known) shown.set(key, line);
        if (!verdict.done) continue;
        const served = { ref: refOf(item.object), seconds: Math.max(0, now - item.changedAt) / 1000 };
        ready.push(served);
        options.onReady?.(served.ref, served.seconds);
      }
      const doomed = verdicts.find(({ verdict }) => verdict.doom !== undefined);
      if (doomed?.verdict.doom !== undefined)
        return { ready, failed: { ref: refOf(doomed.item.object), cause: doomed.verdict.doom }, timedOut: [] };
      const left = verdicts.filter(({ verdict }) => !verdict.done);
      if (left.length === 0) return { ready, timedOut: [] };
      if (now - started >= options.timeout)
        return {
          ready,
          timedOut: left.map(({ item, verdict }) => ({ ref: refOf(item.object), message: verdict.message })),
        };
      pending = left.map(({ item }) => item);
      await nextLook(view, options, Math.min(TICK_MS, options.timeout - (now - started)));
    }
  } finally {
    stop.abort();
  }
}

async function nextLook(view: View, { clock, signal }: WaitOptions, ms: number): Promise<void> {
  const woken = new AbortController();
  const tick = clock.sleep(ms, AbortSignal.any([signal, woken.signal])).catch((error: unknown) => {
    if (!woken.signal.aborted) throw error;
  });
  try {
    await Promise.race([view.changed(), tick]);
  } finally {
    woken.abort();
  }
  signal.throwIfAborted();
}

interface Verdict {
  readonly known: boolean;
  readonly done: boolean;
  readonly message: string;
  readonly doom?: Doom;
}

interface Question {
  readonly item: Applied;
  readonly view: View;
  readonly settling: Settling;
  readonly now: number;
}

function judge({ item, view, settling, now }: Question): Verdict {
  const unknown = { known: false, done: false, message: 'not seen yet' };
  if (!view.isSynced(selectionOf(item.object))) return unknown;
  const all = view.objects();
  const live = all.find((object) => isSame(object, item.object));
  if (live === undefined || (live.metadata.generation ?? 0) < (item.object.metadata.generation ?? 0)) return unknown;
  const state = readiness(live, now);
  const isReady = state.state === 'current';
  const done = settling.isSettled(live, isReady, now);
  if (isReady) return { known: true, done, message: done ? state.message : SETTLES };
  const pods = newPods(live, ofKind(all, 'Pod'), ofKind(all, 'ReplicaSet'));
  const doom = workloadDoom({ item, live, state, pods, events: ofKind(all, 'Event'), now });
  const message = describeProgress(live, state, pods);
  return { known: true, done: false, message, ...(doom === undefined ? {} : { doom }) };
}

interface Look {
  readonly item: Applied;
  readonly live: KubeObject;
  readonly state: Readiness;
  readonly pods: readonly KubeObject[];
  readonly events: readonly KubeObject[];
  readonly now: number;
}

function workloadDoom({ item, live, state, pods, events, now }: Look): Doom | undefined {
  const recent = events.filter((event) => timeOf(event) >= item.changedAt - 1000);
  for (const pod of pods) {
    const doom = doomOf(pod, recent, now);
    // A Job starts its pods again as often as it was told to, and says itself when that was enough.
    const retried = live.kind === 'Job' && (doom?.kind === 'crash' || doom?.kind === 'out-of-memory');
    if (doom !== undefined && !retried) return doom;
  }
  // The scheduler's grace for a Pod is in its doom above.
  if (state.state === 'failed' && !(live.kind === 'Pod' && textAt(live, 'status', 'phase') !== 'Failed'))
    return { kind: kindOf(state.reason), reason: state.reason, message: state.message };
  const refusals = recent.filter(
    (event) => textAt(event, 'reason') === 'FailedCreate' && at(event, 'involvedObject', 'uid') === live.metadata.uid,
  );
  const times = refusals.reduce((sum, event) => sum + (numberAt(event, 'count') ?? 1), 0);
  if (times < FAILED_CREATES || pods.length > 0) return undefined;
  return { kind: 'refused', reason: 'FailedCreate', message: textAt(refusals.at(-1), 'message') };
}

function kindOf(reason: string): Doom['kind'] {
  if (reason === 'ProgressDeadlineExceeded') return 'deadline';
  return reason === 'ReplicaFailure' ? 'refused' : 'failed';
}

function describeProgress(live: KubeObject, state: Readiness, pods: readonly KubeObject[]): string {
  const wanted = wantedPods(live);
  if (wanted === undefined) return state.message;
  const ready = readyCount(pods);
  return ready >= wanted ? state.message : `${ready}/${wanted} new pods ready`;
}

function planView(applied: readonly Applied[]): ViewPlan {
  const needed = unique(applied.map(({ object }) => selectionOf(object)));
  const namespaces = applied.flatMap(({ object }) =>
    WORKLOADS.has(object.kind) && object.metadata.namespace !== undefined ? [object.metadata.namespace] : [],
  );
  const helpful = unique(
    namespaces.flatMap((namespace) => [
      { apiVersion: 'v1', kind: 'Pod', namespace },
      { apiVersion: 'apps/v1', kind: 'ReplicaSet', namespace },
      { apiVersion: 'v1', kind: 'Event', namespace },
    ]),
  );
  const keys = new Set(needed.map(selectionKey));
  return { needed, helpful: helpful.filter((selection) => !keys.has(selectionKey(selection))) };
}

function unique(selections: readonly Selection[]): readonly Selection[] {
  return [...new Map(selections.map((selection) => [selectionKey(selection), selection])).values()];
}

function selectionOf({ apiVersion, kind, metadata }: KubeObject): Selection {
  return { apiVersion, kind, ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }) };
}

function ofKind(objects: readonly KubeObject[], kind: string): readonly KubeObject[] {
  return objects.filter((object) => object.kind === kind);
}

function isSame(a: KubeObject, b: KubeObject): boolean {
  return JSON.stringify(refOf(a)) === JSON.stringify(refOf(b));
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
