import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { mannWhitney, rankScore } from '../../src/statistics/mann-whitney.ts';
import { normalQuantile, studentQuantile } from '../../src/statistics/normal.ts';

const CASES = new URL('../../../shared/conformance/mann-whitney.json', import.meta.url);

interface Case {
  readonly name: string;
  readonly arrays: Readonly<Record<string, readonly number[]>>;
  readonly asserts: readonly string[];
}

const present = existsSync(CASES);
const cases = present ? (JSON.parse(readFileSync(CASES, 'utf8')) as { mannWhitney: Case[] }).mannWhitney : [];
/** Kayenta looks for roots of a function of steps to this tolerance, so that its figures are no nearer. */
const NEAR = 1.01e-4;

function figures({ asserts }: Case): { low: number; high: number; estimate: number } {
  const text = asserts.join('\n');
  const named = new Map([...text.matchAll(/val (\w+) = (-?[\d.E-]+)/g)].map(([, name, value]) => [name, value]));
  const of = (what: string): number => {
    const found = new RegExp(`assertEquals\\((\\S+), result\\.${what}`).exec(text)?.[1];
    return Number(named.get(found) ?? found);
  };
  return { low: of('confidenceInterval\\.head'), high: of('confidenceInterval\\.last'), estimate: of('estimate') };
}

(present ? describe : describe.skip)("the published figures of Kayenta's judge", () => {
  const whole = cases.filter(({ asserts }) => asserts.some((line) => line.includes('result.estimate')));

  test('are all there', () => expect(whole.length).toBe(4));

  test.each(whole)('$name', (one) => {
    const x = one.arrays['experiment'] ?? one.arrays['experimentData'] ?? [];
    const y = one.arrays['control'] ?? one.arrays['controlData'] ?? [];
    const found = mannWhitney(x, y, normalQuantile(x.length < 10 ? 0.975 : 0.99));
    const { low, high, estimate } = figures(one);
    expect(Math.abs(found.low - low)).toBeLessThan(NEAR);
    expect(Math.abs(found.high - high)).toBeLessThan(NEAR);
    expect(Math.abs(found.estimate - estimate)).toBeLessThan(NEAR);
  });

  test('of the rank sum', () => {
    const { x = [], y = [] } = cases.find(({ name }) => name === 'Wilcoxon Diff Function')?.arrays ?? {};
    expect(rankScore(x, y, 0)).toBeCloseTo(-1.229416, 6);
    expect(rankScore(x, y, 5)).toBeCloseTo(-35.80606, 5);
  });

  test('of the intermediate values', () => {
    const { x = [], y = [] } = cases.find(({ name }) => name.includes('Intermediate'))?.arrays ?? {};
    const [least, most] = [Math.min(...x) - Math.max(...y), Math.max(...x) - Math.min(...y)];
    expect(rankScore(x, y, least) - normalQuantile(0.975)).toBeCloseTo(17.090968923762254, 6);
    expect(rankScore(x, y, most) - normalQuantile(0.975)).toBeCloseTo(-20.997687930433106, 6);
    expect(Math.abs(mannWhitney(x, y, 1.96).estimate)).toBeLessThan(NEAR);
  });
});

describe('the shift between two groups', () => {
  test('is the middle of all differences, and moves with a group', () => {
    const [x, y] = [
      [3, 8, 1, 12, 7],
      [2, 5, 4, 9],
    ];
    const differences = x.flatMap((a) => y.map((b) => a - b)).toSorted((a, b) => a - b);
    const middle = ((differences[9] ?? 0) + (differences[10] ?? 0)) / 2;
    const shift = mannWhitney(x, y, 1.96);
    expect(shift.estimate).toBeCloseTo(middle, 6);
    expect(shift.superiority).toBeCloseTo(differences.filter((d) => d > 0).length / 20, 6);
    const moved = mannWhitney(
      x.map((a) => a + 10),
      y,
      1.96,
    );
    expect(moved.low).toBeCloseTo(shift.low + 10, 6);
    expect(moved.high).toBeCloseTo(shift.high + 10, 6);
    expect(moved.meanRatio).toBeCloseTo(16.2 / 5, 9);
  });

  test('of values that are all alike is what it is', () => {
    expect(mannWhitney([5, 5, 5], [3, 3], 1.96)).toMatchObject({ low: 2, estimate: 2, high: 2, superiority: 1 });
    expect(mannWhitney([3, 3], [3, 3], 1.96)).toMatchObject({ low: 0, estimate: 0, high: 0, superiority: 0.5 });
  });

  test('needs values', () => {
    expect(() => mannWhitney([], [1], 1.96)).toThrow(RangeError);
  });
});

describe('quantiles', () => {
  test.each([
    [0.975, 1.959_963_984_540_054],
    [0.99, 2.326_347_874_040_841],
    [0.999_999, 4.753_424_308_822_899],
    [0.5, 0],
    [0.02, -2.053_748_910_631_823],
  ])('the normal one at %d is %d', (p, quantile) => expect(normalQuantile(p)).toBeCloseTo(quantile, 7));

  test.each([
    [0.995, 4, 4.604],
    [0.975, 10, 2.228],
    [0.999, 18, 3.61],
  ])("Student's at %d with %d degrees of freedom is about %d", (p, freedom, quantile) =>
    expect(Math.abs(studentQuantile(p, freedom) / quantile - 1)).toBeLessThan(0.04),
  );

  test('are asked of chances alone', () => {
    for (const p of [0, 1, Number.NaN]) expect(() => normalQuantile(p)).toThrow(RangeError);
  });
});
