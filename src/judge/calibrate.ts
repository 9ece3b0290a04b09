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

/**
 * Fits the dispersion on placebo canaries: sequences of windows in which both arms were stable pods. The likelihood's
 * upper limit is taken, since too little dispersion takes back good releases. Bursts that last several windows are no
 * matter of one window's likelihood, so the placebos are then replayed, and rho is raised until no more of them than
 * `alpha` would be taken back and the evidence is on average at most 1, as that of an e-process is.
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
  let rho = upperRho(windows);
  for (;;) {
    const highest = placebos.map((windowsOfOne) => replay(windowsOfOne, { ratio, rho, side: 'worse' }));
    const falseAborts = highest.filter(({ most }) => most >= -Math.log(alpha)).length;
    const mean = highest.reduce((sum, { last }) => sum + Math.min(Math.exp(last), 1 / alpha), 0) / highest.length;
    if ((falseAborts <= alpha * placebos.length && mean <= 1) || rho >= MOST_RHO)
      return { rho, placebos: placebos.length, falseAborts };
    rho = Math.min(MOST_RHO, rho * 1.3);
  }
}

/** The evidence of a sequence: where it ended and where it was highest, as natural logarithms. */
function replay(windows: readonly CountWindow[], terms: Bet): { readonly last: number; readonly most: number } {
  let wealth = firstWealth(terms);
  let most = 0;
  for (const window of windows) {
    wealth = bet(wealth, window, terms);
    most = Math.max(most, logEvidence(wealth));
  }
  return { last: logEvidence(wealth), most };
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
