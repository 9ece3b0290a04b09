/** Modes of locks on relations, weakest first; as `pg_locks.mode` names them (PostgreSQL manual, 13.3.1). */
export const LOCK_MODES = [
  'AccessShareLock',
  'RowShareLock',
  'RowExclusiveLock',
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
] as const;
export type LockMode = (typeof LOCK_MODES)[number];

/** A lock that a statement takes on a relation that others use. */
export interface RelationLock {
  /** As the server shows it: `shipments`, `billing.invoices`. */
  readonly relation: string;
  readonly mode: LockMode;
}

/** What a lock of this mode keeps waiting, in words for people; `nothing` where only schema changes wait. */
export function blockedBy(mode: LockMode): 'reads and writes' | 'writes' | 'nothing' {
  if (mode === 'AccessExclusiveLock') return 'reads and writes';
  return LOCK_MODES.indexOf(mode) >= LOCK_MODES.indexOf('ShareLock') ? 'writes' : 'nothing';
}
