import { describe, expect, test } from '@jest/globals';
import type { CountedEvidence } from '../../src/judge/counted.ts';
import { type Evidence, type JudgePlan, begin, isCounted, judge, observe, planJudge } from '../../src/judge/judge.ts';
import type { CountedMetric } from '../../src/judge/metric.ts';
import type { CountWindow } from '../../src/judge/window.ts';
import { NOISES, type Noise, simulate as simulateNoise } from '../../bench/canary/noise.ts';

interface Traffic {
  readonly noise: Noise;
  readonly seed: number;
  readonly windows: number;
  readonly requests: number;
  readonly canary: number;
  readonly baseline: number;
}
const simulate = ({ noise, seed, windows, requests, canary, baseline }: Traffic): CountWindow[] =>
  simulateNoise(noise, seed, { rates: { canary, baseline }, requestsPerWindow: requests, windows });

const errors: CountedMetric = {
  name: 'errors',
  kind: 'ratio',
  critical: true,
  weight: 1,
  allowed: { relative: 1.25, absolute: 0 },
};
const slow: CountedMetric = { ...errors, name: 'slow', kind: 'latency', threshold: 0.3 };
const traffic: Traffic = { noise: 'independent', seed: 1, windows: 40, requests: 750, canary: 0.01, baseline: 0.01 };

const past = (like: Traffic): readonly (readonly CountWindow[])[] =>
  Array.from({ length: 50 }, (_, i) => simulate({ ...like, canary: like.baseline, seed: 1_000_000 + i }));
const planFor = (like: Traffic): JudgePlan =>
  planJudge({ metrics: [errors], alpha: 0.01, placebos: { errors: past(like) } });
const see = (plan: JudgePlan, evidence: Evidence, counts: readonly CountWindow[]): Evidence =>
  observe(plan, evidence, [{ metric: 'errors', counts }]);

const calibrationOf = ({ metrics: [first] }: JudgePlan) =>
  first !== undefined && isCounted(first) ? first.calibration : undefined;
function countedOf({ errors: known }: Evidence): CountedEvidence {
  if (known?.kind !== 'counted') throw new TypeError('errors are counted');
  return known;
}

/** Looks at each window as it comes; after how many it was taken back, and how many requests had failed by then. */
function runCanary(
  plan: JudgePlan,
  windows: readonly CountWindow[],
): { readonly takenBackAfter?: number; readonly failed: number } {
  let evidence = begin(plan);
  for (const [i, window] of windows.entries()) {
    evidence = see(plan, evidence, [window]);
    if (judge(plan, evidence).verdict === 'worse')
      return { takenBackAfter: i + 1, failed: countedOf(evidence).canary.bad };
  }
  return { failed: countedOf(evidence).canary.bad };
}

describe.each(NOISES)('on noise of the kind "%s", known by its past alone', (noise) => {
  // Of 150 a judge that just holds its bound of 1 % takes back more than 5 in one of 200 such runs.
  test('hardly any release that is as good as the old one is taken back', () => {
    for (const share of [0.01, 0.001]) {
      const like = { ...traffic, noise, canary: share, baseline: share };
      const plan = planFor(like);
      const taken = Array.from({ length: 150 }, (_, seed) => runCanary(plan, simulate({ ...like, seed }))).filter(
        ({ takenBackAfter }) => takenBackAfter !== undefined,
      );
      expect(taken.length).toBeLessThanOrEqual(5);
    }
  });

  test.each([
    [0.01, 0.05],
    [0.002, 0.03],
  ])('a release with errors of %d grown to %d is taken back', (baseline, canary) => {
    const like = { ...traffic, noise, baseline, canary };
    const plan = planFor(like);
    const runs = Array.from({ length: 100 }, (_, seed) => runCanary(plan, simulate({ ...like, seed })));
    expect(runs.filter(({ takenBackAfter }) => takenBackAfter !== undefined).length).toBeGreaterThanOrEqual(99);
  });
});

test('small growth is found on calm services, early', () => {
  for (const [baseline, canary] of [
    [0.001, 0.005],
    [0.01, 0.02],
  ] as const) {
    const like = { ...traffic, baseline, canary };
    const plan = planFor(like);
    const runs = Array.from({ length: 100 }, (_, seed) => runCanary(plan, simulate({ ...like, seed })));
    expect(runs.filter(({ takenBackAfter }) => takenBackAfter !== undefined).length).toBeGreaterThanOrEqual(98);
    const after = runs.reduce((sum, { takenBackAfter = 40 }) => sum + takenBackAfter, 0) / runs.length;
    expect(after).toBeLessThan(20);
  }
});

describe('without a past', () => {
  const plan = planJudge({ metrics: [errors], alpha: 0.01 });

  test('no model is believed: bursts take back no good release, and a very bad one goes all the same', () => {
    expect(calibrationOf(plan)).toBeUndefined();
    const bursts = { ...traffic, noise: 'bursts within an arm' } as const;
    const good = Array.from({ length: 150 }, (_, seed) => runCanary(plan, simulate({ ...bursts, seed })));
    expect(good.filter(({ takenBackAfter }) => takenBackAfter !== undefined).length).toBeLessThanOrEqual(5);
    const bad = Array.from({ length: 50 }, (_, seed) => runCanary(plan, simulate({ ...bursts, canary: 0.2, seed })));
    expect(bad.every(({ takenBackAfter }) => takenBackAfter !== undefined)).toBe(true);
  });

  test('a past with next to no errors is none', () => {
    const calm = Array.from({ length: 20 }, () => simulate({ ...traffic, baseline: 0, canary: 0, requests: 10 }));
    expect(calibrationOf(planJudge({ metrics: [errors], alpha: 0.01, placebos: { errors: calm } }))).toBeUndefined();
  });
});

describe('evidence', () => {
  const plan = planFor(traffic);
  const windows = simulate({ ...traffic, windows: 200 });

  test('kept as JSON by a run that died is worth the same to the next', () => {
    let resumed = begin(plan);
    for (const window of windows) resumed = JSON.parse(JSON.stringify(see(plan, resumed, [window]))) as Evidence;
    const atOnce = see(plan, begin(plan), windows);
    expect(judge(JSON.parse(JSON.stringify(plan)) as JudgePlan, resumed)).toEqual(judge(plan, atOnce));
  });

  test('counts a window once, however often it is told', () => {
    const once = see(plan, begin(plan), windows.slice(0, 10));
    expect(see(plan, once, windows.slice(4, 10))).toEqual(once);
  });

  test('stays small through a day of windows', () => {
    const day = simulate({ ...traffic, windows: 5760 });
    const kept = see(plan, begin(plan), day);
    expect(JSON.stringify(kept).length).toBeLessThan(10_000);
    expect(countedOf(kept).canary.total).toBe(day.reduce((sum, { canary }) => sum + canary.total, 0));
    const [first, ...others] = judge(plan, kept).metrics[0]?.points ?? [];
    expect(first?.at).toBe(0);
    expect(others.length).toBeGreaterThan(20);
  });

  test.each([
    ['more bad than all', { bad: 9, total: 3 }],
    ['no number', { bad: Number.NaN, total: 3 }],
    ['negative', { bad: -1, total: 3 }],
    ['without end', { bad: 1, total: Infinity }],
  ])('takes no count that is %s', (_, canary) => {
    const before = see(plan, begin(plan), windows.slice(0, 3));
    const after = see(plan, before, [{ start: 1e9, seconds: 15, canary, baseline: { bad: 0, total: 3 } }]);
    expect(after['errors']).toMatchObject({ ...before['errors'], missing: expect.stringContaining('cannot be') });
  });
});

describe('the verdict', () => {
  const both = planJudge({ metrics: [errors, slow], alpha: 0.01 });
  const counts = (canary: [number, number], baseline: [number, number], start = 0): CountWindow[] => [
    {
      start,
      seconds: 15,
      canary: { bad: canary[0], total: canary[1] },
      baseline: { bad: baseline[0], total: baseline[1] },
    },
  ];

  test('is none while an arm has next to no traffic, and says how much it has', () => {
    const plan = planJudge({ metrics: [errors], alpha: 0.01 });
    const { verdict, reason } = judge(plan, see(plan, begin(plan), counts([40, 40], [0, 9000])));
    expect(verdict).toBe('no-data');
    expect(reason).toBe('errors 40 requests on the canary and 9,000 on the baseline are too few to judge by');
  });

  test('is none without one of two metrics, whose reason is told', () => {
    const seen = observe(both, begin(both), [
      { metric: 'errors', counts: counts([1, 900], [1, 900]) },
      { metric: 'slow', missing: 'Prometheus does not answer' },
    ]);
    expect(judge(both, seen)).toMatchObject({
      verdict: 'no-data',
      reason: expect.stringContaining('Prometheus does not answer'),
    });
  });

  test('blames the surroundings where the old version fails just as much', () => {
    const plan = planJudge({ metrics: [errors], alpha: 0.01 });
    const failing = simulate({ ...traffic, canary: 0.5, baseline: 0.5 });
    expect(judge(plan, see(plan, begin(plan), failing))).toMatchObject({
      verdict: 'environment',
      reason: expect.stringContaining('the old version fails too'),
    });
  });

  test('is against a release beyond the ratio only where the difference is one that matters', () => {
    const like = { ...traffic, baseline: 0.001, canary: 0.005 };
    const tolerant = { ...errors, allowed: { relative: 1.25, absolute: 0.01 } };
    const strict = planFor(like);
    const lenient = planJudge({ metrics: [tolerant], alpha: 0.01, placebos: { errors: past(like) } });
    const windows = simulate(like);
    expect(judge(strict, see(strict, begin(strict), windows)).verdict).toBe('worse');
    expect(judge(lenient, see(lenient, begin(lenient), windows)).verdict).not.toBe('worse');
  });

  test('is for a release that is shown to be good', () => {
    const like = { ...traffic, baseline: 0.05, canary: 0.04, requests: 4000 };
    const plan = planFor(like);
    expect(judge(plan, see(plan, begin(plan), simulate(like)))).toMatchObject({ verdict: 'not-worse' });
  });

  test('of one that does not decide alone falls by the weight of those that are worse', () => {
    const metrics = [
      { ...errors, critical: false, weight: 1 },
      { ...slow, critical: false, weight: 3 },
    ];
    const plan = planJudge({ metrics, alpha: 0.01 });
    const [bad, good] = [simulate({ ...traffic, canary: 0.3 }), simulate(traffic)];
    const seen = (first: readonly CountWindow[], second: readonly CountWindow[]): string =>
      judge(
        plan,
        observe(plan, begin(plan), [
          { metric: 'errors', counts: first },
          { metric: 'slow', counts: second },
        ]),
      ).verdict;
    expect(seen(bad, good)).not.toBe('worse');
    expect(seen(good, bad)).toBe('worse');
  });
});
