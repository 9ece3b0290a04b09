import type { Point } from './judgement.ts';
import type { Arm } from './metric.ts';
import type { Span } from './window.ts';

/** A sum and how many it is of. */
export type Tally = readonly [sum: number, of: number];

/** What is drawn of a stretch of time. */
export interface Bin extends Span, Readonly<Record<Arm, Tally>> {}

/** The bins of a chart, those next to each other taken together once there are too many. */
export type Timeline = readonly Bin[];

const MOST = 48;

/** The timeline with one more bin, of bounded length. */
export function extend(timeline: Timeline, bin: Bin): Timeline {
  const longer = [...timeline, bin];
  if (longer.length <= MOST) return longer;
  return longer.flatMap((one, i) => {
    const next = longer[i + 1];
    if (i % 2 === 1) return [];
    return next === undefined ? [one] : [together(one, next)];
  });
}

/** The means over time; undefined where an arm has nothing to show. */
export function pointsOf(timeline: Timeline): readonly Point[] {
  return timeline.map(({ start, canary, baseline }) => ({ at: start, canary: mean(canary), baseline: mean(baseline) }));
}

function mean([sum, of]: Tally): number | undefined {
  return of === 0 ? undefined : sum / of;
}

function together(a: Bin, b: Bin): Bin {
  const both = (arm: Arm): Tally => [a[arm][0] + b[arm][0], a[arm][1] + b[arm][1]];
  const seconds = (b.start - a.start) / 1000 + b.seconds;
  return { start: a.start, seconds, canary: both('canary'), baseline: both('baseline') };
}
