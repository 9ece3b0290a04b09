import { at } from '../kube/fields.ts';
import type { KubeObject } from '../kube/kube.ts';

/** On the canary's Lease: how its guard stands, as JSON of a {@link DeadmanMark}. */
export const DEADMAN_ANNOTATION = 'delivery-actions/deadman';

const states = ['watching', 'taking-back', 'taken-back', 'finished'] as const;

/**
 * `watching`: the guard lives and may write. `taking-back`: nobody renewed the Lease, and the guard gives the traffic
 * back; from here on nobody else may shift it. `taken-back`: it has. `finished`: the runner needs the guard no more.
 */
export interface DeadmanMark {
  readonly state: (typeof states)[number];
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** What the guard said on a Lease; undefined where it said nothing. */
export function deadmanMark(lease: KubeObject): DeadmanMark | undefined {
  let value: unknown;
  try {
    value = JSON.parse(lease.metadata.annotations?.[DEADMAN_ANNOTATION] ?? '');
  } catch {
    return undefined;
  }
  const state = states.find((one) => one === at(value, 'state'));
  const time = Date.parse(String(at(value, 'at')));
  return state === undefined || Number.isNaN(time) ? undefined : { state, at: time };
}

/** An annotation that tells the guard to end: the canary is over, and its Lease stays. */
export function finishedMark(now: number): Readonly<Record<string, string>> {
  return { [DEADMAN_ANNOTATION]: JSON.stringify({ state: 'finished', at: new Date(now).toISOString() }) };
}
