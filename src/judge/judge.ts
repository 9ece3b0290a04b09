import { type Calibration, calibrate } from './calibrate.ts';
import { type Bet, type Wealth, bet, firstWealth, logEvidence } from './e-process.ts';
import type { Judgement } from './judgement.ts';
import type { CountedMetric } from './metric.ts';
import { type Timeline, extend } from './timeline.ts';
import type { Count, CountWindow, Observation } from './window.ts';
import { judgeMetric, overall } from './verdict.ts';

/** A metric and how it is judged. */
export interface PlannedMetric {
  readonly metric: CountedMetric;
  /** This metric's part of the chance that a good release is taken back. */
  readonly alpha: number;
  /** Absent where the past told too little: then no model of the noise is believed. */
  readonly calibration?: Calibration;
}

/** How a canary will be judged: plain data, made before any traffic moves. */
export interface JudgePlan {
  readonly metrics: readonly PlannedMetric[];
}

/** All that is known of one metric: plain data of bounded size, however long the canary lasts. */
export interface MetricEvidence {
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

/** What is known of each metric, by its name. */
export type Evidence = Readonly<Record<string, MetricEvidence>>;

export interface JudgeWish {
  readonly metrics: readonly CountedMetric[];
  /** The chance that a release as good as the baseline is taken back, over all metrics and the whole canary. */
  readonly alpha: number;
  /** By metric: canaries between stable pods out of the past. */
  readonly placebos?: Readonly<Record<string, readonly (readonly CountWindow[])[]>>;
}

/** Splits alpha evenly over the metrics (the union bound needs no independence) and calibrates each on its past. */
export function planJudge({ metrics, alpha, placebos = {} }: JudgeWish): JudgePlan {
  const each = alpha / metrics.length;
  return {
    metrics: metrics.map((metric) => {
      const calibration = calibrate(placebos[metric.name] ?? [], { alpha: each, ratio: metric.allowed.relative });
      return { metric, alpha: each, ...(calibration && { calibration }) };
    }),
  };
}

/** What is known before the first window: nothing. */
export function begin({ metrics }: JudgePlan): Evidence {
  const none = { bad: 0, total: 0 };
  return Object.fromEntries(
    metrics.map((planned) => [
      planned.metric.name,
      {
        worse: firstWealth(terms(planned, 'worse')),
        notWorse: firstWealth(terms(planned, 'not-worse')),
        seenUntil: 0,
        canary: none,
        baseline: none,
        timeline: [],
      },
    ]),
  );
}

/** Adds what a look gave. Windows that were seen before count once, so that a look may be repeated. */
export function observe(plan: JudgePlan, evidence: Evidence, observations: readonly Observation[]): Evidence {
  return Object.fromEntries(
    plan.metrics.map((planned) => {
      const { name } = planned.metric;
      const before = evidence[name];
      if (before === undefined) throw new RangeError(`no evidence of ${name} was begun`);
      return [name, observations.filter(({ metric }) => metric === name).reduce(withLook(planned), before)];
    }),
  );
}

/** What the evidence says so far: each metric by itself, and all together. */
export function judge(plan: JudgePlan, evidence: Evidence): Judgement {
  const metrics = plan.metrics.map((planned) => {
    const known = evidence[planned.metric.name];
    if (known === undefined) throw new RangeError(`no evidence of ${planned.metric.name} was begun`);
    const logs = { worse: logEvidence(known.worse), notWorse: logEvidence(known.notWorse) };
    return judgeMetric(planned, known, logs);
  });
  return overall(metrics);
}

function withLook(planned: PlannedMetric): (known: MetricEvidence, look: Observation) => MetricEvidence {
  return (known, look) => {
    if ('missing' in look) return { ...known, missing: look.missing };
    if (!('counts' in look)) throw new RangeError(`${look.metric} is counted, not sampled`);
    return look.counts.reduce((so, window) => withWindow(planned, so, window), known);
  };
}

function withWindow(planned: PlannedMetric, known: MetricEvidence, window: CountWindow): MetricEvidence {
  if (window.start < known.seenUntil) return known;
  const { canary, baseline } = window;
  if (!isCount(canary) || !isCount(baseline)) {
    return { ...known, missing: 'the source counted what cannot be: more bad events than events, or no number' };
  }
  return {
    worse: bet(known.worse, window, terms(planned, 'worse')),
    notWorse: bet(known.notWorse, window, terms(planned, 'not-worse')),
    seenUntil: window.start + window.seconds * 1000,
    canary: plus(known.canary, canary),
    baseline: plus(known.baseline, baseline),
    timeline: extend(known.timeline, window),
  };
}

function terms({ metric, calibration }: PlannedMetric, side: Bet['side']): Bet {
  return { ratio: metric.allowed.relative, side, ...(calibration && { rho: calibration.rho }) };
}

function isCount({ bad, total }: Count): boolean {
  return Number.isFinite(total) && bad >= 0 && bad <= total;
}

function plus(a: Count, b: Count): Count {
  return { bad: a.bad + b.bad, total: a.total + b.total };
}
