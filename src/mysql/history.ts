import { createHash } from 'node:crypto';
import { type Begun, checksumOf } from '../apply/own-history.ts';
import type { Applied, Migration } from '../migration/migration.ts';
import { HISTORY_TABLE } from '../migration/tools/sql.ts';
import type { Statement } from '../sql/statement.ts';
import type { MysqlSession } from './connect.ts';

/** A migration that was begun and not ended, with what its next statement was about to change. */
export interface MysqlBegun extends Begun {
  /** Of {@link definitionsOf} before the statement that was under way; '' where none was, or it has none. */
  readonly before: string;
}

/**
 * Sees to it that the table is there: the one of PostgreSQL, column by column, and `before_checksum`, SHA-256 of the
 * definitions of what the statement under way names. Whether it ended is told by whether they are still the same.
 */
export async function openHistory(database: MysqlSession): Promise<void> {
  await database.query(
    `CREATE TABLE IF NOT EXISTS ${tableOf(database)} (
      id varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
      name varchar(255) CHARACTER SET utf8mb4 NOT NULL, checksum char(64) CHARACTER SET ascii NOT NULL,
      run varchar(100) CHARACTER SET utf8mb4 NOT NULL, started_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
      applied_at timestamp(3) NULL DEFAULT NULL, seconds double NULL, statements int NOT NULL DEFAULT 0,
      statements_checksum varchar(64) CHARACTER SET ascii NOT NULL DEFAULT '', outside boolean NOT NULL DEFAULT false,
      before_checksum varchar(64) CHARACTER SET ascii NOT NULL DEFAULT ''
    ) ENGINE=InnoDB`,
  );
}

/** A time as ISO 8601. */
function inUtc(column: string): string {
  return `DATE_FORMAT(CONVERT_TZ(${column}, @@session.time_zone, '+00:00'), '%Y-%m-%dT%H:%i:%sZ')`;
}

/** The table, qualified: a script may go to another database by USE. */
function tableOf({ database }: MysqlSession): string {
  return `\`${database.replaceAll('`', '``')}\`.${HISTORY_TABLE}`;
}

/** What the database says it has; nothing where the table is missing. */
export async function appliedScripts(database: MysqlSession): Promise<readonly Applied[]> {
  if (!(await hasTable(database, HISTORY_TABLE))) return [];
  const rows = await database.query(
    `SELECT id, checksum, ${inUtc('applied_at')} AS applied_at FROM ${tableOf(database)} ORDER BY started_at, id`,
  );
  return rows.map((row) => ({
    id: String(row['id']),
    checksum: String(row['checksum']),
    state: row['applied_at'] === null ? 'failed' : 'applied',
    at: String(row['applied_at'] ?? ''),
  }));
}

/** Whether the database has a table of this name. */
export async function hasTable(database: MysqlSession, name: string): Promise<boolean> {
  const [row] = await database.query(
    'SELECT COUNT(*) AS found FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
    [database.database, name],
  );
  return Number(row?.['found']) > 0;
}

/** Migrations that were begun and are not done, by id. */
export async function begunMigrations(database: MysqlSession): Promise<ReadonlyMap<string, MysqlBegun>> {
  const rows = await database.query(
    `SELECT id, statements, statements_checksum, outside, run, ${inUtc('started_at')} AS started_at, before_checksum
     FROM ${tableOf(database)} WHERE applied_at IS NULL`,
  );
  return new Map(
    rows.map((row) => [
      String(row['id']),
      {
        id: String(row['id']),
        statements: Number(row['statements']),
        statementsChecksum: String(row['statements_checksum']),
        outside: Number(row['outside']) === 1,
        run: String(row['run']),
        startedAt: String(row['started_at']),
        before: String(row['before_checksum']),
      },
    ]),
  );
}

/** Writes a migration as begun, or takes one up that an earlier run began. */
export async function recordBegun(
  database: MysqlSession,
  { id, name, checksum }: Migration,
  run: string,
): Promise<void> {
  await database.query(
    `INSERT INTO ${tableOf(database)} (id, name, checksum, run) VALUES (?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE name = VALUES(name), checksum = VALUES(checksum), run = VALUES(run)`,
    [id, name, checksum, run],
  );
}

/** Writes how many of a migration's statements are done, and what is known of the one that comes now. */
export async function recordProgress(
  database: MysqlSession,
  { id }: Migration,
  done: readonly Statement[],
  now: { readonly outside?: boolean; readonly before?: string } = {},
): Promise<void> {
  await database.query(
    `UPDATE ${tableOf(database)} SET statements = ?, statements_checksum = ?, outside = ?, before_checksum = ? WHERE id = ?`,
    [done.length, checksumOf(done), now.outside === true ? 1 : 0, now.before ?? '', id],
  );
}

/** Writes a migration as done. */
export async function recordApplied(
  database: MysqlSession,
  { id }: Migration,
  done: readonly Statement[],
  seconds: number,
): Promise<void> {
  await database.query(
    `UPDATE ${tableOf(database)} SET statements = ?, statements_checksum = ?, outside = false, before_checksum = '', seconds = ?,
       applied_at = CURRENT_TIMESTAMP(3) WHERE id = ? AND applied_at IS NULL`,
    [done.length, checksumOf(done), Math.round(seconds * 1000) / 1000, id],
  );
}

/** SHA-256 of texts. */
export function hashOf(texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex');
}
