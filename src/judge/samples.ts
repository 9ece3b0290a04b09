import { type Shift, mannWhitney } from '../statistics/mann-whitney.ts';
import { normalQuantile, studentQuantile } from '../statistics/normal.ts';
import { ALPHA_NOT_WORSE, SAYS } from './counted.ts';
import type { MetricJudgement } from './judgement.ts';
import type { Arm, SamplesMetric } from './metric.ts';
import type { Process } from './process.ts';
import { type Tally, type Timeline, extend, pointsOf } from './timeline.ts';
import type { Observation, SampleWindow } from './window.ts';

/** A gauge and how it is judged. */
export interface PlannedSamples {
  readonly metric: SamplesMetric;
  /** This metric's part of the chance that a good release is taken back. */
  readonly alpha: number;
}

/** Means of both arms over a number of windows next to each other. */
type Block = readonly [canary: number, baseline: number, windows: number];

/** How pods of an arm differ within a window: sums of variances and of values, over windows. */
type Spread = readonly [variance: number, values: number, windows: number];

/** What a look found: the shift of the canary against the baseline, and what it says. */
interface Found {
  readonly verdict: 'worse' | 'not-worse' | 'undecided';
  readonly shift: Shift;
  readonly blocks: number;
}

/** All that is known of a gauge. */
export interface SamplesEvidence {
  readonly kind: 'samples';
  readonly seenUntil: number;
  readonly samples: Readonly<Record<Arm, number>>;
  readonly spread: Readonly<Record<Arm, Spread>>;
  /** Windows in each full block. */
  readonly perBlock: number;
  readonly blocks: readonly Block[];
  readonly windows: number;
  readonly looks: number;
  readonly found?: Found;
  readonly timeline: Timeline;
  readonly missing?: string;
}

/** The first look is after so many windows; each further one after twice as many. */
const FIRST_LOOK = 16;
const MOST_BLOCKS = 32;
/** Of neighbouring blocks; beyond it nothing would ever be decided. */
const MOST_CORRELATION = 0.97;

/**
 * How a gauge is judged. Looking often would inflate false alarms, so it is looked at only after 16, 32, 64, ... windows,
 * and look k (from 1) may spend alpha / (k (k + 1)): all together at most alpha.
 *
 * Values of a pod that follow each other are much alike, so that they don't count as so many. What is compared, by Mann
 * and Whitney's test, are each arm's means over 16 to 32 blocks of time, which grow with the canary; what neighbouring
 * blocks still have in common widens the interval as in an autoregressive process of order 1 (M. S. Bartlett, J. R. Stat.
 * Soc. 98, 1935). That pods of one version differ for good no amount of time shows: a shift counts only beyond what the
 * pods of an arm differ among themselves, by Student's t with pods as the sample. What does not last is in that
 * difference as well, which errs towards not deciding; with one pod in an arm nothing is ever decided.
 */
export function samples(planned: PlannedSamples): Process<SamplesEvidence> {
  const none: Spread = [0, 0, 0];
  return {
    begin: () => ({
      kind: 'samples',
      seenUntil: 0,
      samples: { canary: 0, baseline: 0 },
      spread: { canary: none, baseline: none },
      perBlock: 1,
      blocks: [],
      windows: 0,
      looks: 0,
      timeline: [],
    }),
    see: (known, look) => withLook(planned, known, look),
    judge: (known) => judgeSamples(planned, known),
  };
}

function withLook(planned: PlannedSamples, known: SamplesEvidence, look: Observation): SamplesEvidence {
  if ('missing' in look) return { ...known, missing: look.missing };
  if (!('samples' in look)) throw new RangeError(`${look.metric} is sampled, not counted`);
  return look.samples.reduce((so, window) => withWindow(planned, so, window), known);
}

function withWindow(planned: PlannedSamples, known: SamplesEvidence, window: SampleWindow): SamplesEvidence {
  const { start, seconds, canary, baseline } = window;
  if (start < known.seenUntil) return known;
  if (canary.length === 0 || baseline.length === 0) return { ...known, missing: 'an arm shows no value' };
  if (![...canary, ...baseline].every(Number.isFinite)) return { ...known, missing: 'a value that is no number' };
  const { missing: _, ...rest } = known;
  const next: SamplesEvidence = {
    ...rest,
    seenUntil: start + seconds * 1000,
    samples: {
      canary: known.samples.canary + canary.length,
      baseline: known.samples.baseline + baseline.length,
    },
    spread: {
      canary: widened(known.spread.canary, canary),
      baseline: widened(known.spread.baseline, baseline),
    },
    ...withBlock(known, [mean(canary), mean(baseline), 1]),
    windows: known.windows + 1,
    timeline: extend(known.timeline, { start, seconds, canary: tally(canary), baseline: tally(baseline) }),
  };
  const isLook = next.windows >= FIRST_LOOK && Number.isInteger(Math.log2(next.windows / FIRST_LOOK));
  return isLook && enough(planned.metric, next) ? looked(planned, next) : next;
}

function enough({ leastSamples }: SamplesMetric, known: SamplesEvidence): boolean {
  return known.samples.canary >= leastSamples && known.samples.baseline >= leastSamples;
}

/** The blocks with one more window: all of one length but the last, and halved in number when there are too many. */
function withBlock({ perBlock, blocks }: SamplesEvidence, one: Block): Pick<SamplesEvidence, 'perBlock' | 'blocks'> {
  const last = blocks.at(-1);
  if (last !== undefined && last[2] < perBlock)
    return { perBlock, blocks: [...blocks.slice(0, -1), joined(last, one)] };
  if (blocks.length < MOST_BLOCKS) return { perBlock, blocks: [...blocks, one] };
  const halved = blocks.flatMap((block, i) => {
    const next = blocks[i + 1];
    return i % 2 === 0 && next !== undefined ? [joined(block, next)] : [];
  });
  return { perBlock: perBlock * 2, blocks: [...halved, one] };
}

function joined(a: Block, b: Block): Block {
  const windows = a[2] + b[2];
  const both = (i: 0 | 1): number => (a[i] * a[2] + b[i] * b[2]) / windows;
  return [both(0), both(1), windows];
}

function looked(planned: PlannedSamples, known: SamplesEvidence): SamplesEvidence {
  const look = known.looks + 1;
  const part = 1 / (look * (look + 1));
  const found = find(planned, known, part);
  const worse = known.found?.verdict === 'worse' ? known.found : found;
  return { ...known, looks: look, found: worse };
}

function find({ metric, alpha }: PlannedSamples, known: SamplesEvidence, part: number): Found {
  const [canary, baseline] = ([0, 1] as const).map((i) => known.blocks.map((block) => block[i]));
  if (canary === undefined || baseline === undefined) throw new RangeError('two arms are compared');
  const margin = Math.max((metric.allowed.relative - 1) * Math.abs(mean(baseline)), metric.allowed.absolute);
  const widening = Math.sqrt(Math.max(inflation(canary), inflation(baseline)));
  const sides = metric.direction === 'either' ? 2 : 1;
  const against = interval((alpha * part) / sides);
  const inFavour = interval((ALPHA_NOT_WORSE * part) / sides);
  const more = against.low > margin && metric.direction !== 'decrease';
  const less = against.high < -margin && metric.direction !== 'increase';
  const notMore = inFavour.high <= margin || metric.direction === 'decrease';
  const notLess = inFavour.low >= -margin || metric.direction === 'increase';
  const verdict = more || less ? 'worse' : notMore && notLess ? 'not-worse' : 'undecided';
  return { verdict, shift: against, blocks: canary.length };

  function interval(chance: number): Shift {
    const shift = mannWhitney(canary ?? [], baseline ?? [], widening * -normalQuantile(chance));
    const pods = podError(known.spread, chance);
    return {
      ...shift,
      low: Math.min(shift.low, shift.estimate - pods),
      high: Math.max(shift.high, shift.estimate + pods),
    };
  }
}

/** How far two arms may be apart for their pods alone. */
function podError({ canary, baseline }: SamplesEvidence['spread'], chance: number): number {
  const [n, m] = [canary, baseline].map(([, values, windows]) => values / windows);
  if (n === undefined || m === undefined || n < 2 || m < 2) return Infinity;
  const pooled = canary[0] / canary[2] / n + baseline[0] / baseline[2] / m;
  return -studentQuantile(chance, n + m - 2) * Math.sqrt(pooled);
}

/**
 * By how much the variance of a mean is larger than that of independent values, by the correlation of neighbours, which
 * a short series shows too low (M. G. Kendall, Biometrika 41, 1954): that is corrected, and a standard error added.
 */
function inflation(values: readonly number[]): number {
  const middle = mean(values);
  const around = values.map((value) => value - middle);
  const all = around.reduce((sum, value) => sum + value ** 2, 0);
  if (all === 0) return 1;
  const next = around.slice(1).reduce((sum, value, i) => sum + value * (around[i] ?? 0), 0) / all;
  const likely = Math.min(1, Math.max(0, next + (1 + 4 * next) / values.length));
  const correlation = Math.min(MOST_CORRELATION, likely + Math.sqrt((1 - likely ** 2) / values.length));
  return (1 + correlation) / (1 - correlation);
}

function judgeSamples({ metric }: PlannedSamples, known: SamplesEvidence): MetricJudgement {
  const common = { metric, points: pointsOf(known.timeline) };
  const { canary, baseline } = known.samples;
  if (known.found?.verdict !== 'worse') {
    const why = known.missing === undefined ? '' : ` (${known.missing})`;
    const seen = `${canary} values of the canary and ${baseline} of the baseline`;
    if (canary < metric.leastSamples || baseline < metric.leastSamples)
      return { ...common, verdict: 'no-data', reason: `${seen} are too few, ${metric.leastSamples} are needed${why}` };
  }
  if (known.found === undefined)
    return { ...common, verdict: 'undecided', reason: `${known.windows} windows are not yet looked at` };
  const { verdict, shift, blocks } = known.found;
  const { estimate, low, high, superiority } = shift;
  const more = `${number(estimate)} more than the baseline (${number(low)} to ${number(high)})`;
  const often = `above it in ${Math.round(superiority * 100)} % of pairs of ${blocks} blocks`;
  return { ...common, verdict, reason: `${more}, ${often}: ${SAYS[verdict]}` };
}

function number(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : 'unknown';
}

function widened([variance, values, windows]: Spread, of: readonly number[]): Spread {
  const middle = mean(of);
  const around = of.reduce((sum, value) => sum + (value - middle) ** 2, 0) / Math.max(1, of.length - 1);
  return [variance + around, values + of.length, windows + 1];
}

function tally(values: readonly number[]): Tally {
  return [values.reduce((sum, value) => sum + value, 0), values.length];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
