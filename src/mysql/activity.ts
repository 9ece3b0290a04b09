import { stripControls } from '../action/log.ts';
import type { Activity } from '../postgres/activity.ts';
import type { Row } from '../postgres/database.ts';
import type { MysqlDatabase } from './connect.ts';

const MAX_QUERY = 300;
const MAX_ROWS = 50;

const COLUMNS = `p.ID AS id, p.USER AS user, p.HOST AS host, p.COMMAND AS command, COALESCE(p.STATE, '') AS state,
  LEFT(COALESCE(p.INFO, ''), 2000) AS query, p.TIME AS seconds,
  (SELECT MAX(TIMESTAMPDIFF(SECOND, x.trx_started, NOW())) FROM information_schema.INNODB_TRX x WHERE x.trx_mysql_thread_id = p.ID) AS transaction_seconds`;

/** Sessions by their ids; those of other users are seen with the right PROCESS alone. */
export async function sessionsOf(database: MysqlDatabase, ids: readonly number[]): Promise<readonly Activity[]> {
  if (ids.length === 0) return [];
  const list = ids.map((id) => Math.trunc(id)).join(', ');
  const from = `FROM information_schema.PROCESSLIST p WHERE p.ID IN (${list}) LIMIT ${MAX_ROWS}`;
  return withoutTransactions(database, `SELECT ${COLUMNS} ${from}`);
}

/** Clients in a transaction for longer than `seconds`, `others` aside, oldest first. */
export async function longTransactions(
  database: MysqlDatabase,
  seconds: number,
  others: readonly number[] = [],
): Promise<readonly Activity[]> {
  // Transactions are listed in the time of the machine, whatever the session's is.
  await database.query("SET SESSION time_zone = 'SYSTEM'");
  const rows = await database.query(
    `SELECT ${COLUMNS} FROM information_schema.INNODB_TRX t JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id
     WHERE p.ID <> CONNECTION_ID() AND t.trx_started < NOW() - INTERVAL ${Math.trunc(seconds)} SECOND
     ORDER BY t.trx_started LIMIT ${MAX_ROWS}`,
  );
  return rows.map(activityOf).filter(({ pid }) => !others.includes(pid));
}

/** Who keeps a session waiting. */
export interface Blockers {
  readonly sessions: readonly Activity[];
  /** Whether the server itself named them; else they are those that may, as its list of metadata locks is off. */
  readonly isSure: boolean;
}

/** Who keeps a session waiting, by its locks on rows and on the definitions of tables. */
export async function blockersOf(database: MysqlDatabase, id: number): Promise<Blockers> {
  const waiting = Math.trunc(id);
  const [own] = await sessionsOf(database, [waiting]);
  // `Waiting for table metadata lock` (MySQL manual, "General Thread States"); a lock on rows shows in no state.
  const onDefinition = /metadata lock|Waiting for .* lock/i.test(own?.state ?? '');
  const ids = [...(onDefinition ? await definitionHolders(database, waiting) : await rowHolders(database, waiting))];
  if (ids.length > 0) return { sessions: await sessionsOf(database, ids), isSure: true };
  if (!onDefinition) return { sessions: [], isSure: true };
  const open = await longTransactions(database, 0, [waiting]).catch(() => []);
  return { sessions: open.map((one) => ({ ...one, state: `perhaps: ${one.state}` })), isSure: false };
}

/** By performance_schema, which MariaDB has switched off unless told. */
async function definitionHolders(database: MysqlDatabase, id: number): Promise<readonly number[]> {
  const rows = await database
    .query(
      `SELECT DISTINCT ht.PROCESSLIST_ID AS id FROM performance_schema.metadata_locks w
       JOIN performance_schema.threads wt ON wt.THREAD_ID = w.OWNER_THREAD_ID AND wt.PROCESSLIST_ID = ${id}
       JOIN performance_schema.metadata_locks h ON h.OBJECT_TYPE = w.OBJECT_TYPE AND h.OBJECT_SCHEMA <=> w.OBJECT_SCHEMA
         AND h.OBJECT_NAME <=> w.OBJECT_NAME AND h.LOCK_STATUS = 'GRANTED' AND h.OWNER_THREAD_ID <> w.OWNER_THREAD_ID
       JOIN performance_schema.threads ht ON ht.THREAD_ID = h.OWNER_THREAD_ID
       WHERE w.LOCK_STATUS = 'PENDING' AND ht.PROCESSLIST_ID IS NOT NULL LIMIT ${MAX_ROWS}`,
    )
    .catch(() => []);
  return rows.map((row) => Number(row['id']));
}

async function rowHolders(database: MysqlDatabase, id: number): Promise<readonly number[]> {
  const sql =
    database.flavour === 'MariaDB'
      ? `SELECT DISTINCT b.trx_mysql_thread_id AS id FROM information_schema.INNODB_LOCK_WAITS w
         JOIN information_schema.INNODB_TRX r ON r.trx_id = w.requesting_trx_id
         JOIN information_schema.INNODB_TRX b ON b.trx_id = w.blocking_trx_id WHERE r.trx_mysql_thread_id = ${id}`
      : `SELECT DISTINCT blocking_pid AS id FROM sys.innodb_lock_waits WHERE waiting_pid = ${id}`;
  const rows = await database.query(sql).catch(() => []);
  return rows.map((row) => Number(row['id']));
}

/** How many sessions wait for a lock on a definition besides these, and the longest, in seconds. */
export async function queueBehind(
  database: MysqlDatabase,
  ids: readonly number[],
): Promise<{ readonly sessions: number; readonly seconds: number }> {
  const list = [0, ...ids.map((id) => Math.trunc(id))].join(', ');
  const [row] = await database.query(
    `SELECT COUNT(*) AS sessions, COALESCE(MAX(TIME), 0) AS seconds FROM information_schema.PROCESSLIST
     WHERE STATE LIKE 'Waiting for%metadata lock' AND DB = DATABASE() AND ID NOT IN (${list})`,
  );
  return { sessions: Number(row?.['sessions'] ?? 0), seconds: Number(row?.['seconds'] ?? 0) };
}

/** Clients of this database by user, this session aside. */
export async function connectedSessions(
  database: MysqlDatabase,
): Promise<readonly { readonly user: string; readonly application: string; readonly sessions: number }[]> {
  const rows = await database.query(
    `SELECT USER AS user, COUNT(*) AS sessions FROM information_schema.PROCESSLIST
     WHERE DB = DATABASE() AND ID <> CONNECTION_ID() GROUP BY USER ORDER BY 2 DESC, 1 LIMIT ${MAX_ROWS}`,
  );
  return rows.map((row) => ({ user: word(row, 'user'), application: '', sessions: Number(row['sessions']) }));
}

/** A statement fit to be shown to all who may read the run: on one line, cut, without the texts in it. */
export function discreet(sql: string): string {
  const line = stripControls(sql)
    .replaceAll(/'(?:[^'\\]|\\.|'')*(?:'|$)|"(?:[^"\\]|\\.|"")*(?:"|$)/gs, "'…'")
    .replaceAll(/\s+/g, ' ')
    .trim();
  return line.length > MAX_QUERY ? `${line.slice(0, MAX_QUERY - 1)}…` : line;
}

/** The list of transactions asks for the right PROCESS; without it the sessions are shown alone. */
async function withoutTransactions(database: MysqlDatabase, sql: string): Promise<readonly Activity[]> {
  try {
    return (await database.query(sql)).map(activityOf);
  } catch {
    const plain = sql.replace(/\(SELECT MAX[^]*?\) AS transaction_seconds/, 'NULL AS transaction_seconds');
    return (await database.query(plain)).map(activityOf);
  }
}

function word(row: Row, name: string): string {
  return stripControls(String(row[name] ?? '')).slice(0, 100);
}

function activityOf(row: Row): Activity {
  const transaction = row['transaction_seconds'];
  const isIdle = word(row, 'command') === 'Sleep';
  const isOpen = transaction !== null && transaction !== undefined;
  const state = isIdle ? (isOpen ? 'idle in transaction' : 'idle') : word(row, 'state') || word(row, 'command');
  return {
    pid: Number(row['id'] ?? 0),
    user: word(row, 'user'),
    application: '',
    client: word(row, 'host') || 'local',
    state,
    query: discreet(String(row['query'] ?? '')),
    ...(!isIdle && { querySeconds: Number(row['seconds'] ?? 0) }),
    ...(isOpen && { transactionSeconds: Number(transaction) }),
    isClient: !/^(?:Daemon|Binlog Dump.*|Slave.*|Connect)$/.test(word(row, 'command')),
    waitsFor: [],
  };
}
