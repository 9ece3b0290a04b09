// Judges of a canary whose windows are all known: each says in which window it takes the canary back, if it does.
import { shareAt } from '../../src/judge/e-process.ts';
import { type JudgePlan, begin, judge, observe, planJudge } from '../../src/judge/judge.ts';
import type { Arm, CountedMetric } from '../../src/judge/metric.ts';
import type { CountWindow } from '../../src/judge/window.ts';
import { logLikelihood } from '../../src/statistics/beta-binomial.ts';
import { mannWhitney } from '../../src/statistics/mann-whitney.ts';
import { normalQuantile } from '../../src/statistics/normal.ts';

export const ALPHA = 0.01;
const ALLOWED = 1.25;

/** The index of the window after which the canary is taken back; undefined where it never is. */
export type CanaryJudge = (windows: readonly CountWindow[]) => number | undefined;

const errors: CountedMetric = {
  name: 'errors',
  kind: 'ratio',
  critical: true,
  weight: 1,
  allowed: { relative: ALLOWED, absolute: 0 },
};

/** Our judge, that knows the service by its past alone. */
export function planOurs(past: readonly (readonly CountWindow[])[]): JudgePlan {
  return planJudge({ metrics: [errors], alpha: ALPHA, placebos: { errors: past } });
}

/** Looks after every window. */
export function ours(plan: JudgePlan): CanaryJudge {
  return (windows) => {
    let evidence = begin(plan);
    const at = windows.findIndex((window) => {
      evidence = observe(plan, evidence, [{ metric: 'errors', counts: [window] }]);
      return judge(plan, evidence).verdict === 'worse';
    });
    return found(at);
  };
}

/**
 * What nobody has: a sequential test that knows by how much this release is worse, and the likeliest dispersion from
 * twenty times the past. It is a yardstick and no limit: the same single ratio is bet on in every window, so that noise
 * that is not of its model hurts it more than bets on many ratios.
 */
export function knowing(ratio: number, past: readonly (readonly CountWindow[])[]): CanaryJudge {
  const rho = likeliestDispersion(past);
  return (windows) => {
    let evidence = 0;
    const at = windows.findIndex(({ canary, baseline }) => {
      const [all, p] = [canary.bad + baseline.bad, canary.total / (canary.total + baseline.total)];
      const of = (times: number): number => logLikelihood(canary.bad, all, shareAt(times, p), rho);
      evidence += of(ratio) - of(ALLOWED);
      return evidence >= -Math.log(ALPHA);
    });
    return found(at);
  };
}

function likeliestDispersion(past: readonly (readonly CountWindow[])[]): number {
  const windows = past.flat().filter(({ canary, baseline }) => canary.bad + baseline.bad > 1);
  const grid = Array.from({ length: 25 }, (_, i) => 1e-4 * 1.4 ** i);
  const fits = grid.map((rho) =>
    windows.reduce((sum, { canary, baseline }) => {
      const p = canary.total / (canary.total + baseline.total);
      return sum + logLikelihood(canary.bad, canary.bad + baseline.bad, p, rho);
    }, 0),
  );
  return grid[fits.indexOf(Math.max(...fits))] ?? 1e-4;
}

/** Windows of 15 seconds in a minute, in which the peers measure. */
const PER_MINUTE = 4;

/** Kayenta looks at what it has after so many minutes and each further one; it knows no least number itself. */
const FIRST_MINUTES = 5;

/**
 * Kayenta's judge at its defaults, looking each minute at all minutes so far: Mann and Whitney's test at 98 %, "High"
 * where the interval's low end is above a quarter of the estimate and the mean is not lower; a critical metric that is
 * High ends the canary. The order of its shortcuts is that of its source.
 */
export const kayenta: CanaryJudge = (windows) => {
  const [canary, baseline] = [minutes(windows, 'canary'), minutes(windows, 'baseline')];
  const z = normalQuantile(0.99);
  for (let seen = FIRST_MINUTES; seen <= canary.length; seen += 1) {
    const [x, y] = [canary.slice(0, seen), baseline.slice(0, seen)];
    const sorted = [x, y].map((values) => values.toSorted((a, b) => a - b).join(' '));
    if (sorted[0] === sorted[1] || new Set([...x, ...y]).size === 1) continue;
    const { low, estimate, meanRatio } = mannWhitney(x, y, z);
    if (low > 0.25 * Math.abs(estimate) && !(meanRatio < 1)) return seen * PER_MINUTE - 1;
  }
  return undefined;
};

/** Argo Rollouts: a condition on each minute's share, none of which may fail (failureLimit is 0 by default). */
export function argo(bound: number): CanaryJudge {
  return failing(bound, 1);
}

/** Flagger: the canary is rolled back once five checks have failed, as in its own examples. */
export function flagger(bound: number): CanaryJudge {
  return failing(bound, 5);
}

function failing(bound: number, checks: number): CanaryJudge {
  return (windows) => {
    let failed = 0;
    const at = minutes(windows, 'canary').findIndex((share) => {
      failed += share > bound ? 1 : 0;
      return failed >= checks;
    });
    return at < 0 ? undefined : (at + 1) * PER_MINUTE - 1;
  };
}

/** An arm's share of bad events in each minute. */
function minutes(windows: readonly CountWindow[], arm: Arm): readonly number[] {
  return Array.from({ length: Math.floor(windows.length / PER_MINUTE) }, (_, minute) => {
    const counts = windows.slice(minute * PER_MINUTE, (minute + 1) * PER_MINUTE).map((window) => window[arm]);
    const sum = (what: 'bad' | 'total'): number => counts.reduce((all, count) => all + count[what], 0);
    return sum('total') === 0 ? 0 : sum('bad') / sum('total');
  });
}

function found(index: number): number | undefined {
  return index < 0 ? undefined : index;
}
