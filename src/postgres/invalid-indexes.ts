import type { Database } from './database.ts';

/** An index that takes part in writes and helps no query: what a CONCURRENTLY that failed leaves behind. */
export interface InvalidIndex {
  /** Object id. */
  readonly oid: number;
  /** Quoted and qualified where need be, to be used as SQL. */
  readonly name: string;
  readonly table: string;
  /** Its own name alone. */
  readonly bare: string;
  /** REINDEX CONCURRENTLY left it beside the index that it was to replace, or that was replaced. */
  readonly isCopy: boolean;
}

/**
 * Invalid indexes that nobody builds right now (`pg_stat_progress_create_index` tells builders). Those of partitioned
 * tables are left out, since they are invalid until all partitions have theirs, and so are those of constraints, which
 * only go with them.
 */
export async function invalidIndexes(database: Database): Promise<readonly InvalidIndex[]> {
  return database.query<{ oid: number; name: string; table: string; bare: string; isCopy: boolean }>(
    `SELECT c.oid, c.oid::regclass::text AS name, i.indrelid::regclass::text AS "table", c.relname AS bare,
       c.relname ~ '_cc(new|old)\\d*$' AS "isCopy"
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
     WHERE NOT i.indisvalid AND c.relkind = 'i'
       AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
       AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.relation = i.indexrelid AND l.granted AND l.pid <> pg_backend_pid()
         AND l.mode IN ('ShareUpdateExclusiveLock', 'AccessExclusiveLock'))
       AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
     ORDER BY 2 LIMIT 1000`,
  );
}

/**
 * Drops such an index without keeping anybody waiting.
 * @returns false where it is gone or valid meanwhile
 * @throws SqlError when the server refuses
 */
export async function dropInvalidIndex(database: Database, { oid, name }: InvalidIndex): Promise<boolean> {
  const [row] = await database.query('SELECT FROM pg_index WHERE indexrelid = $1::bigint::oid AND NOT indisvalid', [
    oid,
  ]);
  if (row === undefined) return false;
  await database.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
  return true;
}

const CREATED =
  /^\s*create\s+(?:unique\s+)?index\s+concurrently\s+(?:if\s+not\s+exists\s+)?(?:("(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*)\s+)?on\b/iu;

/** The name of the index that a CREATE INDEX CONCURRENTLY makes, as the catalog has it; undefined for other statements. */
export function concurrentIndexOf(sql: string): string | undefined {
  const name = CREATED.exec(sql)?.[1];
  if (name === undefined) return undefined;
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase();
}

/** Whether a statement works CONCURRENTLY: it waits for others, and keeps nobody waiting that reads or writes. */
export function isConcurrent(sql: string): boolean {
  return /^\s*(?:create|drop|reindex|refresh|alter)\b[^;]{0,400}?\bconcurrently\b/i.test(sql);
}
