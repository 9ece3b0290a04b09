import { shownName } from '../postgres/schema-query.ts';

/** A relation as the catalogs have it. */
export type RelationRow = {
  readonly oid: number;
  readonly name: string;
  /** `pg_class.relkind`: `r` is a table, `i` an index. */
  readonly kind: string;
  /** Number of the file that holds it; another one after it was written anew. */
  readonly file: number;
  /** Of an index its table. */
  readonly table: number | null;
};

/** How often this session read a table from end to end, since it last told the server's statistics. */
export type ScansRow = { readonly oid: number; readonly scans: number };

export type LockRow = { readonly oid: number; readonly mode: string };

const COLUMNS = `c.oid::int8 AS oid, ${shownName('n.nspname', 'c.relname')} AS name, c.relkind::text AS kind,
  c.relfilenode::int8 AS file, x.indrelid::int8 AS table`;
const FROM = `FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_index x ON x.indexrelid = c.oid`;
/** Object ids of users begin here (`FirstNormalObjectId`); what is below is the server's own. */
const FIRST_OID = 16_384;

/** All relations of users with higher object ids than `above`. */
export function relationsAbove(above: number): string {
  return `SELECT ${COLUMNS} ${FROM}
    WHERE c.oid > ${Math.max(above, FIRST_OID - 1)} AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'i', 'I')
      AND n.nspname !~ '^pg_'`;
}

/** These relations and their indexes, as this transaction has them. */
export function relationsOf(oids: readonly number[]): string {
  const list = oids.join(', ');
  return `SELECT ${COLUMNS} ${FROM}
    WHERE c.oid IN (${list}) OR x.indrelid IN (${list})`;
}

const OF_USERS = `locktype = 'relation' AND relation >= ${FIRST_OID}
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/** Locks on relations that this session holds. */
export const OWN_LOCKS = `SELECT relation::int8 AS oid, mode FROM pg_locks WHERE pid = pg_backend_pid() AND granted AND ${OF_USERS}`;

/** The tables that were read; the counts only grow within a transaction. */
export const SCANS = `SELECT oid::int8 AS oid, pg_stat_get_xact_numscans(oid)::int8 AS scans FROM pg_class
  WHERE oid >= ${FIRST_OID} AND relkind IN ('r', 'p', 'm') AND pg_stat_get_xact_numscans(oid) > 0`;

/** Makes `pg_temp.locks_of`, which looks at another session's locks again and again within one statement. */
export const MAKE_WATCH = `CREATE OR REPLACE FUNCTION pg_temp.locks_of(other int, rounds int)
  RETURNS TABLE (relid bigint, held text) LANGUAGE plpgsql AS $$
  BEGIN
    FOR round IN 1..rounds LOOP
      RETURN QUERY SELECT relation::int8, mode FROM pg_locks WHERE pid = other AND ${OF_USERS};
      PERFORM pg_sleep(0.00005);
    END LOOP;
  END $$`;

/** Locks that a session took, or waited for, while this ran. */
export const WATCH = 'SELECT DISTINCT relid AS oid, held AS mode FROM pg_temp.locks_of($1::int, 60)';

/** Locks that a session has or waits for now. */
export const LOCKS_OF = `SELECT relation::int8 AS oid, mode, NOT granted AS waits FROM pg_locks WHERE pid = $1::int AND ${OF_USERS}`;

/** Indexes that no query may use; one on a partitioned table waits for those of its partitions. */
export const INVALID_INDEXES = `SELECT ${shownName('n.nspname', 'c.relname')} AS name
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i' JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE NOT i.indisvalid AND n.nspname !~ '^pg_' ORDER BY 1`;
