import { logLikelihood } from '../statistics/beta-binomial.ts';
import type { CountWindow } from './window.ts';

/**
 * Evidence against a bound on the canary's failures, that may be looked at any time: the wealth of bets against "the
 * canary is at most `ratio` times as bad", one for each alternative, all paid for out of a start of 1. Under the bound
 * the expected wealth never exceeds 1 at any stopping time, so that it reaches 1/alpha with a chance of at most alpha
 * over the whole canary (Ville's inequality; Ramdas et al., Game-theoretic statistics and safe anytime-valid inference,
 * Stat. Sci. 2023). Plain data: the logarithm of each bet's wealth.
 */
export type Wealth = readonly number[];

/** What the bets are against, and by which model of the noise. */
export interface Bet {
  /** The bound: how many times the baseline's bad share is allowed. */
  readonly ratio: number;
  /** Dispersion of the shares; without one no model is believed and the shares alone count, which is slower. */
  readonly rho?: number;
  /** Whether evidence is sought for more than the bound, or for less. */
  readonly side: 'worse' | 'not-worse';
}

/** How many times beyond the bound the alternatives are; small ones find what hardly differs, large ones at once. */
const BEYOND = [1.15, 1.4, 1.8, 2.5, 4, 8, 20] as const;
/** Parts of the largest bet that cannot be ruined by a single window. */
const STAKES = [0.05, 0.15, 0.35, 0.7] as const;

/** Before the first window. */
export function firstWealth({ rho }: Bet): Wealth {
  return (rho === undefined ? STAKES : BEYOND).map(() => 0);
}

/**
 * The wealth after one more window. Of all bad events of both arms only the share that fell on the canary counts, so
 * that a shock which hits both drops out.
 */
export function bet(wealth: Wealth, { canary, baseline }: CountWindow, terms: Bet): Wealth {
  const bad = canary.bad + baseline.bad;
  const all = canary.total + baseline.total;
  if (bad === 0 || canary.total === 0 || baseline.total === 0) return wealth;
  const p = canary.total / all;
  const bound = shareAt(terms.ratio, p);
  const { rho } = terms;
  if (rho === undefined) {
    const towards = terms.side === 'worse' ? 1 : -1;
    const gain = towards * (canary.bad / bad - bound);
    const worst = terms.side === 'worse' ? bound : 1 - bound;
    return wealth.map((log, i) => log + Math.log1p(((STAKES[i] ?? 0) / worst) * gain));
  }
  const expected = logLikelihood(canary.bad, bad, bound, rho);
  return wealth.map((log, i) => {
    const factor = BEYOND[i] ?? 1;
    const ratio = terms.side === 'worse' ? terms.ratio * factor : terms.ratio / factor;
    return log + logLikelihood(canary.bad, bad, shareAt(ratio, p), rho) - expected;
  });
}

/** The natural logarithm of all bets' wealth together, which started at 0. */
export function logEvidence(wealth: Wealth): number {
  const most = Math.max(...wealth);
  return most + Math.log(wealth.reduce((sum, log) => sum + Math.exp(log - most), 0) / wealth.length);
}

/** The canary's share of the bad events when its bad share is `ratio` times the baseline's and it gets `p` of all requests. */
export function shareAt(ratio: number, p: number): number {
  return (ratio * p) / (ratio * p + 1 - p);
}
