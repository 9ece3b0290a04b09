import type { Database } from './database.ts';

/** What production says of a table, for estimates (`pg_class`, `pg_total_relation_size`). */
export interface TableSize {
  readonly relation: string;
  /** The planner's estimate. */
  readonly rows: number;
  readonly bytes: number;
}

/** Rows and bytes up to which a table is read or written anew in a moment. */
const SMALL = { rows: 10_000, bytes: 16 * 1024 * 1024 };

/** Whether a table's size is known, and so small that whatever is done to it is soon over. */
export function isSmall(size: TableSize | undefined): boolean {
  return size !== undefined && size.rows <= SMALL.rows && size.bytes <= SMALL.bytes;
}

const MAX_TABLES = 10_000;

/**
 * Tables with the planner's estimate of their rows and their bytes, indexes and TOAST among them; biggest first. A
 * partitioned table counts as the sum of its partitions.
 */
export async function tableSizes(database: Database): Promise<readonly TableSize[]> {
  return database.query<{ relation: string; rows: number; bytes: number }>(
    `SELECT c.oid::regclass::text AS relation,
       CASE WHEN c.relkind = 'p'
         THEN coalesce((SELECT sum(greatest(p.reltuples, 0)) FROM pg_partition_tree(c.oid) t JOIN pg_class p ON p.oid = t.relid WHERE t.isleaf), 0)
         ELSE greatest(c.reltuples, 0) END::float8 AS rows,
       CASE WHEN c.relkind = 'p'
         THEN coalesce((SELECT sum(pg_total_relation_size(t.relid)) FROM pg_partition_tree(c.oid) t WHERE t.isleaf), 0)
         ELSE pg_total_relation_size(c.oid) END::float8 AS bytes
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
       AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
     ORDER BY bytes DESC, relation LIMIT ${MAX_TABLES}`,
  );
}
