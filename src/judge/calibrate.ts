import { logLikelihood } from '../statistics/beta-binomial.ts';
import { type Bet, bet, firstWealth, logEvidence } from './e-process.ts';
import type { CountWindow } from './window.ts';

/** What a service's own past says of its noise. */
export interface Calibration {
  readonly rho: number;
  /** Canaries between stable pods that were replayed, and how many of them the judge would have taken back. */
  readonly placebos: number;
  readonly falseAborts: number;
}

/** Too little bad happened in them to know how it is spread. */
const LEAST_BAD_WINDOWS = 30;
const [LEAST_RHO, MOST_RHO] = [1e-4, 0.6] as const;
/** How far the log likelihood falls at the upper end of the 95 % interval for rho (half of a chi-squared's 2.71). */
const UPPER = 1.353;

/** Of the upper limit by likelihood: evidence seldom comes as near its bound as it may, so that often less will do. */
const FIRST_PART = 0.5;
/** Evidence of so much is what the replays are held to, beside 1/alpha. */
const HELD_TO = [5, 10, 30, 100, 300] as const;

/**
 * Finds the dispersion on placebo canaries: sequences of windows in which both arms were stable pods. It begins at half of
 * the likelihood's upper limit; then the placebos are replayed, each of them also with its arms exchanged, and rho is
 * raised until evidence of x is reached by at most one of x. That covers what no single window's likelihood knows, such
 * as bursts that last. Placebos are few, so that they are held to more than they have to be: to a bound that is halfway
 * between equal and what is allowed.
 * @returns undefined when the past holds too few bad events to tell
 */
export function calibrate(
  placebos: readonly (readonly CountWindow[])[],
  { alpha, ratio }: { readonly alpha: number; readonly ratio: number },
): Calibration | undefined {
  const windows = placebos
    .flat()
    .filter(({ canary, baseline }) => canary.bad + baseline.bad > 0 && canary.total > 0 && baseline.total > 0);
  if (windows.length < LEAST_BAD_WINDOWS) return undefined;
  const both = placebos.flatMap((placebo) => [placebo, placebo.map(exchanged)]);
  const held = [...HELD_TO.filter((x) => x < 1 / alpha), 1 / alpha];
  let rho = Math.max(LEAST_RHO, FIRST_PART * upperRho(windows));
  for (; rho < MOST_RHO; rho = Math.min(MOST_RHO, rho * 1.3)) {
    const highest = both.map((placebo) => replay(placebo, { ratio: Math.sqrt(ratio), rho, side: 'worse' }));
    if (held.every((x) => highest.filter((most) => most >= Math.log(x)).length <= highest.length / x)) break;
  }
  const falseAborts = placebos.filter(
    (placebo) => replay(placebo, { ratio, rho, side: 'worse' }) >= -Math.log(alpha),
  ).length;
  return { rho, placebos: placebos.length, falseAborts };
}

function exchanged({ canary, baseline, ...window }: CountWindow): CountWindow {
  return { ...window, canary: baseline, baseline: canary };
}

/** The highest evidence of a sequence, as a natural logarithm. */
function replay(windows: readonly CountWindow[], terms: Bet): number {
  let wealth = firstWealth(terms);
  let most = 0;
  for (const window of windows) {
    wealth = bet(wealth, window, terms);
    most = Math.max(most, logEvidence(wealth));
  }
  return most;
}

/** The upper end of the profile likelihood's interval, on a grid of 10 % steps: the likelihood has a single peak in log rho. */
function upperRho(windows: readonly CountWindow[]): number {
  const steps = Math.ceil(Math.log(MOST_RHO / LEAST_RHO) / Math.log(1.1));
  const grid = Array.from({ length: steps + 1 }, (_, i) => Math.min(MOST_RHO, LEAST_RHO * 1.1 ** i));
  const fits = grid.map((rho) =>
    windows.reduce((sum, { canary, baseline }) => {
      const p = canary.total / (canary.total + baseline.total);
      return sum + logLikelihood(canary.bad, canary.bad + baseline.bad, p, rho);
    }, 0),
  );
  const best = Math.max(...fits);
  return grid.findLast((_, i) => (fits[i] ?? -Infinity) >= best - UPPER) ?? MOST_RHO;
}
