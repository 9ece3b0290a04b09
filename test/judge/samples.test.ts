import { describe, expect, test } from '@jest/globals';
import { normal, randomOf } from '../../bench/canary/random.ts';
import { type Evidence, type JudgePlan, begin, judge, observe, planJudge } from '../../src/judge/judge.ts';
import type { SamplesMetric } from '../../src/judge/metric.ts';
import type { SampleWindow } from '../../src/judge/window.ts';

const cpu: SamplesMetric = {
  name: 'cpu',
  kind: 'samples',
  critical: true,
  weight: 1,
  allowed: { relative: 1.25, absolute: 0 },
  direction: 'increase',
  leastSamples: 20,
};
const planOf = (over: Partial<SamplesMetric> = {}): JudgePlan =>
  planJudge({ metrics: [{ ...cpu, ...over }], alpha: 0.01 });

interface Gauge {
  readonly seed: number;
  readonly windows: number;
  readonly pods?: number;
  /** What of a pod's last value is still in the next. */
  readonly memory?: number;
  /** By how much pods differ for good. */
  readonly lasting?: number;
  readonly times?: number;
  /** How much all pods of an arm wander together, as strongly remembered. */
  readonly together?: number;
}

/** One value a pod and window around 1. */
function gauge({ seed, windows, pods = 5, memory = 0, lasting = 0, times = 1, together = 0 }: Gauge): SampleWindow[] {
  const random = randomOf(seed);
  const arm = (mean: number): (() => number[]) => {
    const each = Array.from({ length: pods }, () => ({ own: lasting * normal(random), z: normal(random) }));
    let all = normal(random);
    const after = (z: number): number => memory * z + Math.sqrt(1 - memory ** 2) * normal(random);
    return () => {
      all = after(all);
      return each.map((pod) => {
        pod.z = after(pod.z);
        return mean * (1 + pod.own + 0.15 * pod.z + together * all);
      });
    };
  };
  const [canary, baseline] = [arm(times), arm(1)];
  return Array.from({ length: windows }, (_, i) => ({
    start: i * 15_000,
    seconds: 15,
    canary: canary(),
    baseline: baseline(),
  }));
}

const see = (plan: JudgePlan, evidence: Evidence, samples: readonly SampleWindow[]): Evidence =>
  observe(plan, evidence, [{ metric: 'cpu', samples }]);
const verdict = (plan: JudgePlan, samples: readonly SampleWindow[]): string =>
  judge(plan, see(plan, begin(plan), samples)).verdict;
/** Of `of` canaries, how many were taken back at any look. */
const taken = (like: Omit<Gauge, 'seed'>, of: number, plan = planOf()): number =>
  Array.from({ length: of }, (_, seed) => verdict(plan, gauge({ ...like, seed }))).filter((it) => it === 'worse')
    .length;

describe('a gauge of pods', () => {
  // Just as much as allowed is the hardest of what has to pass; 200 at a bound of 1 % have more than 7 in one of 1,000.
  test.each([
    ['independent', {}],
    ['that remember what they were', { memory: 0.9 }],
    ['that remember it through many windows', { memory: 0.98 }],
    ['that wander together', { memory: 0.9, together: 0.4, windows: 64 }],
    ['that wander together for long', { memory: 0.9, together: 0.4 }],
    ['that differ for good', { lasting: 0.2 }],
    ['that are few and differ for good', { lasting: 0.2, pods: 2 }],
  ])('%s is hardly ever taken for worse at what is allowed, through many looks', (_, like) => {
    expect(taken({ windows: 300, times: 1.25, ...like }, 200)).toBeLessThanOrEqual(7);
  });

  test('that grew by much is found, and one that is as before is shown to be', () => {
    expect(taken({ windows: 64, times: 2 }, 50)).toBe(50);
    const calm = Array.from({ length: 50 }, (_, seed) => verdict(planOf(), gauge({ seed, windows: 64, pods: 12 })));
    expect(calm.filter((it) => it === 'not-worse').length).toBeGreaterThan(40);
  });

  test('decides nothing with a pod in each arm, or with fewer values than asked for', () => {
    expect(verdict(planOf(), gauge({ seed: 1, windows: 200, pods: 1, times: 5 }))).toBe('undecided');
    const few = planOf({ leastSamples: 10_000 });
    const { verdict: none, reason } = judge(few, see(few, begin(few), gauge({ seed: 1, windows: 64, times: 5 })));
    expect(none).toBe('no-data');
    expect(reason).toBe('cpu 320 values of the canary and 320 of the baseline are too few, 10000 are needed');
    const two = gauge({ seed: 1, windows: 1, pods: 2, times: 5 });
    expect(verdict(planOf({ leastSamples: 2 }), two)).toBe('undecided');
  });

  test.each([
    ['increase', 0.4, 'not-worse'],
    ['decrease', 0.4, 'worse'],
    ['either', 0.4, 'worse'],
    ['increase', 2.5, 'worse'],
    ['decrease', 2.5, 'not-worse'],
    ['either', 2.5, 'worse'],
    ['either', 1, 'not-worse'],
  ] as const)('where %s is worse and it is %d times what it was, is %s', (direction, times, expected) => {
    expect(verdict(planOf({ direction }), gauge({ seed: 3, windows: 128, pods: 12, times }))).toBe(expected);
  });

  test('may grow by what is allowed on top', () => {
    const grown = gauge({ seed: 3, windows: 64, times: 2 });
    expect(verdict(planOf({ allowed: { relative: 1.25, absolute: 2 } }), grown)).toBe('not-worse');
  });
});

describe('evidence of a gauge', () => {
  test('resumed from JSON, seen window by window or at once, is the same, and small after a day', () => {
    const plan = planOf();
    const day = gauge({ seed: 4, windows: 5760, times: 1.2 });
    let resumed = begin(plan);
    for (const window of day.slice(0, 200))
      resumed = JSON.parse(JSON.stringify(see(plan, resumed, [window]))) as Evidence;
    expect(resumed).toEqual(JSON.parse(JSON.stringify(see(plan, begin(plan), day.slice(0, 200)))));
    expect(see(plan, resumed, day.slice(100, 200))).toEqual(resumed);
    expect(JSON.stringify(see(plan, resumed, day.slice(200))).length).toBeLessThan(10_000);
  });

  test('is not taken from an arm without values, or from what is no number', () => {
    const plan = planOf();
    const [window] = gauge({ seed: 5, windows: 1 });
    if (window === undefined) throw new Error('one was asked for');
    for (const broken of [
      { ...window, baseline: [] },
      { ...window, canary: [1, Number.NaN] },
    ]) {
      const seen = see(plan, begin(plan), [broken]);
      expect(seen['cpu']).toMatchObject({ windows: 0, missing: expect.any(String) });
      expect(judge(plan, seen).verdict).toBe('no-data');
    }
  });

  test('that says worse keeps saying so', () => {
    const plan = planOf();
    const bad = see(plan, begin(plan), gauge({ seed: 6, windows: 64, times: 3 }));
    expect(judge(plan, bad).verdict).toBe('worse');
    const later = gauge({ seed: 7, windows: 1000 }).slice(64);
    expect(judge(plan, see(plan, bad, later)).verdict).toBe('worse');
  });
});
