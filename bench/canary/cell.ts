import type { CountWindow } from '../../src/judge/window.ts';
import { type CanaryJudge, argo, flagger, kayenta, knowing, ours, planOurs } from './judges.ts';
import { type Noise, type Traffic, history, simulate } from './noise.ts';

export const JUDGES = ['ours', 'Kayenta', 'Argo', 'Flagger', 'ratio known'] as const;
export type JudgeName = (typeof JUDGES)[number];

/** A noise, a release, and which of its canaries are to be simulated. */
export interface Task {
  readonly noise: Noise;
  readonly baseline: number;
  readonly canary: number;
  readonly from: number;
  readonly canaries: number;
}

/** How many were taken back, and all bad requests that canaries had served by then (or by the end). */
export interface Tally {
  readonly taken: number;
  readonly served: number;
}
export type Result = Readonly<Record<JudgeName, Tally>>;

/** Ten minutes at 50 requests a second in each arm. */
const [WINDOWS, REQUESTS] = [40, 750] as const;

/** The peers' bounds are set by who knows the true rate: half as much again. No user knows it. */
const ABOVE = 1.5;

/** Simulates the canaries of a task; our judge is calibrated on a past of the service that only this task has. */
export function run({ noise, baseline, canary, from, canaries }: Task): Result {
  const traffic: Traffic = { rates: { canary, baseline }, requestsPerWindow: REQUESTS, windows: WINDOWS };
  const plan = planOurs(history(noise, 1_000_000 + from, traffic));
  const judges: Readonly<Record<JudgeName, CanaryJudge>> = {
    ours: ours(plan),
    Kayenta: kayenta,
    Argo: argo(ABOVE * baseline),
    Flagger: flagger(ABOVE * baseline),
    'ratio known': canary > baseline ? knowing(canary / baseline, history(noise, 7, traffic, 1000)) : () => undefined,
  };
  const all = Array.from({ length: canaries }, (_, i) => simulate(noise, from + i, traffic));
  const result = JUDGES.map(
    (name) => [name, all.map((windows) => outcome(windows, judges[name])).reduce(plus)] as const,
  );
  return Object.fromEntries(result) as Result;
}

function outcome(windows: readonly CountWindow[], judge: CanaryJudge): Tally {
  const at = judge(windows);
  const served = windows.slice(0, (at ?? windows.length) + 1).reduce((sum, { canary }) => sum + canary.bad, 0);
  return { taken: at === undefined ? 0 : 1, served };
}

/** Both together. */
export function plus(a: Tally, b: Tally): Tally {
  return { taken: a.taken + b.taken, served: a.served + b.served };
}
