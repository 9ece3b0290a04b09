import { describe, expect, test } from '@jest/globals';
import { run } from '../../bench/canary/cell.ts';
import { type CanaryJudge, argo, flagger, kayenta } from '../../bench/canary/judges.ts';
import type { CountWindow } from '../../src/judge/window.ts';

/** Four windows of 15 seconds a minute, all bad events in the second; thousands of requests. */
const minutes = (canary: readonly number[], baseline = canary.map(() => 10)): CountWindow[] =>
  canary.flatMap((bad, minute) =>
    [0, 1, 2, 3].map((quarter) => ({
      start: (minute * 4 + quarter) * 15_000,
      seconds: 15,
      canary: { bad: quarter === 1 ? bad : 0, total: 250 },
      baseline: { bad: quarter === 1 ? (baseline[minute] ?? 0) : 0, total: 250 },
    })),
  );

describe('the models of other judges', () => {
  const calm = [10, 11, 9, 10, 12, 10, 9, 11, 10, 10];
  const cases: [string, CanaryJudge, number[], number | undefined][] = [
    ['Argo ends at the first minute beyond its bound', argo(0.015), [10, 15, 16, 10], 11],
    ['Argo lets pass what is at its bound', argo(0.015), [15, 15, 15], undefined],
    ['Flagger ends at the fifth', flagger(0.015), [16, 16, 10, 16, 16, 16, 10], 23],
    ['Flagger lets four pass', flagger(0.015), [16, 16, 16, 16, 10, 10], undefined],
    ['Kayenta ends at the fifth minute of a clear difference', kayenta, calm.map((bad) => bad * 3), 19],
    ['Kayenta lets pass what is alike', kayenta, calm, undefined],
    ['Kayenta lets pass what is better', kayenta, calm.map(() => 2), undefined],
    ['Kayenta lets pass what is the same all the time', kayenta, calm.map(() => 10), undefined],
  ];
  test.each(cases)('%s', (_, judge, canary, at) => {
    expect(
      judge(
        minutes(
          canary,
          canary.map((_bad, i) => calm[i] ?? 10),
        ),
      ),
    ).toBe(at);
  });
});

test('a cell of the benchmark is the same each time, and tells good from bad', () => {
  const task = { noise: 'independent', baseline: 0.01, canary: 0.05, from: 0, canaries: 20 } as const;
  const bad = run(task);
  expect(run(task)).toEqual(bad);
  expect(bad.ours.taken).toBe(20);
  expect(bad.ours.served).toBeLessThan(bad.Kayenta.served / 3);
  expect(run({ ...task, canary: 0.01 }).ours.taken).toBe(0);
});
