import { getCACertificates } from 'node:tls';
import type { Connection as Client, ConnectionOptions } from 'mysql2/promise';
import { UserError } from '../action/errors.ts';
import type { Clock } from '../action/host.ts';
import type { Timeouts } from '../postgres/connect.ts';
import { connectFault, isPassing } from '../postgres/connect-fault.ts';
import type { Connection, Row } from '../postgres/database.ts';
import { type MysqlError, mysqlError } from './error.ts';

export type Flavour = 'MySQL' | 'MariaDB';

/** A value that takes the place of a `?`. */
export type Parameter = string | number | boolean | null;

/** One session of a MySQL or MariaDB server. */
export interface MysqlDatabase {
  readonly flavour: Flavour;
  /** Such as 80036 for 8.0.36 and 101119 for 10.11.19. */
  readonly version: number;
  /**
   * Runs exactly one statement; `?` stands for a parameter, which never becomes part of its text.
   * @returns its rows; none for a statement that has none
   * @throws MysqlError with what the server said
   */
  query<T extends Row = Row>(sql: string, parameters?: readonly Parameter[]): Promise<readonly T[]>;
}

/** A session whose end is heard of at once. */
export interface MysqlSession extends MysqlDatabase {
  /** Its id, by which the server's process list names it. */
  readonly id: number;
  readonly database: string;
  /** Aborts when the connection breaks, with the {@link MysqlError} that tells why; not by `close`. */
  readonly lost: AbortSignal;
  close(): Promise<void>;
}

export interface MysqlOptions {
  /** Ends the session when it aborts: nothing of it is awaited any more. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly timeouts?: Timeouts;
  /** How others see it among its connection attributes. */
  readonly applicationName?: string;
}

const TIMEOUTS: Timeouts = { connect: 10_000, retry: 30_000 };
const PAUSE_MS = 500;
const CLOSE_MS = 2000;
/** GET_LOCK holds several locks in one session from there on; what is older is out of its support for long. */
const OLDEST = { MySQL: 50_700, MariaDB: 100_300 } as const;

/**
 * Opens a session; a server that is about to be there, or has no connection free, is tried again for a while.
 * @throws UserError with what keeps it from getting in, and what to do
 */
export async function connectMysql(connection: Connection, options: MysqlOptions): Promise<MysqlSession> {
  const { signal, clock, timeouts = TIMEOUTS } = options;
  const until = clock.now() + timeouts.retry;
  for (let tried = 1; ; tried += 1) {
    signal.throwIfAborted();
    try {
      return await once(connection, options, timeouts);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof UserError) throw error;
      const pause = PAUSE_MS * Math.min(tried, 6) * (0.5 + Math.random());
      if (!passes(error) || clock.now() + pause > until) throw fault(connection, error);
      await clock.sleep(pause, signal);
    }
  }
}

async function once(connection: Connection, options: MysqlOptions, timeouts: Timeouts): Promise<MysqlSession> {
  // By its default export: a bundle gives a module of CommonJS no other.
  const { createConnection } = (await import('mysql2/promise')).default;
  const client = await createConnection(settings(connection, options, timeouts));
  const lost = new AbortController();
  let isClosing = false;
  const lose = (error: unknown): void => {
    if (!isClosing && !lost.signal.aborted) lost.abort(mysqlError(error));
  };
  client.on('error', lose);
  client.on('end', () => lose(new Error('the server closed the connection')));
  const stop = (): void => {
    lose(options.signal.reason);
    client.destroy();
  };
  options.signal.addEventListener('abort', stop, { once: true });
  try {
    const { id, flavour, version } = await greet(client);
    const query = asking(client, lost.signal, timeouts.query);
    // The server's own collation of it, as its other clients have.
    await query('SET NAMES utf8mb4');
    return {
      flavour,
      version,
      id,
      database: connection.database,
      lost: lost.signal,
      query,
      async close() {
        isClosing = true;
        options.signal.removeEventListener('abort', stop);
        // A server that fell silent never answers the farewell.
        const timer = setTimeout(() => client.destroy(), CLOSE_MS);
        await client.end().catch(() => client.destroy());
        clearTimeout(timer);
      },
    };
  } catch (error) {
    client.destroy();
    throw error;
  }
}

async function greet(client: Client): Promise<{ id: number; flavour: Flavour; version: number }> {
  const [rows] = await client.query('SELECT VERSION() AS version, CONNECTION_ID() AS id');
  const [row] = rows as unknown as readonly { readonly version: string; readonly id: number }[];
  const { version = '', id = 0 } = row ?? {};
  const flavour = /mariadb/i.test(version) ? 'MariaDB' : 'MySQL';
  // Replicas of old clients are told 5.5.5- before the real one.
  const [, major = '0', minor = '0', patch = '0'] = /(\d+)\.(\d+)\.(\d+)/.exec(version.replace(/^5\.5\.5-/, '')) ?? [];
  const number = Number(major) * 10_000 + Number(minor) * 100 + Number(patch);
  if (number < OLDEST[flavour]) {
    throw new UserError(`The server is ${flavour} ${major}.${minor}.${patch}, which is too old to be migrated safely`, {
      remedy: 'It takes MySQL from 5.7 on and MariaDB from 10.3 on.',
    });
  }
  return { id, flavour, version: number };
}

function asking(client: Client, lost: AbortSignal, limit: number | undefined): MysqlDatabase['query'] {
  // One after the other: several may be asked for at once, such as by a heartbeat, and each has its own time.
  let last: Promise<unknown> = Promise.resolve();
  async function one(sql: string, parameters: readonly Parameter[]): Promise<unknown> {
    if (lost.aborted) throw lost.reason;
    // With parameters it is prepared, so that the server binds them; a script's own `?` stays as it is.
    const answer = parameters.length > 0 ? client.execute(sql, [...parameters]) : client.query(sql);
    if (limit === undefined) return (await answer)[0];
    const timer = setTimeout(() => client.destroy(), limit);
    return (await answer.finally(() => clearTimeout(timer)))[0];
  }
  return async <T extends Row>(sql: string, parameters: readonly Parameter[] = []) => {
    const answer = last.then(async () => unlessLost(one(sql, parameters), lost));
    last = answer.catch(() => undefined);
    try {
      return rowsOf(await answer) as readonly T[];
    } catch (error) {
      throw lost.aborted ? (lost.reason as MysqlError) : mysqlError(error);
    }
  };
}

/** The driver leaves an answer open for ever when its connection is destroyed. */
async function unlessLost<T>(work: Promise<T>, lost: AbortSignal): Promise<T> {
  let lose = (): void => {};
  const gone = new Promise<never>((_, reject) => {
    lose = () => reject(lost.reason instanceof Error ? lost.reason : new Error('lost'));
    lost.addEventListener('abort', lose, { once: true });
  });
  return Promise.race([work, gone]).finally(() => lost.removeEventListener('abort', lose));
}

/** Rows of a question; a CALL gives several sets, the first of which is meant. */
function rowsOf(answer: unknown): readonly Row[] {
  if (!Array.isArray(answer)) return [];
  const rows: readonly unknown[] = Array.isArray(answer[0]) ? (answer[0] as unknown[]) : answer;
  return rows as readonly Row[];
}

function settings(connection: Connection, options: MysqlOptions, timeouts: Timeouts): ConnectionOptions {
  const { host, port, user, password, database, tls, ca } = connection;
  const trusted = [...getCACertificates('default'), ...(ca === undefined ? [] : [ca])];
  return {
    ...(host.startsWith('/') ? { socketPath: host } : { host, port }),
    user,
    password,
    database,
    charset: 'utf8mb4',
    // mysql2 sends tokens of IAM and the like in the clear only when told; behind a verified certificate they may.
    ...(tls === 'verify' && {
      ssl: { ca: trusted, rejectUnauthorized: true, verifyIdentity: true, minVersion: 'TLSv1.2' },
      enableCleartextPlugin: true,
    }),
    // A server may otherwise ask for any file of this machine.
    flags: ['-LOCAL_FILES'],
    multipleStatements: false,
    connectTimeout: timeouts.connect,
    enableKeepAlive: true,
    supportBigNumbers: true,
    timezone: 'Z',
    connectAttributes: { program_name: options.applicationName ?? 'delivery-actions' },
  };
}

/** ER_CON_COUNT and the like, and what the network says. */
function passes(error: unknown): boolean {
  const known = mysqlError(error);
  return isPassing(known.errno === 0 ? error : known) || known.errno === 1053;
}

/** Why a session could not be opened, and what to do; the password never stands in it. */
function fault(connection: Connection, cause: unknown): UserError {
  const known = mysqlError(cause);
  const { host, port, user, database } = connection;
  const reason = REASONS.find(({ when }) => when.test(`${known.errno} ${known.message}`));
  if (reason === undefined) return connectFault(connection, cause);
  const where = host.startsWith('/') ? host : `${host}:${port}`;
  return new UserError(`The database ${database} on ${where} cannot be reached as ${user}: ${known.message}`, {
    remedy: reason.remedy,
    cause,
  });
}

const REASONS = [
  {
    when: /^(1045|1698|1044) /,
    remedy:
      'Check user and password, and that the user may come from this host (CREATE USER name@host; for IAM: REQUIRE SSL).',
  },
  { when: /^1049 /, remedy: 'Check the name of the database, or have it created.' },
  {
    when: /^(1040|1203|1226) /,
    remedy: 'Run it again when there is less load, or raise max_connections.',
  },
  { when: /does not support secure/i, remedy: 'Switch on TLS on the server: a password goes to no other unprotected.' },
  {
    when: /certificate|altnames|Hostname/i,
    remedy:
      'Name a file with the certificate of its CA in the input ca, and give the host name that the certificate has; on RDS that is the endpoint.',
  },
  {
    when: /unknown plugin/i,
    remedy: 'Give the migrating user mysql_native_password, caching_sha2_password or sha256_password.',
  },
] as const;
