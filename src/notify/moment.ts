/** What others are told of a canary, and when. */
export interface Moment {
  readonly kind: 'started' | 'promoted' | 'taken-back' | 'take-back-failed' | 'stopped';
  readonly workload: string;
  readonly namespace: string;
  /** Of GitHub; `''` without one. */
  readonly environment: string;
  /** How people call the new version: a tag or short commit. */
  readonly version: string;
  /** One sentence: what happened and why. */
  readonly text: string;
  /** The page of the run. */
  readonly runUrl: string;
  /** When the canary began and when this happened, milliseconds since 1970. */
  readonly startedAt: number;
  readonly at: number;
  /** A pattern (RE2, anchored) that fits exactly the canary's own pods. */
  readonly canaryPods: string;
}
