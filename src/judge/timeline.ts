import type { Point } from './judgement.ts';
import type { Count, CountWindow } from './window.ts';

/** The windows of a chart, those next to each other taken together once there are too many. */
export type Timeline = readonly CountWindow[];

const MOST = 48;

/** The timeline with one more window, of bounded length. */
export function extend(timeline: Timeline, window: CountWindow): Timeline {
  const longer = [...timeline, window];
  if (longer.length <= MOST) return longer;
  return longer.flatMap((one, i) => {
    const next = longer[i + 1];
    if (i % 2 === 1) return [];
    return next === undefined ? [one] : [together(one, next)];
  });
}

/** The bad shares over time; undefined where an arm had no events. */
export function pointsOf(timeline: Timeline): readonly Point[] {
  return timeline.map(({ start, canary, baseline }) => ({
    at: start,
    canary: shareOf(canary),
    baseline: shareOf(baseline),
  }));
}

function shareOf({ bad, total }: Count): number | undefined {
  return total === 0 ? undefined : bad / total;
}

function together(a: CountWindow, b: CountWindow): CountWindow {
  return {
    start: a.start,
    seconds: (b.start - a.start) / 1000 + b.seconds,
    canary: { bad: a.canary.bad + b.canary.bad, total: a.canary.total + b.canary.total },
    baseline: { bad: a.baseline.bad + b.baseline.bad, total: a.baseline.total + b.baseline.total },
  };
}
