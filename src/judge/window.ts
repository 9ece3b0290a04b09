import type { Arm } from './metric.ts';

/** Events of one arm in one window; whole numbers, or nearly (a counter may count in fractions), 0 <= bad <= total. */
export interface Count {
  readonly bad: number;
  readonly total: number;
}

/** A stretch of time that both arms were seen through. */
export interface Span {
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly seconds: number;
}

/** What a counted metric saw in a window. */
export interface CountWindow extends Span, Readonly<Record<Arm, Count>> {}

/** What a gauge showed in a window: one value a pod and scrape. */
export interface SampleWindow extends Span, Readonly<Record<Arm, readonly number[]>> {}

/** What one look at a metric's source gave; windows in order of time, each seen once. */
export type Observation =
  | { readonly metric: string; readonly counts: readonly CountWindow[] }
  | { readonly metric: string; readonly samples: readonly SampleWindow[] }
  /** Nothing that can be judged, and why: no series, not a number, source down. */
  | { readonly metric: string; readonly missing: string };
