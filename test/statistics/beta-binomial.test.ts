import { describe, expect, test } from '@jest/globals';
import { logBeta, logGamma, logLikelihood } from '../../src/statistics/beta-binomial.ts';

describe('ln Γ', () => {
  test('is that of factorials, from the first to beyond where they are numbers', () => {
    let log = 0;
    for (let n = 1; n <= 2000; n += 1) {
      expect(Math.abs(logGamma(n) - log)).toBeLessThan(1e-12 * Math.max(1, log));
      log += Math.log(n);
    }
  });

  test('is √π at a half, and keeps its recurrence for small numbers', () => {
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 13);
    for (const x of [1e-8, 0.001, 0.3, 0.49]) expect(logGamma(x + 1) - logGamma(x)).toBeCloseTo(Math.log(x), 12);
  });

  test('is asked of positive numbers alone', () => {
    for (const x of [0, -1, Number.NaN]) expect(() => logGamma(x)).toThrow(RangeError);
  });
});

describe('the likelihood', () => {
  const probabilities = (all: number, q: number, rho: number): readonly number[] =>
    Array.from({ length: all + 1 }, (_, bad) => {
      const ways = -Math.log(all + 1) - logBeta(bad + 1, all - bad + 1);
      return Math.exp(ways + logLikelihood(bad, all, q, rho));
    });

  test.each([
    [12, 0.3, 0],
    [12, 0.3, 0.001],
    [40, 0.5, 0.05],
    [7, 0.9, 0.5],
  ])('of %i events at share %d and dispersion %d sums to 1, with its mean and variance', (all, q, rho) => {
    const each = probabilities(all, q, rho);
    const sum = (of: (bad: number) => number): number =>
      each.reduce((total, chance, bad) => total + chance * of(bad), 0);
    expect(sum(() => 1)).toBeCloseTo(1, 9);
    expect(sum((bad) => bad)).toBeCloseTo(all * q, 8);
    expect(sum((bad) => (bad - all * q) ** 2)).toBeCloseTo(all * q * (1 - q) * (1 + (all - 1) * rho), 7);
  });

  test('goes over into the binomial as the dispersion goes to nothing', () => {
    expect(logLikelihood(3, 10, 0.4, 1.1e-6)).toBeCloseTo(logLikelihood(3, 10, 0.4, 0), 3);
  });
});
