/** How far applying may go; times in milliseconds. */
export interface Limits {
  /** That a server has to let a session in. */
  readonly connectTimeout: number;
  /** That a server which starts, restarts or is full is tried again. */
  readonly connectRetry: number;
  /** That a statement waits for a lock in the first try, and so others behind it. */
  readonly lockTimeout: number;
  /** That it waits at most in later tries, each of which may wait half as long again as the one before. */
  readonly lockTimeoutMax: number;
  /** Tries after the first. */
  readonly lockRetries: number;
  /** For a statement that works CONCURRENTLY: it waits for others, and nobody waits for it. */
  readonly concurrentLockTimeout: number;
  /** That a statement may run, unless it works CONCURRENTLY; 0 for no limit. */
  readonly statementTimeout: number;
  /** That another migrator is waited for. */
  readonly migratorWait: number;
  /** That replicas may be behind before a migration begins. */
  readonly maxLag: number;
  /** A transaction older than that is waited for before the first migration. */
  readonly maxTransactionAge: number;
  /** That lag and long transactions are waited for in all. */
  readonly patience: number;
  /** Blockers whose transaction is older are ended; undefined ends nobody. */
  readonly terminateBlockersOlderThan?: number;
}

export const LIMITS: Limits = {
  connectTimeout: 10_000,
  connectRetry: 30_000,
  lockTimeout: 2000,
  lockTimeoutMax: 10_000,
  lockRetries: 10,
  concurrentLockTimeout: 600_000,
  statementTimeout: 900_000,
  migratorWait: 600_000,
  maxLag: 30_000,
  maxTransactionAge: 300_000,
  patience: 600_000,
};

const GROWTH = 1.5;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

/** How long try `number` (from 1) waits for a lock. */
export function lockTimeoutOf({ lockTimeout, lockTimeoutMax }: Limits, number: number): number {
  return Math.round(Math.min(Math.max(lockTimeout, lockTimeoutMax), lockTimeout * GROWTH ** (number - 1)));
}

/** The pause after try `number`, scattered so that two that hinder each other do not meet again. */
export function pauseAfter(number: number, random: () => number = Math.random): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (number - 1)) * (0.5 + random());
}

/** lock_not_available, deadlock_detected, serialization_failure: nothing is wrong with the statement. */
const TRY_AGAIN = new Set(['55P03', '40P01', '40001']);

/** Whether a failure with this SQLSTATE may pass by itself once others are through. */
export function isLockedOut(code: string): boolean {
  return TRY_AGAIN.has(code);
}

/** The session's settings, as SQL of one statement; `worker` is the lock that sessions of a migrator share. */
export function sessionSettings(limits: Limits, number: number, version: number): string {
  const settings: readonly (readonly [string, string])[] = [
    ['lock_timeout', `${lockTimeoutOf(limits, number)}ms`],
    ['statement_timeout', `${limits.statementTimeout}ms`],
    ['idle_in_transaction_session_timeout', '0'],
    // Ends a statement whose client is gone, so that a run that was killed leaves nothing at work (from PostgreSQL 14).
    ...(version >= 140_000 ? [['client_connection_check_interval', '1s'] as const] : []),
  ];
  return `SELECT ${settings.map(([name, value]) => `set_config('${name}', '${value}', false)`).join(', ')}`;
}
