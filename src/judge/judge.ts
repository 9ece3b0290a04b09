import { calibrate } from './calibrate.ts';
import { type CountedEvidence, type PlannedCounted, counted } from './counted.ts';
import type { Judgement } from './judgement.ts';
import type { JudgedMetric } from './metric.ts';
import type { Process } from './process.ts';
import { type PlannedSamples, type SamplesEvidence, samples } from './samples.ts';
import { type PlannedThreshold, type ThresholdEvidence, threshold } from './threshold.ts';
import { overall } from './verdict.ts';
import type { CountWindow, Observation } from './window.ts';

/** A metric and how it is judged. */
export type PlannedMetric = PlannedCounted | PlannedSamples | PlannedThreshold;

/** How a canary will be judged: plain data, made before any traffic moves. */
export interface JudgePlan {
  readonly metrics: readonly PlannedMetric[];
}

/** All that is known of one metric: plain data of bounded size, however long the canary lasts. */
export type MetricEvidence = CountedEvidence | SamplesEvidence | ThresholdEvidence;

/** What is known of each metric, by its name. */
export type Evidence = Readonly<Record<string, MetricEvidence>>;

export interface JudgeWish {
  readonly metrics: readonly JudgedMetric[];
  /** The chance that a release as good as the baseline is taken back, over all metrics and the whole canary. */
  readonly alpha: number;
  /** By metric: canaries between stable pods out of the past. */
  readonly placebos?: Readonly<Record<string, readonly (readonly CountWindow[])[]>>;
}

/**
 * Splits alpha evenly over the metrics that compare (the union bound needs no independence) and calibrates the counted
 * ones on their past. A threshold takes no part: it is a rule, and no test.
 */
export function planJudge({ metrics, alpha, placebos = {} }: JudgeWish): JudgePlan {
  const each = alpha / Math.max(1, metrics.filter(({ kind }) => kind !== 'threshold').length);
  return {
    metrics: metrics.map((metric) => {
      if (metric.kind === 'threshold') return { metric };
      if (metric.kind === 'samples') return { metric, alpha: each };
      const calibration = calibrate(placebos[metric.name] ?? [], { alpha: each, ratio: metric.allowed.relative });
      return { metric, alpha: each, ...(calibration && { calibration }) };
    }),
  };
}

/** What is known before the first window: nothing. */
export function begin({ metrics }: JudgePlan): Evidence {
  return Object.fromEntries(metrics.map((planned) => [planned.metric.name, processOf(planned).begin()]));
}

/** Adds what a look gave. Windows that were seen before count once, so that a look may be repeated. */
export function observe(plan: JudgePlan, evidence: Evidence, observations: readonly Observation[]): Evidence {
  return Object.fromEntries(
    plan.metrics.map((planned) => {
      const { name } = planned.metric;
      const process = processOf(planned);
      const looks = observations.filter(({ metric }) => metric === name);
      return [name, looks.reduce((known, look) => process.see(known, look), known(evidence, name))];
    }),
  );
}

/** What the evidence says so far: each metric by itself, and all together. */
export function judge(plan: JudgePlan, evidence: Evidence): Judgement {
  return overall(plan.metrics.map((planned) => processOf(planned).judge(known(evidence, planned.metric.name))));
}

/** Whether this metric counts bad events. */
export function isCounted(planned: PlannedMetric): planned is PlannedCounted {
  return planned.metric.kind === 'ratio' || planned.metric.kind === 'latency';
}

function known(evidence: Evidence, name: string): MetricEvidence {
  const found = evidence[name];
  if (found === undefined) throw new RangeError(`no evidence of ${name} was begun`);
  return found;
}

/** The plan is the same for a whole canary, so that evidence that this began is always of its kind. */
function processOf(planned: PlannedMetric): Process<MetricEvidence> {
  if (isCounted(planned)) return counted(planned);
  if (planned.metric.kind === 'samples') return samples(planned as PlannedSamples);
  return threshold(planned as PlannedThreshold);
}
