import type { Count } from './window.ts';
import type { Arm, JudgedMetric } from './metric.ts';

/**
 * `worse`: more than allowed is shown. `not-worse`: at most as allowed is shown. `undecided`: the evidence suffices
 * for neither yet. `no-data`: there is nothing to judge by.
 */
export type MetricVerdict = 'worse' | 'not-worse' | 'undecided' | 'no-data';

/** A value with the interval that covers it at the stated confidence. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** One moment of a metric's chart. */
export interface Point {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly canary: number | undefined;
  readonly baseline: number | undefined;
}

/** What is known of one metric so far. */
export interface MetricJudgement {
  readonly metric: JudgedMetric;
  readonly verdict: MetricVerdict;
  /** One sentence for a person: what was seen, and what that says. */
  readonly reason: string;
  readonly estimates?: Readonly<Record<Arm, Estimate>>;
  /** Of counted metrics: all events that went into the evidence. */
  readonly counts?: Readonly<Record<Arm, Count>>;
  /** Base 10 logarithms of the e-values for "worse than allowed" and "at most as allowed"; `worse` at -log10(alpha). */
  readonly evidence?: { readonly worse: number; readonly notWorse: number; readonly needed: number };
  readonly points: readonly Point[];
}

/**
 * `worse`: take it back. `not-worse`: every metric that counts is shown to be fine. `undecided`: go on looking.
 * `environment`: canary and baseline fail alike, so it is not the release. `no-data`: nothing to judge by so far.
 */
export interface Judgement {
  readonly verdict: 'worse' | 'not-worse' | 'undecided' | 'environment' | 'no-data';
  /** One sentence for a person. */
  readonly reason: string;
  readonly metrics: readonly MetricJudgement[];
}
