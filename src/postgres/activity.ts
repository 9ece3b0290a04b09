import { stripControls } from '../action/log.ts';
import type { Database, Row } from './database.ts';

/** A session of the server that stands in somebody's way, or might. */
export interface Activity {
  /** 0 for a prepared transaction, which no session holds. */
  readonly pid: number;
  readonly user: string;
  readonly application: string;
  /** Its address, `local` for a Unix socket. */
  readonly client: string;
  /** Such as `active` or `idle in transaction`. */
  readonly state: string;
  /** Its last statement on one line, cut, with the texts in it left out: they may be anybody's data. */
  readonly query: string;
  /** Since its last statement began; undefined where the role may not see it. */
  readonly querySeconds?: number;
  /** Since its transaction began; undefined outside of one. */
  readonly transactionSeconds?: number;
  /** Whether it is a client's: the server's own workers are never ended here. */
  readonly isClient: boolean;
  /** Whom it waits for itself; empty for the one at the head of the queue. */
  readonly waitsFor: readonly number[];
}

const MAX_QUERY = 300;
const MAX_ROWS = 50;

const COLUMNS = `
  a.pid, coalesce(a.usename, '') AS "user", coalesce(a.application_name, '') AS application,
  coalesce(host(a.client_addr), 'local') AS client, coalesce(a.state, '') AS state,
  left(coalesce(a.query, ''), 2000) AS query,
  extract(epoch FROM clock_timestamp() - a.query_start)::float8 AS query_seconds,
  extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS transaction_seconds,
  coalesce(a.backend_type = 'client backend', true) AS is_client`;

/** Who keeps these sessions waiting, and whom those wait for in turn, heads of the queue first (`pg_blocking_pids`). */
export async function blockersOf(database: Database, pids: readonly number[]): Promise<readonly Activity[]> {
  const waiting = `ARRAY[${pids.map((pid) => Math.trunc(pid)).join(',')}]::int[]`;
  const rows = await database.query(
    `WITH RECURSIVE tree(pid) AS (
       SELECT b FROM unnest(${waiting}) w, unnest(pg_blocking_pids(w)) b
       UNION SELECT b FROM tree t, unnest(pg_blocking_pids(t.pid)) b
     )
     SELECT t.pid AS blocker, pg_blocking_pids(t.pid) AS waits_for, ${COLUMNS}
     FROM (SELECT DISTINCT pid FROM tree) t LEFT JOIN pg_stat_activity a ON a.pid = t.pid
     WHERE t.pid <> ALL (${waiting})
     ORDER BY cardinality(pg_blocking_pids(t.pid)), a.xact_start LIMIT ${MAX_ROWS}`,
  );
  return rows.map((row) => ({ ...activityOf(row), pid: Number(row['blocker']) }));
}

/** Clients in a transaction for longer than `seconds`, this session and `others` aside, oldest first. */
export async function longTransactions(
  database: Database,
  seconds: number,
  others: readonly number[] = [],
): Promise<readonly Activity[]> {
  const rows = await database.query(
    `SELECT pg_blocking_pids(a.pid) AS waits_for, ${COLUMNS} FROM pg_stat_activity a
     WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
       AND a.xact_start < clock_timestamp() - make_interval(secs => $1::float8)
     ORDER BY a.xact_start LIMIT ${MAX_ROWS}`,
    [seconds],
  );
  return rows.map(activityOf).filter(({ pid }) => !others.includes(pid));
}

/** Clients of this database by user and application, this session aside. */
export async function connectedSessions(
  database: Database,
): Promise<readonly { readonly user: string; readonly application: string; readonly sessions: number }[]> {
  return database.query(
    `SELECT coalesce(usename, '') AS "user", coalesce(application_name, '') AS application, count(*) AS sessions
     FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
     GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT ${MAX_ROWS}`,
  );
}

/** How many sessions wait behind these, and the longest of them, in seconds (from PostgreSQL 14; before, 0). */
export async function queueBehind(
  database: Database,
  pids: readonly number[],
): Promise<{ readonly sessions: number; readonly seconds: number }> {
  const [row] = await database.query(
    `SELECT count(DISTINCT l.pid) AS sessions,
       coalesce(max(extract(epoch FROM clock_timestamp() - ${database.version >= 140_000 ? 'l.waitstart' : 'NULL::timestamptz'})), 0)::float8 AS seconds
     FROM pg_locks l
     WHERE NOT l.granted AND pg_blocking_pids(l.pid) && ARRAY[${pids.map((pid) => Math.trunc(pid)).join(',')}]::int[]`,
  );
  return { sessions: Number(row?.['sessions'] ?? 0), seconds: Number(row?.['seconds'] ?? 0) };
}

/**
 * Ends the sessions whose transaction is older than `seconds`; never the server's own workers.
 * @returns those that were ended
 */
export async function terminate(
  database: Database,
  blockers: readonly Activity[],
  seconds: number,
): Promise<readonly Activity[]> {
  const ended: Activity[] = [];
  for (const blocker of blockers) {
    const age = blocker.transactionSeconds ?? 0;
    if (!blocker.isClient || blocker.pid === 0 || age <= seconds) continue;
    // Asked again by the server: the process id may have gone to another session meanwhile.
    const [row] = await database.query(
      `SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity
       WHERE pid = $1 AND backend_type = 'client backend' AND xact_start < clock_timestamp() - make_interval(secs => $2::float8)`,
      [blocker.pid, seconds],
    );
    if (row?.['ended'] === true) ended.push(blocker);
  }
  return ended;
}

/** `pid 4711 (user shop, application api, from 10.0.3.7): idle in transaction for 14 min: UPDATE shipments …`. */
export function describeActivity(activity: Activity): string {
  const { pid, user, application, client, state, query, transactionSeconds, querySeconds } = activity;
  if (pid === 0) return 'a prepared transaction (see pg_prepared_xacts; ROLLBACK PREPARED ends it)';
  const who = [user && `user ${user}`, application && `application ${application}`, client && `from ${client}`];
  const age = transactionSeconds ?? querySeconds;
  const since = age === undefined ? '' : ` for ${spoken(age)}`;
  const doing = activity.isClient
    ? `${state || 'in a state this role may not see'}${since}`
    : `the server's own work${since}`;
  return `pid ${pid} (${who.filter(Boolean).join(', ')}): ${doing}${query === '' ? '' : `: ${query}`}`;
}

/** Seconds in words: `0.4 s`, `12 s`, `6 min`, `3 h`. */
export function spoken(seconds: number): string {
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** A statement fit to be shown to all who may read the run: on one line, cut, without the texts in it. */
export function discreet(sql: string): string {
  const line = stripControls(sql)
    .replaceAll(/\$(\w*)\$[^]*?(\$\1\$|$)/g, "'…'")
    // A backslash may escape the quote after it or not: rather too much is left out than too little.
    .replaceAll(/'(?:[^'\\]|\\[^]|'')*('|$)/g, "'…'")
    .replaceAll(/\s+/g, ' ')
    .trim();
  return line.length > MAX_QUERY ? `${line.slice(0, MAX_QUERY - 1)}…` : line;
}

function activityOf(row: Row): Activity {
  const number = (name: string): number | undefined => {
    const value = row[name];
    return typeof value === 'number' ? value : undefined;
  };
  const word = (name: string): string => stripControls(String(row[name] ?? '')).slice(0, 100);
  const [querySeconds, transactionSeconds] = [number('query_seconds'), number('transaction_seconds')];
  return {
    pid: Number(row['pid'] ?? 0),
    user: word('user'),
    application: word('application'),
    client: word('client'),
    state: word('state'),
    query: discreet(String(row['query'] ?? '')),
    ...(querySeconds !== undefined && { querySeconds }),
    ...(transactionSeconds !== undefined && { transactionSeconds }),
    isClient: row['is_client'] !== false,
    waitsFor: Array.isArray(row['waits_for']) ? row['waits_for'].map(Number) : [],
  };
}
