import type { Client } from 'pg';
import type { TableSize } from '../../src/rehearsal/rehearsal.ts';

/** What a session's transaction has done so far. */
export interface Work {
  /** By object id: pages read, and rows updated or deleted. */
  readonly tables: ReadonlyMap<string, { readonly pages: number; readonly rows: number }>;
  /** By object id: the file of each table and index, and the table it belongs to. */
  readonly files: ReadonlyMap<string, { readonly file: string; readonly name: string; readonly table: string }>;
}

const NAME = `CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname`;
const OURS = `n.nspname !~ '^pg_|information_schema'`;

/** Asks the session itself: its counts are its own until the transaction ends. */
export async function workOf(session: Client): Promise<Work> {
  const { rows } = await session.query<{
    oid: string;
    pages: string;
    rows: string;
    file: string;
    name: string;
    table: string;
  }>(`
    SELECT c.oid::text, pg_stat_get_xact_blocks_fetched(c.oid) AS pages,
      pg_stat_get_xact_tuples_updated(c.oid) + pg_stat_get_xact_tuples_deleted(c.oid) AS rows,
      pg_relation_filenode(c.oid)::text AS file, ${NAME} AS name,
      coalesce((SELECT ${NAME.replaceAll('n.', 'm.').replaceAll('c.', 't.')} FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
        JOIN pg_namespace m ON m.oid = t.relnamespace WHERE i.indexrelid = c.oid), ${NAME}) AS table
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OURS} AND c.relkind IN ('r', 'm', 'i')`);
  return {
    tables: new Map(rows.map(({ oid, pages, rows }) => [oid, { pages: Number(pages), rows: Number(rows) }])),
    files: new Map(rows.map(({ oid, file, name, table }) => [oid, { file, name, table }])),
  };
}

/** Sizes as of a production that has `times` as many rows, of some 200 bytes each. */
export async function sizesOf(client: Client, times: number): Promise<ReadonlyMap<string, TableSize>> {
  const { rows } = await client.query<{ relation: string; rows: number }>(`
    SELECT ${NAME} AS relation, greatest(c.reltuples, 0)::int AS rows
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OURS} AND c.relkind IN ('r', 'm')`);
  return new Map(
    rows.map(({ relation, rows }) => [relation, { relation, rows: rows * times, bytes: rows * times * 200 }]),
  );
}
