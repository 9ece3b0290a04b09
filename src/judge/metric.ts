/** The two groups of pods of one size that are compared: the new version, and the old one started just as freshly. */
export type Arm = 'canary' | 'baseline';

/** How much worse than the baseline the canary may be; the larger of both bounds counts. */
export interface Allowed {
  /** A factor on the baseline's value, at least 1: 1.25 allows a quarter more. */
  readonly relative: number;
  /** What may come on top, in the metric's own unit; a share from 0 to 1 for counted metrics. */
  readonly absolute: number;
}

interface Common {
  /** Unique in a canary; it names the metric in evidence, outputs and summary. */
  readonly name: string;
  /** Worse here ends the canary whatever the other metrics say. */
  readonly critical: boolean;
  /** What the metric counts for in the score when it is not critical. */
  readonly weight: number;
}

/** Bad events out of all: failed requests, or those slower than `threshold` seconds. */
export interface CountedMetric extends Common {
  readonly kind: 'ratio' | 'latency';
  readonly allowed: Allowed;
  /** Of `latency`, in seconds: slower counts as bad. */
  readonly threshold?: number;
}

/** A gauge that each pod shows at each scrape: CPU, memory, saturation. */
export interface SamplesMetric extends Common {
  readonly kind: 'samples';
  readonly allowed: Allowed;
  /** Which way is worse. */
  readonly direction: 'increase' | 'decrease' | 'either';
  /** With fewer samples in either arm nothing is decided. */
  readonly leastSamples: number;
}

/** A bound that has to hold whatever the old version does. */
export interface ThresholdMetric extends Common {
  readonly kind: 'threshold';
  readonly bound: number;
  /** `above`: a value over the bound is bad. */
  readonly bad: 'above' | 'below';
}

/** What the judge knows of a metric; where its numbers come from is not its business. */
export type JudgedMetric = CountedMetric | SamplesMetric | ThresholdMetric;
