import type { MetricJudgement } from './judgement.ts';
import type { ThresholdMetric } from './metric.ts';
import type { Process } from './process.ts';
import { type Timeline, extend, pointsOf } from './timeline.ts';
import type { Observation, SampleWindow } from './window.ts';

/** A bound and how it is judged. */
export interface PlannedThreshold {
  readonly metric: ThresholdMetric;
}

/** All that is known of a bound. */
export interface ThresholdEvidence {
  readonly kind: 'threshold';
  readonly seenUntil: number;
  readonly windows: number;
  /** How many of the last windows in a row broke the bound. */
  readonly beyond: number;
  /** The value furthest towards the bad side in the last window. */
  readonly last?: number;
  /** It was broken for long enough once; a bound is not mended by holding later. */
  readonly broken: boolean;
  readonly timeline: Timeline;
  readonly missing?: string;
}

/** So many windows in a row break the bound; one alone may be a garbage collection or a scrape that came late. */
const IN_A_ROW = 3;

/**
 * How a bound is judged: `worse` once the worst value on the canary is beyond it in three windows in a row, `not-worse`
 * after at least three windows while the last keeps it. The baseline has no say. A look without data is no pass: until
 * there is some again, nothing is known. Windows without data neither break nor begin a row.
 */
export function threshold({ metric }: PlannedThreshold): Process<ThresholdEvidence> {
  return {
    begin: () => ({ kind: 'threshold', seenUntil: 0, windows: 0, beyond: 0, broken: false, timeline: [] }),
    see: (known, look) => withLook(metric, known, look),
    judge: (known) => judgeBound(metric, known),
  };
}

function withLook(metric: ThresholdMetric, known: ThresholdEvidence, look: Observation): ThresholdEvidence {
  if ('missing' in look) return { ...known, missing: look.missing };
  if (!('samples' in look)) throw new RangeError(`${look.metric} is sampled, not counted`);
  return look.samples.reduce((so, window) => withWindow(metric, so, window), known);
}

function withWindow(metric: ThresholdMetric, known: ThresholdEvidence, window: SampleWindow): ThresholdEvidence {
  const { start, seconds, canary, baseline } = window;
  if (start < known.seenUntil) return known;
  if (canary.length === 0 || !canary.every(Number.isFinite))
    return { ...known, missing: canary.length === 0 ? 'no value' : 'a value that is no number' };
  const last = metric.bad === 'above' ? Math.max(...canary) : Math.min(...canary);
  const isBeyond = metric.bad === 'above' ? last > metric.bound : last < metric.bound;
  const beyond = isBeyond ? known.beyond + 1 : 0;
  const { missing: _, ...rest } = known;
  return {
    ...rest,
    seenUntil: start + seconds * 1000,
    windows: known.windows + 1,
    beyond,
    last,
    broken: known.broken || beyond >= IN_A_ROW,
    timeline: extend(known.timeline, {
      start,
      seconds,
      canary: [last, 1],
      baseline: [baseline.reduce((sum, value) => sum + value, 0), baseline.length],
    }),
  };
}

function judgeBound(metric: ThresholdMetric, known: ThresholdEvidence): MetricJudgement {
  const common = { metric, points: pointsOf(known.timeline) };
  const bound = `${metric.bad} ${metric.bound} is bad`;
  const last = `at ${known.last ?? 'no value'}, where ${bound}`;
  if (known.broken)
    return { ...common, verdict: 'worse', reason: `was beyond its bound ${IN_A_ROW} windows in a row; now ${last}` };
  if (known.missing !== undefined || known.windows === 0)
    return {
      ...common,
      verdict: 'no-data',
      reason: `has nothing to hold against its bound: ${known.missing ?? bound}`,
    };
  if (known.beyond > 0)
    return { ...common, verdict: 'undecided', reason: `${last}, for ${known.beyond} of ${IN_A_ROW} windows in a row` };
  if (known.windows < IN_A_ROW)
    return { ...common, verdict: 'undecided', reason: `${last}; ${known.windows} of ${IN_A_ROW} windows were seen` };
  return { ...common, verdict: 'not-worse', reason: `${last}: within its bound` };
}
