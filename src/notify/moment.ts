/** What others are told of a canary, and when. */
export interface Moment {
  /** `resumed`: another run goes on with a canary that was told of before, so nobody is told of its start twice. */
  readonly kind: 'started' | 'resumed' | 'promoted' | 'taken-back' | 'take-back-failed' | 'stopped';
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

/** Whether the canary goes on after this moment. */
export function isBeginning({ kind }: Moment): boolean {
  return kind === 'started' || kind === 'resumed';
}

/** Which canary it is, the same in every run that goes on with it: what is made for it is found again by this. */
export function canaryKey({ namespace, workload, startedAt }: Moment): string {
  return `canary of ${namespace}/${workload} begun ${new Date(startedAt).toISOString()}`;
}
