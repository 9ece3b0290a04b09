import type { Applied } from '../kube/apply.ts';
import { type FieldChange, restartsPods, reversed } from '../kube/changes.ts';
import { type ObjectRef, refOf } from '../kube/kube.ts';
import type { RolledBack } from '../kube/rollback.ts';
import type { PodCounts } from '../kube/serving.ts';
import { keyOf } from './record.ts';

/** One object in the output `deployed`; `seconds` from its change until it served, absent when it was not seen to. */
export interface DeployedObject {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly change: 'created' | 'configured' | 'unchanged';
  readonly seconds?: number;
}

/** One object in the summary's table. */
export interface Outcome {
  readonly ref: ObjectRef;
  readonly change: DeployedObject['change'];
  readonly wanted: string;
  readonly serving: string;
  /** What happened to it, such as `rolled back after 14 s, ready again after 19 s`. */
  readonly happened: string;
  /** Its fields that are others now: after a rollback, what the rollback did. */
  readonly changes: readonly FieldChange[];
}

/** What a rollback came to; times in seconds since the deploy began. */
export interface Rollback extends RolledBack {
  readonly after: number;
}

/** How one deploy ended, for its objects. */
export interface Ending {
  readonly verdict: 'serving' | 'failed' | 'rolled-back' | 'cancelled';
  readonly rollback?: Rollback;
  /** Pods by object, where they could be counted; see `keyOf`. */
  readonly pods: ReadonlyMap<string, PodCounts>;
  readonly secondsToServe: (applied: Applied) => number | undefined;
}

/** The output's view of an applied object. */
export function deployedObject(
  { object, change }: Pick<Applied, 'object' | 'change'>,
  seconds?: number,
): DeployedObject {
  const { kind, name, namespace } = refOf(object);
  return {
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    change,
    ...(seconds === undefined ? {} : { seconds }),
  };
}

/** What an applied object was to become, what it is now, and what happened in between. */
export function outcomeOf(applied: Applied, ending: Ending): Outcome {
  const ref = refOf(applied.object);
  const restored = ending.rollback?.restored.some((other) => keyOf(other) === keyOf(ref)) === true;
  return {
    ref,
    change: applied.change,
    wanted: wantedOf(applied, ending),
    serving: servingOf(applied, ending, restored),
    happened: happenedTo(applied, ending),
    changes: restored ? reversed(applied.changes) : applied.changes,
  };
}

function wantedOf(applied: Applied, { pods }: Ending): string {
  const counts = pods.get(keyOf(refOf(applied.object)));
  if (counts) return podsOf(counts.wanted, isNewVersion(applied) ? 'new' : '');
  return { created: 'new', configured: 'changed', unchanged: 'as it was' }[applied.change];
}

function servingOf(applied: Applied, { verdict, pods }: Ending, restored: boolean): string {
  const counts = pods.get(keyOf(refOf(applied.object)));
  if (!counts)
    return restored ? 'restored' : { created: 'new', configured: 'changed', unchanged: 'as it was' }[applied.change];
  const version = isNewVersion(applied);
  if (verdict === 'rolled-back' && restored) return podsOf(counts.current, version ? 'old' : '');
  if (!version || (verdict === 'serving' && counts.other === 0)) return podsOf(counts.current, version ? 'new' : '');
  if (applied.before === undefined) return podsOf(counts.current, 'new');
  return `${podsOf(counts.other, 'old')}, ${counts.current} new`;
}

function happenedTo(applied: Applied, ending: Ending): string {
  const { rollback } = ending;
  if (!rollback || applied.change === 'unchanged') return fateOf(applied, ending);
  if (applied.before === undefined) return 'new in this deploy, so there is nothing to go back to: left as it is';
  const key = keyOf(refOf(applied.object));
  const isThis = ({ ref }: { readonly ref: ObjectRef }): boolean => keyOf(ref) === key;
  const notRestored = rollback.left.find(isThis) ?? rollback.failed.find(isThis);
  if (notRestored) return `not rolled back: ${notRestored.message}`;
  const back = `rolled back after ${rollback.after.toFixed(0)} s`;
  const again = rollback.wait?.ready.find(isThis);
  if (again)
    return again.seconds < 0.1 ? back : `${back}, ready again after ${(rollback.after + again.seconds).toFixed(0)} s`;
  const late = rollback.wait?.timedOut.find(isThis);
  const fails = rollback.wait?.failed && isThis(rollback.wait.failed) ? rollback.wait.failed.cause : undefined;
  return `${back}, not ready again: ${late?.message ?? fails?.message ?? 'not awaited'}`;
}

function fateOf(applied: Applied, { verdict, pods, secondsToServe }: Ending): string {
  const seconds = secondsToServe(applied);
  if (seconds !== undefined) return seconds < 0.1 ? 'in place' : `serving after ${seconds.toFixed(1)} s`;
  if (verdict === 'cancelled') return 'applied, not awaited';
  const counts = pods.get(keyOf(refOf(applied.object)));
  if (!counts) return 'not awaited';
  return counts.current >= counts.wanted && counts.other === 0 ? 'serving' : 'not serving';
}

function isNewVersion({ before, object }: Applied): boolean {
  return before === undefined || restartsPods(before, object);
}

function podsOf(count: number, version: 'new' | 'old' | ''): string {
  return [count, version, count === 1 ? 'pod' : 'pods'].filter((part) => part !== '').join(' ');
}
