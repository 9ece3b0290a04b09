import { LOCK_MODES, type LockMode, type RelationLock } from '../migration/finding.ts';
import type { Database, Row } from '../postgres/database.ts';

/** A lock with the relation's object id. */
export interface HeldLock extends RelationLock {
  readonly oid: number;
}

/** The question what locks on tables and indexes the session that asks it holds; the server's own tables are left out. */
export const HELD_LOCKS = `SELECT l.relation AS oid, l.relation::regclass::text AS relation, l.mode
  FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted AND c.relkind IN ('r', 'p', 'm', 'v', 'i', 'I', 'S', 'f')
    AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' LIMIT 2000`;

/** The answer to {@link HELD_LOCKS}. */
export function heldLocks(rows: readonly Row[]): readonly HeldLock[] {
  return rows.map((row) => ({
    oid: Number(row['oid']),
    relation: String(row['relation']),
    mode: String(row['mode']) as LockMode,
  }));
}

/** Those of `after` that are new or stronger than in `before`: the strongest of each relation. */
export function newLocks(before: readonly HeldLock[], after: readonly HeldLock[]): readonly HeldLock[] {
  const had = strongest(before);
  return [...strongest(after).values()].filter(({ oid, mode }) => rank(mode) > rank(had.get(oid)?.mode));
}

/**
 * Of locks those that others may have to wait for: on relations that they can see, since what a transaction has just made
 * is nobody's concern, and of modes stronger than reading and writing rows takes itself.
 * @param other a session that is not in that transaction
 */
export async function ofOthersConcern(other: Database, locks: readonly HeldLock[]): Promise<readonly RelationLock[]> {
  const strong = locks.filter(({ mode }) => rank(mode) > rank('RowExclusiveLock'));
  if (strong.length === 0) return [];
  const oids = strong.map(({ oid }) => Math.trunc(oid)).join(',');
  const rows = await other.query<{ oid: number }>(`SELECT oid FROM pg_class WHERE oid IN (${oids})`);
  const seen = new Set(rows.map(({ oid }) => oid));
  return strong.filter(({ oid }) => seen.has(oid)).map(({ relation, mode }) => ({ relation, mode }));
}

function strongest(locks: readonly HeldLock[]): ReadonlyMap<number, HeldLock> {
  const result = new Map<number, HeldLock>();
  for (const lock of locks) {
    if (rank(lock.mode) > rank(result.get(lock.oid)?.mode)) result.set(lock.oid, lock);
  }
  return result;
}

function rank(mode: LockMode | undefined): number {
  return mode === undefined ? -1 : LOCK_MODES.indexOf(mode);
}
