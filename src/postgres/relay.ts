import { randomBytes, timingSafeEqual } from 'node:crypto';
import { type AddressInfo, type Socket, createServer } from 'node:net';
import { messageOf } from '../action/errors.ts';
import type { Address } from './address.ts';
import { SqlError } from './database.ts';
import type { RelayHooks } from './relay-hooks.ts';
import { RelaySession } from './relay-session.ts';
import type { Upstream } from './sign-in.ts';
import { Frames, type Message, Reader, START, fatal, message } from './wire.ts';

/** How the relay reaches the server that it stands before. */
export interface UpstreamSource {
  /** Of the server; what its clients are told too. */
  readonly user: string;
  readonly database: string;
  /** @param parameters of the client's startup message, with the database that it wants */
  open(parameters: Readonly<Record<string, string>>): Promise<Upstream>;
  cancel(key: Upstream['key']): Promise<void>;
}

/** A relay that listens. */
export interface Relay {
  /** What a client has to be told; the password is good for this relay only. */
  readonly address: Address;
  /** Ends all sessions and stops to listen. */
  close(): Promise<void>;
}

/** A migration tool has a handful; a bound keeps a runaway one from taking all of the server's. */
const MAX_SESSIONS = 50;
/** A client that is let in says so at once: it is on this machine. */
const SIGN_IN_MS = 30_000;

/**
 * Stands between a program of the repository and a database: the program gets a random password for a port on loopback
 * and never sees the server's own; every statement passes here, where it is timed, watched and, if asked for, held.
 * @param signIn milliseconds that a client may take until it has given its password
 */
export async function openRelay(source: UpstreamSource, hooks: RelayHooks, signIn = SIGN_IN_MS): Promise<Relay> {
  const password = randomBytes(24).toString('base64url');
  const sessions = new Set<RelaySession>();
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    sockets.add(client);
    client.setNoDelay(true);
    client.on('close', () => sockets.delete(client)).on('error', () => client.destroy());
    if (sockets.size > MAX_SESSIONS) return void client.end(fatal('53300', 'the relay has too many sessions'));
    const late = setTimeout(() => {
      client.end(fatal('57014', `no sign-in for ${signIn / 1000} s`), () => client.destroy());
    }, signIn);
    client.once('close', () => clearTimeout(late));
    const admitted = (): void => clearTimeout(late);
    greet(client, { source, hooks, password, sessions, admitted }).catch((error: unknown) => {
      if (!client.destroyed) client.end(refusal(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const { user, database } = source;
  return {
    address: { host: '127.0.0.1', port, user, password, database },
    async close() {
      await Promise.all([...sessions].map(async (session) => session.end()));
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Door {
  readonly source: UpstreamSource;
  readonly hooks: RelayHooks;
  readonly password: string;
  readonly sessions: Set<RelaySession>;
  /** The client gave the right password. */
  readonly admitted: () => void;
}

/** Lets a client in, up to where it may send its first statement. */
async function greet(client: Socket, { source, hooks, password, sessions, admitted }: Door): Promise<void> {
  const frames = new Frames(true);
  const incoming = oneByOne(client, frames);
  const parameters = await askedFor(client, frames, incoming);
  if ('cancel' in parameters) {
    const known = [...sessions].some(
      ({ key }) => key.pid === parameters.cancel.pid && key.secret === parameters.cancel.secret,
    );
    if (known) await source.cancel(parameters.cancel);
    return void client.end();
  }
  client.write(message('R', 3));
  const given = await incoming();
  if (given?.type !== 'p' || !same(new Reader(given.body).text(), password)) {
    return void client.end(fatal('28P01', `password authentication failed for user "${source.user}"`));
  }
  admitted();
  const { user: _, ...wanted } = parameters.startup;
  const upstream = await source.open(wanted);
  const session = new RelaySession({
    client,
    frames,
    upstream,
    hooks,
    cancel: async () => source.cancel(upstream.key),
  });
  sessions.add(session);
  client.once('close', () => sessions.delete(session));
  await session.begin();
}

type Asked = { readonly cancel: Upstream['key'] } | { readonly startup: Readonly<Record<string, string>> };

async function askedFor(client: Socket, frames: Frames, incoming: () => Promise<Message | undefined>): Promise<Asked> {
  for (;;) {
    const first = await incoming();
    if (first === undefined) throw new Error('the client left');
    const { body } = first;
    const code = body.length >= 4 ? body.readInt32BE(0) : 0;
    if (code === START.cancel && body.length >= 12) {
      return { cancel: { pid: body.readInt32BE(4), secret: body.readInt32BE(8) } };
    }
    if (code === START.tls || code === START.gss) {
      frames.expectStart();
      client.write('N');
      continue;
    }
    if (code >>> 16 !== START.protocol) throw new SqlError('the relay speaks protocol 3 alone', '0A000');
    const reader = new Reader(body.subarray(4));
    const startup: Record<string, string> = {};
    for (let name = reader.text(); name !== ''; name = reader.text()) startup[name] = reader.text();
    return { startup };
  }
}

/** Messages of a client as they come; undefined once it left. The reader goes when the session takes over. */
function oneByOne(client: Socket, frames: Frames): () => Promise<Message | undefined> {
  return async () =>
    new Promise((resolve, reject) => {
      const look = (chunk?: Buffer): void => {
        if (chunk !== undefined) frames.push(chunk);
        try {
          const found = frames.next();
          if (found === undefined) return;
          stop();
          resolve(found);
        } catch (error) {
          stop();
          reject(error);
        }
      };
      const gone = (): void => {
        stop();
        resolve(undefined);
      };
      const stop = (): void => void client.pause().off('data', look).off('close', gone);
      client.on('data', look).once('close', gone);
      look();
      if (!client.destroyed) client.resume();
    });
}

function same(given: string, password: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(password)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function refusal(error: unknown): Buffer {
  return error instanceof SqlError ? fatal(error.code, error.message) : fatal('08006', messageOf(error));
}
