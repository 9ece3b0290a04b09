import { describe, expect, test } from '@jest/globals';
import { type Bet, bet, firstWealth, logEvidence, shareAt } from '../../src/judge/e-process.ts';
import { logBeta, logLikelihood } from '../../src/statistics/beta-binomial.ts';

const window = (bad: number, all: number, p: number) => ({
  start: 0,
  seconds: 15,
  canary: { bad, total: 1000 * p },
  baseline: { bad: all - bad, total: 1000 * (1 - p) },
});

/** What the evidence is worth on average after one window of `all` bad events, when the canary is `truth` times as bad. */
function expectedWealth(terms: Bet, truth: { ratio: number; rho: number; p: number; all: number }): number {
  const { ratio, rho, p, all } = truth;
  let mean = 0;
  for (let bad = 0; bad <= all; bad += 1) {
    const ways = -Math.log(all + 1) - logBeta(bad + 1, all - bad + 1);
    const chance = Math.exp(ways + logLikelihood(bad, all, shareAt(ratio, p), rho));
    mean += chance * Math.exp(logEvidence(bet(firstWealth(terms), window(bad, all, p), terms)));
  }
  return mean;
}

const CASES = [1, 2, 7, 40].flatMap((all) => [0.5, 0.2, 0.83].map((p) => ({ all, p })));

describe('evidence grows under its own claim alone: on average it never exceeds its start', () => {
  describe.each(CASES)('with $all bad events at a share of $p', ({ all, p }) => {
    test.each([0, 0.01, 0.3])('at and within the bound, with dispersion %d known', (rho) => {
      for (const ratio of [1.25, 1.1, 1, 0.5])
        expect(expectedWealth({ ratio: 1.25, rho, side: 'worse' }, { ratio, rho, p, all })).toBeLessThan(1 + 1e-9);
      for (const ratio of [1.25, 1.5, 3, 10])
        expect(expectedWealth({ ratio: 1.25, rho, side: 'not-worse' }, { ratio, rho, p, all })).toBeLessThan(1 + 1e-9);
    });

    test('without any model, whatever the dispersion is', () => {
      for (const rho of [0, 0.05, 0.6]) {
        for (const ratio of [1.25, 1, 0.5])
          expect(expectedWealth({ ratio: 1.25, side: 'worse' }, { ratio, rho, p, all })).toBeLessThan(1 + 1e-9);
        for (const ratio of [1.25, 2, 10])
          expect(expectedWealth({ ratio: 1.25, side: 'not-worse' }, { ratio, rho, p, all })).toBeLessThan(1 + 1e-9);
      }
    });
  });
});

test('evidence grows beyond the bound, with a model faster than without', () => {
  const truth = { ratio: 5, rho: 0.01, p: 0.5, all: 20 };
  const modelled = expectedWealth({ ratio: 1.25, rho: 0.01, side: 'worse' }, truth);
  const guarded = expectedWealth({ ratio: 1.25, side: 'worse' }, truth);
  expect(guarded).toBeGreaterThan(1.1);
  expect(modelled).toBeGreaterThan(2 * guarded);
});

test('windows in which nothing bad happened, or one arm was not asked, say nothing', () => {
  const terms: Bet = { ratio: 1.25, rho: 0.01, side: 'worse' };
  const start = bet(firstWealth(terms), window(4, 5, 0.5), terms);
  expect(bet(start, window(0, 0, 0.5), terms)).toEqual(start);
  expect(bet(start, { ...window(3, 3, 0.5), baseline: { bad: 0, total: 0 } }, terms)).toEqual(start);
});

test('no single window ruins what is bet without a model', () => {
  const terms: Bet = { ratio: 1.25, side: 'worse' };
  expect(logEvidence(bet(firstWealth(terms), window(0, 50, 0.5), terms))).toBeGreaterThan(-1);
});
