import { createHash } from 'node:crypto';
import { UserError } from '../action/errors.ts';
import { quoted } from '../migration/history.ts';
import type { Migration } from '../migration/migration.ts';
import { HISTORY_TABLE } from '../migration/tools/sql.ts';
import type { Database } from '../postgres/database.ts';
import type { Statement } from '../sql/statement.ts';

/** A migration that was begun and not ended. */
export interface Begun {
  readonly id: string;
  readonly statements: number;
  readonly statementsChecksum: string;
  readonly outside: boolean;
  readonly run: string;
  readonly startedAt: string;
}

/**
 * Whose rows are written, and where. The table has of each migration:
 *
 * | column | what it says |
 * | --- | --- |
 * | id | the migration; a second run of it meets the primary key |
 * | name, checksum, run | what a person calls it; SHA-256 of its file; the run that applied it |
 * | started_at, applied_at, seconds | `applied_at` is empty while it is under way, or was left so |
 * | statements | how many of its first statements are done for good |
 * | statements_checksum | SHA-256 of those, so that only the rest of a file may be mended |
 * | outside | the next statement runs outside of a transaction: whether it ended is not known from here |
 */
export interface OwnHistory {
  /** The table, qualified, as SQL: a script may set a search path of its own. */
  readonly table: string;
  readonly run: string;
}

/**
 * Sees to it that the table is there, in the schema where unqualified names go.
 * @throws UserError when the role may not create it
 */
export async function openHistory(database: Database, run: string): Promise<OwnHistory> {
  const [row] = await database.query(
    `SELECT coalesce((SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)), current_schema()) AS schema,
       to_regclass($1) IS NOT NULL AS there`,
    [HISTORY_TABLE],
  );
  const schema = row?.['schema'];
  if (typeof schema !== 'string') {
    throw new UserError('The search path of the role names no schema that exists, so tables would go nowhere', {
      remedy: 'ALTER ROLE <user> IN DATABASE <database> SET search_path = public; or create the schema it names.',
    });
  }
  const table = quoted(schema, HISTORY_TABLE);
  if (row?.['there'] !== true) {
    await database.query(
      `CREATE TABLE IF NOT EXISTS ${table} (
        id text PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, run text NOT NULL,
        started_at timestamptz NOT NULL DEFAULT clock_timestamp(), applied_at timestamptz, seconds double precision,
        statements integer NOT NULL DEFAULT 0, statements_checksum text NOT NULL DEFAULT '', outside boolean NOT NULL DEFAULT false)`,
    );
  }
  return { table, run };
}

/** Migrations that were begun and are not done, by id. */
export async function begunMigrations(database: Database, { table }: OwnHistory): Promise<ReadonlyMap<string, Begun>> {
  const rows = await database.query<{
    id: string;
    statements: number;
    statements_checksum: string;
    outside: boolean;
    run: string;
    started_at: Date;
  }>(`SELECT id, statements, statements_checksum, outside, run, started_at FROM ${table} WHERE applied_at IS NULL`);
  return new Map(
    rows.map((row) => [
      row.id,
      {
        id: row.id,
        statements: row.statements,
        statementsChecksum: row.statements_checksum,
        outside: row.outside,
        run: row.run,
        startedAt: row.started_at.toISOString(),
      },
    ]),
  );
}

/** Writes a migration as done, in the transaction that does it: a second one that tries meets the primary key. */
export async function recordApplied(
  database: Database,
  { table, run }: OwnHistory,
  { id, name, checksum }: Migration,
  statements: number,
): Promise<void> {
  await database.query(
    `INSERT INTO ${table} (id, name, checksum, run, applied_at, statements) VALUES ($1, $2, $3, $4, clock_timestamp(), $5)`,
    [id, name, checksum, run, statements],
  );
}

/** Writes a migration as begun, or takes one up that an earlier run began. */
export async function recordBegun(
  database: Database,
  { table, run }: OwnHistory,
  { id, name, checksum }: Migration,
): Promise<void> {
  await database.query(
    `INSERT INTO ${table} (id, name, checksum, run) VALUES ($1, $2, $3, $4)
     ON CONFLICT (id) DO UPDATE SET name = $2, checksum = $3, run = $4 WHERE ${HISTORY_TABLE}.applied_at IS NULL`,
    [id, name, checksum, run],
  );
}

/** Writes how many of a migration's statements are done, in the transaction of the last of them where it has one. */
export async function recordProgress(
  database: Database,
  { table }: OwnHistory,
  { id }: Migration,
  done: readonly Statement[],
  { outside = false, ended = false } = {},
): Promise<void> {
  await database.query(
    `UPDATE ${table} SET statements = $2, statements_checksum = $3, outside = $4, applied_at = ${ended ? 'clock_timestamp()' : 'NULL'} WHERE id = $1`,
    [id, done.length, checksumOf(done), outside],
  );
}

/** Writes how long a migration took, for those who read the table. */
export async function recordSeconds(
  database: Database,
  { table }: OwnHistory,
  { id }: Migration,
  seconds: number,
): Promise<void> {
  await database.query(`UPDATE ${table} SET seconds = $2 WHERE id = $1`, [id, Math.round(seconds * 1000) / 1000]);
}

/** What tells whether the first statements of a file are still those that ran. */
export function checksumOf(statements: readonly Statement[]): string {
  const hash = createHash('sha256');
  for (const { sql } of statements) hash.update(sql).update('\0');
  return statements.length === 0 ? '' : hash.digest('hex');
}
