import type { Host } from '../action/host.ts';
import type { ConnectionSource } from '../apply/attempt.ts';
import type { Applied, Migration } from '../migration/migration.ts';
import type { Found, Tool } from '../migration/tool.ts';
import type { MysqlTableSize } from '../mysql-lint/catalog.ts';
import { readStatement } from '../mysql-sql/statement.ts';
import type { Server } from '../mysql-lint/way.ts';
import type { Activity } from '../postgres/activity.ts';
import { connectedSessions, longTransactions } from './activity.ts';
import { type MysqlDatabase, type MysqlSession, connectMysql } from './connect.ts';
import { type MysqlBegun, appliedScripts, begunMigrations, hasTable } from './history.ts';
import { HISTORY_TABLE } from '../migration/tools/sql.ts';
import { splitMysql } from '../mysql-sql/split.ts';
import { toolDatabase } from './tool-database.ts';

/** A tool's migrations, and the database they are for. */
export interface MysqlTarget {
  readonly tool: Tool;
  readonly found: Found;
  readonly migrations: readonly Migration[];
  readonly connection: ConnectionSource;
}

type StateHost = Pick<Host, 'clock' | 'signal'>;

/** What the target says before anything is applied. */
export interface MysqlState {
  readonly server: Server;
  readonly applied: readonly Applied[];
  /** In order. */
  readonly pending: readonly Migration[];
  /** Begun by an earlier run and not ended, with how many statements are done. */
  readonly begun: readonly MysqlBegun[];
  /** Of all tables, the largest first. */
  readonly sizes: readonly MysqlTableSize[];
  /** `SHOW CREATE TABLE` of the tables that pending scripts change: `before` of the linter. */
  readonly definitions: readonly { readonly sql: string }[];
  readonly sessions: Awaited<ReturnType<typeof connectedSessions>>;
  /** Transactions older than a minute. */
  readonly transactions: readonly Activity[];
}

const MAX_TABLES = 1000;

/** Asks the database what of a tool it has, in a session of its own. */
export async function appliedBy(
  { tool, found, migrations, connection }: MysqlTarget,
  host: StateHost,
): Promise<readonly Applied[]> {
  return inSession(connection, host, async (session) =>
    tool.up === undefined ? appliedScripts(session) : tool.applied(await toolDatabase(session), found, migrations),
  );
}

/** Reads what is pending and what it would meet; changes nothing. */
export async function stateOf(target: MysqlTarget, host: StateHost): Promise<MysqlState> {
  const applied = await appliedBy(target, host);
  const done = new Set(applied.filter(({ state }) => state === 'applied').map(({ id }) => id));
  const pending = target.migrations.filter(({ id }) => !done.has(id));
  return inSession(target.connection, host, async (session) => ({
    server: { flavour: session.flavour, version: session.version },
    applied,
    pending,
    begun: (await hasTable(session, HISTORY_TABLE)) ? [...(await begunMigrations(session)).values()] : [],
    sizes: await sizesOf(session),
    definitions: await definitionsFor(session, pending),
    sessions: await connectedSessions(session),
    transactions: await longTransactions(session, 60).catch(() => []),
  }));
}

async function inSession<T>(
  connection: ConnectionSource,
  host: StateHost,
  work: (session: MysqlSession) => Promise<T>,
): Promise<T> {
  const session = await connectMysql(await connection(), { signal: host.signal, clock: host.clock });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

async function sizesOf(database: MysqlDatabase): Promise<readonly MysqlTableSize[]> {
  const rows = await database.query(
    `SELECT TABLE_NAME AS name, COALESCE(TABLE_ROWS, 0) AS row_count, COALESCE(DATA_LENGTH + INDEX_LENGTH, 0) AS bytes
     FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' ORDER BY 3 DESC LIMIT ${MAX_TABLES}`,
  );
  return rows.map((row) => ({
    table: String(row['name']),
    rows: Number(row['row_count']),
    bytes: Number(row['bytes']),
  }));
}

async function definitionsFor(
  database: MysqlDatabase,
  pending: readonly Migration[],
): Promise<readonly { readonly sql: string }[]> {
  const readings = pending.flatMap(({ up }) =>
    up === undefined ? [] : splitMysql(up.sql).statements.map(({ sql }) => readStatement(sql.slice(0, 10_000))),
  );
  const names = new Set(
    readings.flatMap((reading) =>
      reading.kind === 'alter table' || reading.kind === 'update' || reading.kind === 'delete' ? [reading.table] : [],
    ),
  );
  const definitions: { sql: string }[] = [];
  for (const name of [...names].slice(0, MAX_TABLES)) {
    const rows = await database.query(`SHOW CREATE TABLE \`${name.replaceAll('`', '``')}\``).catch(() => []);
    const sql = rows[0]?.['Create Table'];
    if (typeof sql === 'string') definitions.push({ sql: `${sql};` });
  }
  return definitions;
}
