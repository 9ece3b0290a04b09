import { messageOf } from '../action/errors.ts';
import type { Log } from '../action/log.ts';
import { discreet } from '../postgres/activity.ts';
import type { Database } from '../postgres/database.ts';
import { tableSizes } from '../postgres/sizes.ts';
import type { AppliedMigration } from './report.ts';

/** A schema of its own: no tool that compares schemas finds a table there that it does not know. */
export const RECORD_SCHEMA = 'delivery_actions';
const TABLE = `${RECORD_SCHEMA}.history`;
/** A run writes the slowest ones, so that a script of many rows does not fill the table. */
const MAX_STATEMENTS = 200;

/** How long a statement took on production, and on how large a table. */
export interface RecordedStatement {
  readonly statement: string;
  readonly seconds: number;
  /** The largest table that it locked. */
  readonly relation: string;
  readonly mode: string;
  readonly rows: number;
  readonly bytes: number;
}

/**
 * Keeps what statements took, with the sizes of their tables, for the next estimate. A role that may not create the
 * schema goes without: the migrations are applied all the same.
 */
export async function keepRecord(
  database: Database,
  {
    applied,
    tool,
    run,
  }: { readonly applied: readonly AppliedMigration[]; readonly tool: string; readonly run: string },
  log: Log,
): Promise<void> {
  try {
    const sizes = new Map((await tableSizes(database)).map((size) => [size.relation, size]));
    const rows = applied.flatMap(({ migration, statements }) =>
      statements.map(({ file, sql, seconds, locks }) => {
        const tables = locks.flatMap(({ relation, mode }) => {
          const size = sizes.get(relation);
          return size === undefined ? [] : [{ ...size, mode }];
        });
        const [largest] = tables.toSorted((a, b) => b.bytes - a.bytes);
        return {
          run,
          tool,
          migration: migration.id,
          file,
          checksum: migration.checksum,
          statement: discreet(sql),
          seconds: Math.round(seconds * 1000) / 1000,
          locks,
          relation: largest?.relation ?? null,
          mode: largest?.mode ?? null,
          rows: largest?.rows ?? null,
          bytes: largest?.bytes ?? null,
        };
      }),
    );
    const kept = rows.toSorted((a, b) => b.seconds - a.seconds).slice(0, MAX_STATEMENTS);
    if (kept.length === 0) return;
    await createTable(database);
    await database.query(
      `INSERT INTO ${TABLE} (run, tool, migration, file, checksum, statement, seconds, locks, relation, mode, rows, bytes)
       SELECT run, tool, migration, file, checksum, statement, seconds, locks, relation, mode, rows, bytes
       FROM jsonb_to_recordset($1::jsonb) AS r(run text, tool text, migration text, file text, checksum text, statement text,
         seconds float8, locks jsonb, relation text, mode text, rows float8, bytes float8)`,
      [JSON.stringify(kept)],
    );
  } catch (error) {
    log.info(`what the statements took is not kept in the database: ${messageOf(error)}`);
  }
}

/** What is kept of statements on tables, latest first; nothing where nothing is kept. */
export async function recordedStatements(database: Database): Promise<readonly RecordedStatement[]> {
  const [there] = await database.query('SELECT to_regclass($1) IS NOT NULL AS there', [TABLE]);
  if (there?.['there'] !== true) return [];
  return database.query<{
    statement: string;
    seconds: number;
    relation: string;
    mode: string;
    rows: number;
    bytes: number;
  }>(
    `SELECT statement, seconds, relation, mode, rows, bytes FROM ${TABLE} WHERE relation IS NOT NULL ORDER BY at DESC LIMIT 1000`,
  );
}

async function createTable(database: Database): Promise<void> {
  const [there] = await database.query('SELECT to_regclass($1) IS NOT NULL AS there', [TABLE]);
  if (there?.['there'] === true) return;
  await database.query(`CREATE SCHEMA IF NOT EXISTS ${RECORD_SCHEMA}`);
  await database.query(
    `CREATE TABLE IF NOT EXISTS ${TABLE} (
      at timestamptz NOT NULL DEFAULT clock_timestamp(), run text NOT NULL, tool text NOT NULL, migration text NOT NULL,
      file text NOT NULL, checksum text NOT NULL, statement text NOT NULL, seconds float8 NOT NULL, locks jsonb NOT NULL,
      relation text, mode text, rows float8, bytes float8)`,
  );
}
