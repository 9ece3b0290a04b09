import type { RehearsalFailure } from './rehearsal.ts';

const QUERY_CANCELED = '57014';

/** The same failure, which tells how long the statement had: `canceling statement` alone tells nobody. */
export function inTime(failed: RehearsalFailure, seconds: number): RehearsalFailure {
  return failed.error?.code === QUERY_CANCELED
    ? { ...failed, message: `the statement took longer than ${seconds} s` }
    : failed;
}
