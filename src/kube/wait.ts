import type { Clock } from '../action/host.ts';
import type { Doom } from './doom.ts';
import { at, numberAt, textAt } from './fields.ts';
import { type Kube, type KubeObject, type ObjectRef, type Selection, refOf, showRef } from './kube.ts';
import { type Readiness, readiness } from './readiness/readiness.ts';
import { newPods, readyCount } from './revision.ts';
import { wantedPods } from './serving.ts';
import { Settling } from './settle.ts';
import { type View, type ViewPlan, selectionKey, startView } from './view.ts';
import { workloadDoom } from './workload-doom.ts';

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
/** What is gone may have been seen so before the word came that it had done its work. */
const GONE_MS = 2000;
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
  const seen = { view, settling: new Settling(), gone: new Map<string, number>() };
  const served: Applied[] = [];
  let pending = [...applied];
  try {
    for (;;) {
      const now = clock.now();
      const verdicts = pending.map((item) => ({ item, verdict: judge({ item, ...seen, now }) }));
      for (const { item, verdict } of verdicts) {
        const line = `${showRef(item.object)}: ${verdict.message}`;
        const key = JSON.stringify(refOf(item.object));
        if (verdict.known && shown.get(key) !== line) options.onProgress?.(line);
        if (verdict.known) shown.set(key, line);
        if (!verdict.done) continue;
        const fact = { ref: refOf(item.object), seconds: Math.max(0, now - item.changedAt) / 1000 };
        ready.push(fact);
        options.onReady?.(fact.ref, fact.seconds);
      }
      const doomed =
        verdicts.find(({ verdict }) => verdict.doom !== undefined) ??
        served
          .map((item) => ({ item, verdict: judge({ item, ...seen, now }) }))
          .find(({ verdict }) => /^(crash|out-of-memory)$/.test(verdict.doom?.kind ?? ''));
      if (doomed?.verdict.doom !== undefined)
        return { ready, failed: { ref: refOf(doomed.item.object), cause: doomed.verdict.doom }, timedOut: [] };
      const left = verdicts.filter(({ verdict }) => !verdict.done);
      if (left.length === 0) return { ready, timedOut: [] };
      if (now - started >= options.timeout)
        return {
          ready,
          timedOut: left.map(({ item, verdict }) => ({ ref: refOf(item.object), message: verdict.message })),
        };
      // What served may still crash while others are awaited.
      served.push(...verdicts.filter(({ verdict }) => verdict.done).map(({ item }) => item));
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
  /** Since when what is gone is gone, by its name. */
  readonly gone: Map<string, number>;
  readonly now: number;
}

function judge(question: Question): Verdict {
  const { item, view, settling, now } = question;
  const unknown = { known: false, done: false, message: 'not seen yet' };
  if (!view.isSynced(selectionOf(item.object))) return unknown;
  const live = view.find(refOf(item.object));
  if (live === undefined) return judgeGone(question);
  if ((live.metadata.generation ?? 0) < (item.object.metadata.generation ?? 0)) return unknown;
  const state = readiness(live, now);
  const isReady = state.state === 'current';
  const done = settling.isSettled(live, isReady, now);
  if (isReady) return { known: true, done, message: done ? state.message : SETTLES };
  const all = view.objects();
  const pods = newPods(live, ofKind(all, 'Pod'), ofKind(all, 'ReplicaSet'));
  const doom = workloadDoom({ changedAt: item.changedAt, live, state, pods, all, now });
  const message = describeProgress(live, state, pods);
  return { known: true, done: false, message, ...(doom === undefined ? {} : { doom }) };
}

/** What was applied is in the first list, so what is missing was deleted: by someone, or a Job by its own time to live. */
function judgeGone({ item, view, gone, now }: Question): Verdict {
  const key = JSON.stringify(refOf(item.object));
  const { uid } = item.object.metadata;
  const isCleared = numberAt(item.object, 'spec', 'ttlSecondsAfterFinished') !== undefined;
  const completed = ofKind(view.objects(), 'Event').some(
    (event) => textAt(event, 'reason') === 'Completed' && at(event, 'involvedObject', 'uid') === uid,
  );
  if (isCleared && completed) return { known: true, done: true, message: 'completed, and cleared away since' };
  const since = gone.get(key) ?? now;
  gone.set(key, since);
  const message = isCleared
    ? 'it was cleared away before it was seen to complete: give it a ttlSecondsAfterFinished of 300 or more'
    : 'it is gone: someone deleted it during the deploy';
  const doom: Doom = { kind: 'failed', reason: 'Deleted', message };
  return { known: true, done: false, message, ...(now - since < GONE_MS ? {} : { doom }) };
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
