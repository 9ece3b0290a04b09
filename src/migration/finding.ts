import type { Place } from '../action/errors.ts';
import type { RelationLock } from '../postgres/locks.ts';

export { LOCK_MODES, type LockMode, type RelationLock, blockedBy } from '../postgres/locks.ts';

/**
 * What a finding means for the change: `error` may block the business, lose data or break the running version, so
 * somebody has to agree (risk `high`); `warning` is worth mending and blocks little (`low`); `notice` changes no risk.
 */
export type Severity = 'error' | 'warning' | 'notice';

/** How much may go wrong when a change is applied: `high` asks the database team. */
export type Risk = 'none' | 'low' | 'high';

/** Something about a migration that a person should know, at the place where it stands. */
export interface Finding {
  /** Stable name in kebab-case, by which it is allowed: `index-not-concurrent`. */
  readonly code: string;
  readonly severity: Severity;
  readonly place: Place;
  /** What is wrong, as one sentence. */
  readonly message: string;
  /** What it does to the running service: what waits, and for how long. */
  readonly why: string;
  /** The next step, as a sentence. */
  readonly remedy: string;
  /** The safe form as SQL that can be pasted. */
  readonly rewrite?: string;
  /** The statement as it stands, cut to a few lines. */
  readonly statement?: string;
  readonly lock?: RelationLock;
  /** It breaks the version that runs now, so it belongs after the deploy. */
  readonly phase?: 'contract';
  /** Who says so: the text alone, a server that ran it, or what is known of the tool. */
  readonly source: 'lint' | 'rehearsal' | 'tool';
  /** Where somebody allowed it in the file: why. It then changes no risk. */
  readonly allowed?: string;
}

const RISK = { error: 'high', warning: 'low', notice: 'none' } as const;
const RISKS = ['none', 'low', 'high'] as const;

/** The risk of a change with these findings: the highest of those that nobody allowed. */
export function riskOf(findings: readonly Finding[]): Risk {
  const ranks = findings
    .filter(({ allowed }) => allowed === undefined)
    .map(({ severity }) => RISKS.indexOf(RISK[severity]));
  return RISKS[Math.max(0, ...ranks)] ?? 'none';
}
