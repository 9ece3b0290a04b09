import type { Calibration } from './calibrate.ts';
import { type Bet, type Wealth, bet, firstWealth, logEvidence } from './e-process.ts';
import type { Estimate, MetricJudgement, MetricVerdict } from './judgement.ts';
import type { CountedMetric } from './metric.ts';
import type { Process } from './process.ts';
import { type Timeline, extend, pointsOf } from './timeline.ts';
import type { Count, CountWindow, Observation } from './window.ts';

/** A counted metric and how it is judged. */
export interface PlannedCounted {
  readonly metric: CountedMetric;
  /** This metric's part of the chance that a good release is taken back. */
  readonly alpha: number;
  /** Absent where the past told too little: then no model of the noise is believed. */
  readonly calibration?: Calibration;
}

/** All that is known of a counted metric. */
export interface CountedEvidence {
  readonly kind: 'counted';
  readonly worse: Wealth;
  readonly notWorse: Wealth;
  /** The end of the last window that counts, in milliseconds since 1970. */
  readonly seenUntil: number;
  readonly canary: Count;
  readonly baseline: Count;
  readonly timeline: Timeline;
  /** Why the last look gave nothing. */
  readonly missing?: string;
}

/** With fewer events in either arm there is nothing to judge by. */
const LEAST_EVENTS = 50;
/** A good release promoted late costs little, so the evidence for it may be weaker than that against it. */
export const ALPHA_NOT_WORSE = 0.05;

/** How bad events out of all are judged. */
export function counted(planned: PlannedCounted): Process<CountedEvidence> {
  return {
    begin: () => {
      const none = { bad: 0, total: 0 };
      return {
        kind: 'counted',
        worse: firstWealth(terms(planned, 'worse')),
        notWorse: firstWealth(terms(planned, 'not-worse')),
        seenUntil: 0,
        canary: none,
        baseline: none,
        timeline: [],
      };
    },
    see: (known, look) => withLook(planned, known, look),
    judge: (known) => judgeCounted(planned, known),
  };
}

/** What is bet on for this metric. */
export function terms({ metric, calibration }: PlannedCounted, side: Bet['side']): Bet {
  return { ratio: metric.allowed.relative, side, ...(calibration && { rho: calibration.rho }) };
}

function withLook(planned: PlannedCounted, known: CountedEvidence, look: Observation): CountedEvidence {
  if ('missing' in look) return { ...known, missing: look.missing };
  if (!('counts' in look)) throw new RangeError(`${look.metric} is counted, not sampled`);
  return look.counts.reduce((so, window) => withWindow(planned, so, window), known);
}

function withWindow(planned: PlannedCounted, known: CountedEvidence, window: CountWindow): CountedEvidence {
  if (window.start < known.seenUntil) return known;
  const { start, seconds, canary, baseline } = window;
  if (!isCount(canary) || !isCount(baseline)) {
    return { ...known, missing: 'the source counted what cannot be: more bad events than events, or no number' };
  }
  return {
    kind: 'counted',
    worse: bet(known.worse, window, terms(planned, 'worse')),
    notWorse: bet(known.notWorse, window, terms(planned, 'not-worse')),
    seenUntil: start + seconds * 1000,
    canary: plus(known.canary, canary),
    baseline: plus(known.baseline, baseline),
    timeline: extend(known.timeline, {
      start,
      seconds,
      canary: [canary.bad, canary.total],
      baseline: [baseline.bad, baseline.total],
    }),
  };
}

/**
 * What one metric says. `worse` needs the evidence against the allowed ratio, which bounds the false alarms, and a
 * difference that is beyond `allowed.absolute` by more than its standard error: a bound on what matters, not a test.
 */
function judgeCounted({ metric, alpha }: PlannedCounted, known: CountedEvidence): MetricJudgement {
  const { canary, baseline, missing } = known;
  const logs = { worse: logEvidence(known.worse), notWorse: logEvidence(known.notWorse) };
  const common = {
    metric,
    counts: { canary, baseline },
    evidence: { worse: logs.worse / Math.LN10, notWorse: logs.notWorse / Math.LN10, needed: -Math.log10(alpha) },
    points: pointsOf(known.timeline),
  };
  if (canary.total < LEAST_EVENTS || baseline.total < LEAST_EVENTS) {
    const seen = `${round(canary.total)} requests on the canary and ${round(baseline.total)} on the baseline`;
    const why = missing === undefined ? '' : ` (${missing})`;
    return { ...common, verdict: 'no-data', reason: `${seen} are too few to judge by${why}` };
  }
  const estimates = { canary: estimate(canary), baseline: estimate(baseline) };
  const shares = `${percent(estimates.canary.value)} against ${percent(estimates.baseline.value)} on the fresh baseline`;
  const verdict = verdictOf();
  return { ...common, estimates, verdict, reason: `${shares}: ${SAYS[verdict]}` };

  function verdictOf(): Exclude<MetricVerdict, 'no-data'> {
    const difference = estimates.canary.value - estimates.baseline.value;
    const error = Math.hypot(standardError(canary), standardError(baseline));
    if (logs.worse >= -Math.log(alpha) && difference - error > metric.allowed.absolute) return 'worse';
    return logs.notWorse >= -Math.log(ALPHA_NOT_WORSE) ? 'not-worse' : 'undecided';
  }
}

/** How a verdict is put. */
export const SAYS: Readonly<Record<Exclude<MetricVerdict, 'no-data'>, string>> = {
  worse: 'more than is allowed',
  'not-worse': 'shown to be within what is allowed',
  undecided: 'not decided',
};

function isCount({ bad, total }: Count): boolean {
  return Number.isFinite(total) && bad >= 0 && bad <= total;
}

function plus(a: Count, b: Count): Count {
  return { bad: a.bad + b.bad, total: a.total + b.total };
}

/**
 * The share with Wilson's 95 % interval, for people: it is that of one look at counts without bursts, and decides
 * nothing (E. B. Wilson, Probable inference, J. Am. Stat. Assoc. 22, 1927).
 */
function estimate({ bad, total }: Count): Estimate {
  const [z, value] = [1.96, bad / total];
  const middle = (value + z ** 2 / (2 * total)) / (1 + z ** 2 / total);
  const half = (z / (1 + z ** 2 / total)) * Math.sqrt((value * (1 - value)) / total + z ** 2 / (4 * total ** 2));
  return { value, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

function standardError({ bad, total }: Count): number {
  return Math.sqrt(((bad / total) * (1 - bad / total)) / total);
}

/** A share as people read it. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.001 ? 3 : share < 0.1 ? 2 : 1)} %`;
}

function round(count: number): string {
  return Math.round(count).toLocaleString('en');
}
