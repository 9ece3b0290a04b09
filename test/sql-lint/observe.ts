import type { Client } from 'pg';
import type { KnownTable } from '../../src/sql-lint/context.ts';
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

/** The schema as the linter is told of it. */
export async function knownSchema(client: Client): Promise<ReadonlyMap<string, KnownTable>> {
  const { rows } = await client.query<{ name: string; known: KnownTable }>(`
    SELECT ${NAME} AS name, json_build_object(
      'kind', CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view' ELSE 'materialized view' END,
      'columns', (SELECT json_object_agg(attname, json_build_object('type', format_type(atttypid, atttypmod), 'notNull', attnotnull,
         'hasDefault', atthasdef OR attidentity <> '')) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
      'constraints', coalesce((SELECT json_agg(json_build_object('name', conname, 'valid', convalidated,
         'kind', CASE contype WHEN 'c' THEN 'check' WHEN 'f' THEN 'foreign key' WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique' ELSE 'exclusion' END,
         'columns', (SELECT json_agg(attname) FROM pg_attribute WHERE attrelid = c.oid AND attnum = ANY (conkey)),
         'definition', regexp_replace(pg_get_constraintdef(o.oid), ' NOT VALID$', ''))) FROM pg_constraint o WHERE conrelid = c.oid), '[]'),
      'indexes', coalesce((SELECT json_agg(json_build_object('name', ic.relname, 'unique', indisunique, 'partial', indpred IS NOT NULL,
         'columns', (SELECT coalesce(json_agg(attname ORDER BY k.n), '[]') FROM unnest(indkey::int2[]) WITH ORDINALITY k (att, n)
           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.att)))
         FROM pg_index x JOIN pg_class ic ON ic.oid = x.indexrelid WHERE indrelid = c.oid), '[]'),
      'partitionKey', pg_get_partkeydef(c.oid)) AS known
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OURS} AND c.relkind IN ('r', 'p', 'v', 'm')`);
  return new Map(
    rows.map(({ name, known }) => {
      const qualified = (one: string): string => (name.includes('.') ? `${name.split('.')[0]}.${one}` : one);
      const indexes = known.indexes.map((index) => ({ ...index, name: qualified(index.name) }));
      return [name, { ...known, indexes }];
    }),
  );
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

/** Domains with constraints, as the linter is told of them. */
export async function constrainedDomains(client: Client): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>(`
    SELECT typname AS name FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace
    WHERE ${OURS} AND typtype = 'd' AND (typnotnull OR EXISTS (SELECT 1 FROM pg_constraint WHERE contypid = t.oid))`);
  return new Set(rows.map(({ name }) => name));
}
