import type { Database } from '../postgres/database.ts';
import type { KnownTable, LintContext } from '../sql-lint/context.ts';

/** What the linter goes by of a schema that is there. */
export type KnownSchema = Required<Pick<LintContext, 'known' | 'constrainedDomains'>>;

const NAME = `CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname`;
const OURS = `n.nspname !~ '^pg_|information_schema'`;

/** Reads tables, views and constrained domains of a database, as its session sees them. */
export async function readKnownSchema(database: Pick<Database, 'query'>): Promise<KnownSchema> {
  const tables = await database.query<{ name: string; known: string }>(TABLES);
  const domains = await database.query<{ name: string }>(DOMAINS);
  return {
    known: new Map(tables.map(({ name, known }) => [name, withSchemaOf(name, JSON.parse(known) as KnownTable)])),
    constrainedDomains: new Set(domains.map(({ name }) => name)),
  };
}

/** An index lies in the schema of its table. */
function withSchemaOf(table: string, known: KnownTable): KnownTable {
  const dot = table.indexOf('.');
  if (dot === -1) return known;
  const prefix = table.slice(0, dot + 1);
  return { ...known, indexes: known.indexes.map((index) => ({ ...index, name: `${prefix}${index.name}` })) };
}

const TABLES = `
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
      'partitionKey', pg_get_partkeydef(c.oid))::text AS known
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OURS} AND c.relkind IN ('r', 'p', 'v', 'm')
    ORDER BY c.oid LIMIT 10000`;

const DOMAINS = `
    SELECT typname AS name FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace
    WHERE ${OURS} AND typtype = 'd' AND (typnotnull OR EXISTS (SELECT 1 FROM pg_constraint WHERE contypid = t.oid))`;
