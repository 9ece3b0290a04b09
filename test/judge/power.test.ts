import { describe, expect, test } from '@jest/globals';
import { type Noise, history, simulate } from '../../bench/canary/noise.ts';
import { type JudgePlan, begin, isCounted, judge, observe, planJudge } from '../../src/judge/judge.ts';
import type { PlannedCounted } from '../../src/judge/counted.ts';
import type { CountedMetric } from '../../src/judge/metric.ts';
import { describePower, powerOf } from '../../src/judge/power.ts';

const errors: CountedMetric = {
  name: 'errors',
  kind: 'ratio',
  critical: true,
  weight: 1,
  allowed: { relative: 1.25, absolute: 0 },
};
const traffic = { requestsPerSecond: 1000, badShare: 0.01, share: 0.05, seconds: 600 };

function planFor(noise: Noise): JudgePlan {
  const like = { rates: { canary: 0.01, baseline: 0.01 }, requestsPerWindow: 750, windows: 40 };
  return planJudge({ metrics: [errors], alpha: 0.01, placebos: { errors: history(noise, 1, like) } });
}
function only({ metrics: [first] }: JudgePlan): PlannedCounted {
  if (first === undefined || !isCounted(first)) throw new TypeError('errors are counted');
  return first;
}

describe.each(['independent', 'bursts within an arm'] as const)('on noise of the kind "%s"', (noise) => {
  const plan = planFor(noise);

  test('the time that a bad release is said to take finds about nine of ten, a third of it does not', () => {
    const seconds = powerOf(only(plan), traffic).examples.find(({ times }) => times === 5)?.seconds ?? 0;
    const windows = Math.ceil(seconds / 15);
    const caught = (within: number): number =>
      Array.from({ length: 200 }, (_, seed) => {
        const like = { rates: { canary: 0.05, baseline: 0.01 }, requestsPerWindow: 750, windows: within };
        const counts = simulate(noise, seed, like);
        return counts.some((_, i) => {
          const seen = observe(plan, begin(plan), [{ metric: 'errors', counts: counts.slice(0, i + 1) }]);
          return judge(plan, seen).verdict === 'worse';
        });
      }).filter(Boolean).length;
    expect(caught(windows)).toBeGreaterThan(160);
    expect(caught(Math.floor(windows / 3))).toBeLessThan(160);
  });

  test('more time, more of the traffic and worse releases are found no later', () => {
    const finds = (more: Partial<typeof traffic>): number =>
      powerOf(only(plan), { ...traffic, ...more }).finds ?? Infinity;
    expect(finds({ seconds: 6000 })).toBeLessThanOrEqual(finds({}));
    expect(finds({ share: 0.5 })).toBeLessThanOrEqual(finds({}));
    expect(finds({ requestsPerSecond: 1 })).toBeGreaterThan(finds({}));
    const [two, five] = powerOf(only(plan), traffic).examples;
    expect(two?.seconds ?? Infinity).toBeGreaterThan(five?.seconds ?? Infinity);
  });
});

describe('what a person reads', () => {
  test('says what is found, and what else would need', () => {
    const calm = describePower(powerOf(only(planFor('independent')), { ...traffic, seconds: 60 }));
    expect(calm).toMatch(
      /^At 5\.00 % of the traffic and within 60 s errors finds releases that are \S+ times as bad \(1\.00 % grown to \S+ %\), nine of ten\./,
    );
    expect(calm).toMatch(/ 2 times as bad needs about \d+ min or \S+ %\./);
    expect(calm).toMatch(/ Of 50 canaries between stable pods out of its past 0 would have been taken back\.$/);
  });

  test('says that nothing is found with next to no traffic, and that no past is known', () => {
    const unknown = only(planJudge({ metrics: [errors], alpha: 0.01 }));
    const text = describePower(powerOf(unknown, { ...traffic, requestsPerSecond: 0.01 }));
    expect(text).toContain('hardly any release is found to be worse by errors');
    expect(text).toContain('no model of it is believed');
    expect(powerOf(unknown, { ...traffic, badShare: 0 })).toMatchObject({ examples: [{ times: 2 }, { times: 5 }] });
  });
});
