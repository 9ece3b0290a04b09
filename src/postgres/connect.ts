import { Socket } from 'node:net';
import type { Client, ClientConfig, DatabaseError, QueryConfig } from 'pg';
import { UserError, messageOf } from '../action/errors.ts';
import type { Clock } from '../action/host.ts';
import { connectFault, isPassing } from './connect-fault.ts';
import { type Connection, type Database, type Row, SqlError } from './database.ts';
import { trustedWith } from './sign-in.ts';
import { parserOf } from './values.ts';

/** A session whose end is heard of at once. */
export interface Session extends Database {
  /** Process id that the server gave when it let the session in; a pooler invents one. */
  readonly pid: number;
  /** Aborts when the connection breaks, with the {@link SqlError} that tells why; not by `close`. */
  readonly lost: AbortSignal;
}

/** Milliseconds. */
export interface Timeouts {
  /** For one try to get in. */
  readonly connect: number;
  /** How long a server that starts, restarts or is full is tried again. */
  readonly retry: number;
  /** For one statement's answer, as this side counts; without it an answer is awaited as long as the connection lives. */
  readonly query?: number;
}

export interface ConnectOptions {
  /** Ends the session when it aborts: nothing of it is awaited any more. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly timeouts?: Timeouts;
  /** How others see it in pg_stat_activity. */
  readonly applicationName?: string;
}

export const TIMEOUTS: Timeouts = { connect: 10_000, retry: 30_000 };
const KEEP_ALIVE_MS = 10_000;
const PAUSE_MS = 500;
const CLOSE_MS = 2000;

/**
 * Opens a session; a server that is about to be there, or has no connection free, is tried again for a while.
 * @throws UserError with what keeps it from getting in, and what to do
 */
export async function connect(connection: Connection, options: ConnectOptions): Promise<Session> {
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
      if (!isPassing(error) || clock.now() + pause > until) throw connectFault(connection, error);
      await clock.sleep(pause, signal);
    }
  }
}

async function once(connection: Connection, options: ConnectOptions, timeouts: Timeouts): Promise<Session> {
  const { Client } = await import('pg');
  const socket = new Socket();
  const client = new Client(settings(connection, options, socket));
  const lost = new AbortController();
  client.on('error', (error) => lost.abort(sqlError(error)));
  const stop = (): void => void socket.destroy();
  options.signal.addEventListener('abort', stop, { once: true });
  socket.once('close', () => options.signal.removeEventListener('abort', stop));
  // A pooler lets in whoever comes, and may have no place for the first question.
  const timer = setTimeout(() => socket.destroy(new Error('timeout expired')), timeouts.connect);
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version_num: string }>('SHOW server_version_num');
    const version = Number(rows[0]?.server_version_num);
    return session(client, socket, { version, lost: lost.signal, limit: timeouts.query });
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function session(
  client: Client,
  socket: Socket,
  {
    version,
    lost,
    limit,
  }: { readonly version: number; readonly lost: AbortSignal; readonly limit: number | undefined },
): Session {
  // One statement after the other: several may be asked for at once, such as by a heartbeat.
  let last: Promise<unknown> = Promise.resolve();
  async function bounded<T>(work: Promise<T>): Promise<T> {
    if (limit === undefined) return work;
    const late = new Error(`no answer for ${limit / 1000} s`);
    const timer = setTimeout(() => socket.destroy(late), limit);
    return work.finally(() => clearTimeout(timer));
  }
  return {
    version,
    pid: (client as unknown as { readonly processID: number }).processID,
    lost,
    async query<T extends Row>(sql: string, parameters: Parameters<Database['query']>[1] = []): Promise<readonly T[]> {
      // Extended: the server then takes exactly one statement, and values never mix with its text.
      const question = { text: sql, values: [...parameters], queryMode: 'extended' } as QueryConfig;
      const answer = last.then(async () => bounded(client.query<T>(question)));
      last = answer.catch(() => undefined);
      try {
        return (await answer).rows;
      } catch (error) {
        throw lost.aborted ? (lost.reason as SqlError) : sqlError(error);
      }
    },
    async close() {
      // A server that fell silent never answers the farewell.
      const timer = setTimeout(() => socket.destroy(), CLOSE_MS);
      await client.end().catch(() => undefined);
      clearTimeout(timer);
    },
  };
}

function settings(connection: Connection, options: ConnectOptions, socket: Socket): ClientConfig {
  const { host, port, user, database, tls, ca } = connection;
  return {
    host,
    port,
    user,
    database,
    // As a function it neither shows up where the client is printed, nor is an empty one taken from the environment.
    password: () => connection.password,
    // The host, as Node would else check the certificate of an address for the name localhost.
    ssl: tls === 'off' ? false : { host, ca: [...trustedWith(ca)] },
    stream: () => socket,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    application_name: options.applicationName ?? 'delivery-actions',
    types: { getTypeParser: (type: number) => parserOf(type) },
  };
}

/** The server's refusal; 08006 where the connection broke instead of an answer. */
export function sqlError(error: unknown): SqlError {
  if (error instanceof SqlError) return error;
  const { code, detail, hint, position } = (error ?? {}) as Partial<DatabaseError>;
  const isServers = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code);
  return new SqlError(messageOf(error), isServers ? code : '08006', {
    ...(detail !== undefined && { detail }),
    ...(hint !== undefined && { hint }),
    ...(position !== undefined && { position: Number(position) }),
    cause: error,
  });
}
