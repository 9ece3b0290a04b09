import { describe, expect, test } from '@jest/globals';
import { podsByLoad, podsByShare, sharesOf } from '../../src/arms/pods.ts';

describe('shares by pods', () => {
  test.each([
    [{ canary: 5, baseline: 5 }, 2, { canary: 1, baseline: 1 }],
    [{ canary: 5, baseline: 5 }, 40, { canary: 2, baseline: 2 }],
    [{ canary: 20, baseline: 20 }, 9, { canary: 3, baseline: 3 }],
    [{ canary: 50, baseline: 50 }, 4, { canary: 4, baseline: 4 }],
    [{ canary: 100, baseline: 0 }, 4, { canary: 4, baseline: 0 }],
    [{ canary: 80, baseline: 20 }, 4, { canary: 4, baseline: 1 }],
    [{ canary: 20, baseline: 0 }, 8, { canary: 2, baseline: 0 }],
    [{ canary: 0, baseline: 0 }, 3, { canary: 0, baseline: 0 }],
  ])('%j beside %d stable pods', (weights, stable, pods) => {
    expect(podsByShare(weights, stable)).toEqual(pods);
  });

  test('every weight is defined, an arm is never larger than stable, and a larger weight never means fewer pods', () => {
    for (let stable = 1; stable <= 40; stable += 1) {
      let before = 0;
      for (let canary = 1; canary <= 50; canary += 1) {
        const pods = podsByShare({ canary, baseline: canary }, stable);
        expect(pods.baseline).toBe(pods.canary);
        expect(pods.canary).toBeGreaterThanOrEqual(Math.max(1, before));
        expect(pods.canary).toBeLessThanOrEqual(stable);
        before = pods.canary;
      }
    }
  });

  test('with enough pods the share is the one asked for, to half a pod', () => {
    for (const canary of [1, 5, 10, 20, 25, 33]) {
      const reached = sharesOf(podsByShare({ canary, baseline: canary }, 200), 200);
      expect(Math.abs(reached.canary - canary)).toBeLessThan(0.2);
    }
  });
});

test.each([
  [{ canary: 5, baseline: 5 }, 3, { canary: 1, baseline: 1 }],
  [{ canary: 20, baseline: 20 }, 10, { canary: 2, baseline: 2 }],
  [{ canary: 35, baseline: 35 }, 20, { canary: 7, baseline: 7 }],
  [{ canary: 50, baseline: 50 }, 5, { canary: 3, baseline: 3 }],
  [{ canary: 0, baseline: 0 }, 5, { canary: 0, baseline: 0 }],
])('a routed arm has pods for its load: %j of %d', (weights, all, pods) => {
  expect(podsByLoad(weights, all)).toEqual(pods);
});
