import { describe, expect, test } from '@jest/globals';
import { type JudgePlan, begin, judge, observe, planJudge } from '../../src/judge/judge.ts';
import type { CountedMetric, JudgedMetric, ThresholdMetric } from '../../src/judge/metric.ts';
import type { Observation } from '../../src/judge/window.ts';

const memory: ThresholdMetric = {
  name: 'memory',
  kind: 'threshold',
  critical: true,
  weight: 1,
  bound: 10,
  bad: 'above',
};
const planOf = (...metrics: JudgedMetric[]): JudgePlan => planJudge({ metrics, alpha: 0.01 });
const windows = (values: readonly (readonly number[])[], metric = 'memory', from = 0): Observation => ({
  metric,
  samples: values.map((canary, i) => ({ start: (from + i) * 15_000, seconds: 15, canary, baseline: [] })),
});
const told = (plan: JudgePlan, ...looks: Observation[]) => judge(plan, observe(plan, begin(plan), looks));

describe('a bound', () => {
  test.each([
    ['kept', [[1], [2], [10]], 'not-worse'],
    ['broken three times in a row', [[1], [11], [12], [13]], 'worse'],
    ['broken three times in a row and kept later', [[11], [12], [13], [1], [1], [1]], 'worse'],
    ['broken twice in a row only, again and again', [[11], [12], [1], [11], [12], [1]], 'not-worse'],
    ['broken at the end', [[1], [1], [1], [11]], 'undecided'],
    [
      'broken by one pod of three',
      [
        [1, 11, 1],
        [1, 12, 1],
        [1, 13, 1],
      ],
      'worse',
    ],
    ['seen twice', [[1], [1]], 'undecided'],
    ['never seen', [], 'no-data'],
    ['without a value', [[]], 'no-data'],
    ['without a number', [[1], [1], [1], [Number.NaN]], 'no-data'],
  ])('%s', (_, values, verdict) => expect(told(planOf(memory), windows(values)).verdict).toBe(verdict));

  test('below which it is bad', () => {
    const low = planOf({ ...memory, bad: 'below' });
    expect(told(low, windows([[9], [9], [9]])).verdict).toBe('worse');
    expect(told(low, windows([[11], [11], [10]])).verdict).toBe('not-worse');
  });

  test('whose source is silent is no pass until it speaks again, and a window counts once', () => {
    const silent = { metric: 'memory', missing: 'Prometheus does not answer' };
    const kept = windows([[1], [1], [1]]);
    expect(told(planOf(memory), kept, silent)).toMatchObject({
      verdict: 'no-data',
      reason: expect.stringContaining('does not answer'),
    });
    expect(told(planOf(memory), kept, silent, windows([[1]], 'memory', 3)).verdict).toBe('not-worse');
    expect(told(planOf(memory), windows([[11]]), windows([[11]]), windows([[11]])).verdict).toBe('undecided');
  });
});

describe('all metrics together', () => {
  const bound = (name: string, weight: number, critical = false): ThresholdMetric => ({
    ...memory,
    name,
    weight,
    critical,
  });
  const [bad, good] = [
    [[11], [11], [11]],
    [[1], [1], [1]],
  ];
  const together = (parts: readonly (readonly [number, number[][] | undefined])[]) => {
    const plan = planOf(...parts.map(([weight], i) => bound(`m${i}`, weight)));
    return told(plan, ...parts.flatMap(([, values], i) => (values === undefined ? [] : [windows(values, `m${i}`)])));
  };

  test('fall by half of the weight, and are told of what is worse with less', () => {
    expect(
      together([
        [1, bad],
        [1, good],
      ]).verdict,
    ).toBe('worse');
    const { verdict, reason } = together([
      [1, bad],
      [2, good],
    ]);
    expect(verdict).toBe('not-worse');
    expect(reason).toContain('m0 was beyond its bound');
  });

  test('are held up by one that was never seen, and not by one without weight', () => {
    expect(
      together([
        [1, undefined],
        [9, good],
      ]).verdict,
    ).toBe('undecided');
    expect(
      together([
        [0, bad],
        [1, good],
      ]).verdict,
    ).toBe('not-worse');
    expect(together([[0, bad]]).verdict).toBe('not-worse');
  });

  test('fall by a critical one alone, and are nothing without any', () => {
    const plan = planOf(bound('m0', 0, true), bound('m1', 9));
    expect(told(plan, windows(bad ?? [], 'm0'), windows(good ?? [], 'm1')).verdict).toBe('worse');
    expect(told(planOf()).verdict).toBe('no-data');
  });

  test('share alpha where they compare, and a bound takes none of it', () => {
    const errors: CountedMetric = {
      ...memory,
      name: 'errors',
      kind: 'ratio',
      allowed: { relative: 1.25, absolute: 0 },
    };
    const plan = planOf(errors, memory, { ...errors, name: 'more' });
    expect(plan.metrics.map((planned) => ('alpha' in planned ? planned.alpha : undefined))).toEqual([
      0.005,
      undefined,
      0.005,
    ]);
  });
});
