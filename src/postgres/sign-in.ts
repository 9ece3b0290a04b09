import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Socket, connect as connectPlain, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, getCACertificates } from 'node:tls';
import { UserError, messageOf } from '../action/errors.ts';
import type { Connection } from './database.ts';
import { Frames, type Message, Reader, START, message, sqlError } from './wire.ts';

/** A session of a server whose client is let in and may send its first statement. */
export interface Upstream {
  readonly stream: Duplex;
  /** What the server says of itself, in its order. */
  readonly parameters: readonly (readonly [string, string])[];
  /** By which a statement of it is cancelled. */
  readonly key: { readonly pid: number; readonly secret: number };
  /** Bytes that came after the server was ready. */
  readonly rest: Buffer;
}

const CONNECT_MS = 15_000;

/**
 * Connects, checks the certificate, and signs in by SCRAM-SHA-256 (RFC 5802, RFC 7677), MD5 or a password over TLS.
 * @param parameters of the startup message, such as `application_name`
 * @throws SqlError with the server's refusal; UserError where it is not reached or not trusted
 */
export async function signIn(
  connection: Connection,
  parameters: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Upstream> {
  signal.throwIfAborted();
  const stream = await open(connection, signal);
  const frames = new Frames(false);
  const messages = reading(stream, frames);
  try {
    stream.write(
      startup({ ...parameters, user: connection.user, database: parameters['database'] ?? connection.database }),
    );
    await authenticate(stream, messages, connection);
    return await awaitReady(stream, messages);
  } catch (error) {
    messages.release();
    stream.destroy();
    throw error;
  }
}

/** Asks the server to cancel what a session runs; on a connection of its own, as the protocol wants it. */
export async function cancelStatement(connection: Connection, key: Upstream['key']): Promise<void> {
  const stream = await open(connection, AbortSignal.timeout(CONNECT_MS));
  stream.end(message('', START.cancel, key.pid, key.secret));
  await new Promise((resolve) => stream.once('close', resolve).once('error', resolve).resume());
}

async function open(connection: Connection, signal: AbortSignal): Promise<Socket> {
  const { host, port, tls } = connection;
  const where = host.startsWith('/') ? `${host}/.s.PGSQL.${port}` : `${host}:${port}`;
  const plain = host.startsWith('/') ? connectPlain(where) : connectPlain({ host, port });
  try {
    await settled(plain, 'connect', signal);
  } catch (error) {
    plain.destroy();
    signal.throwIfAborted();
    throw new UserError(`The database server ${where} is not reached: ${messageOf(error)}`, {
      remedy:
        'Check host and port, and that this runner has a way to it; where only the cluster has one, use run-in: kubernetes.',
      cause: error,
    });
  }
  plain.setNoDelay(true).setKeepAlive(true, 30_000);
  return tls === 'off' ? plain : encrypted(plain, connection, signal);
}

async function encrypted(plain: Socket, { host, port, ca }: Connection, signal: AbortSignal): Promise<Socket> {
  plain.write(message('', START.tls));
  const answer = await settled<Buffer>(plain, 'data', signal);
  // Bytes that came along unencrypted could be anybody's (CVE-2021-23222).
  if (answer.length !== 1 || answer[0] !== 'S'.charCodeAt(0)) {
    plain.destroy();
    throw new UserError(`The database server ${host}:${port} offers no TLS`, {
      remedy: 'Turn ssl on there: nothing is sent unencrypted over a network.',
    });
  }
  const secure = connectTls({
    socket: plain,
    // Without it Node would check the certificate of an address for the name localhost.
    host,
    ...(isIP(host) === 0 && { servername: host }),
    ca: [...trustedWith(ca)],
    ALPNProtocols: ['postgresql'],
  });
  try {
    await settled(secure, 'secureConnect', signal);
  } catch (error) {
    secure.destroy();
    signal.throwIfAborted();
    throw new UserError(`The certificate of the database server ${host}:${port} is not trusted: ${messageOf(error)}`, {
      remedy: "Give the certificate authority's file as ca-file; for RDS, AWS's bundle for the region.",
      cause: error,
    });
  }
  return secure;
}

/** What a server's certificate may be signed by: whom the system trusts, and who is named besides. */
export function trustedWith(ca: string | undefined): readonly string[] {
  return [...getCACertificates('default'), ...(ca === undefined ? [] : [ca])];
}

function startup(parameters: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries(parameters).flat();
  return message('', Buffer.from([0, START.protocol, 0, 0]), ...pairs, Buffer.from([0]));
}

async function authenticate(
  stream: Socket,
  messages: Messages,
  { user, password, tls, host }: Connection,
): Promise<void> {
  for (let scram: Scram | undefined; ;) {
    const { type, body } = await messages.next();
    if (type === 'E') throw sqlError(body);
    if (type !== 'R') continue;
    const [kind, rest] = [body.readInt32BE(0), body.subarray(4)];
    if (kind === 0) {
      if (scram !== undefined && !scram.proven) throw new Error('the server did not prove that it knows the password');
      return;
    }
    if (kind === 3) {
      if (tls === 'off' && !isLocal(host)) throw new Error('the server asks for the password in the clear');
      stream.write(message('p', password));
    } else if (kind === 5) stream.write(message('p', md5(user, password, rest)));
    else if (kind === 10) {
      scram = new Scram(password);
      const first = Buffer.from(scram.first);
      stream.write(message('p', 'SCRAM-SHA-256', first.length, first));
    } else if (kind === 11 && scram !== undefined)
      stream.write(message('p', Buffer.from(scram.answer(rest.toString()))));
    else if (kind === 12 && scram !== undefined) scram.prove(rest.toString());
    else
      throw new UserError(`The database server wants a way to sign in that is not known here (${kind})`, {
        remedy: 'Let the user sign in by scram-sha-256 in pg_hba.conf.',
      });
  }
}

/** One exchange of SCRAM-SHA-256 without channel binding. */
class Scram {
  readonly first: string;
  proven = false;
  private readonly password: string;
  private readonly nonce = randomBytes(18).toString('base64');
  private signature: Buffer = Buffer.alloc(0);

  constructor(password: string) {
    this.password = password;
    this.first = `n,,n=,r=${this.nonce}`;
  }

  answer(serverFirst: string): string {
    const [nonce, salt, rounds] = ['r', 's', 'i'].map((name) => attribute(serverFirst, name));
    if (nonce === undefined || salt === undefined || !nonce.startsWith(this.nonce)) {
      throw new Error('the server broke the rules of SCRAM');
    }
    const iterations = Number(rounds);
    if (!(iterations >= 1 && iterations <= 10_000_000)) throw new Error('the server asks for senseless work');
    const salted = pbkdf2Sync(this.password.normalize('NFKC'), Buffer.from(salt, 'base64'), iterations, 32, 'sha256');
    const clientKey = hmac(salted, 'Client Key');
    const storedKey = createHash('sha256').update(clientKey).digest();
    const withoutProof = `c=biws,r=${nonce}`;
    const auth = `n=,r=${this.nonce},${serverFirst},${withoutProof}`;
    const mask = hmac(storedKey, auth);
    const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (mask[i] ?? 0)));
    this.signature = hmac(hmac(salted, 'Server Key'), auth);
    return `${withoutProof},p=${proof.toString('base64')}`;
  }

  prove(serverFinal: string): void {
    const told = Buffer.from(attribute(serverFinal, 'v') ?? '', 'base64');
    this.proven = told.length === this.signature.length && timingSafeEqual(told, this.signature);
    if (!this.proven) throw new Error('the server does not know the password: it is another one');
  }
}

function attribute(text: string, name: string): string | undefined {
  return text
    .split(',')
    .find((part) => part.startsWith(`${name}=`))
    ?.slice(2);
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function md5(user: string, password: string, salt: Buffer): string {
  const hash = (...parts: readonly (string | Buffer)[]): string => {
    const made = createHash('md5');
    for (const part of parts) made.update(part);
    return made.digest('hex');
  };
  return `md5${hash(hash(password, user), salt)}`;
}

function isLocal(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host.startsWith('127.') || host === '::1';
}

async function awaitReady(stream: Socket, messages: Messages): Promise<Upstream> {
  const parameters: [string, string][] = [];
  let key = { pid: 0, secret: 0 };
  for (;;) {
    const { type, body } = await messages.next();
    if (type === 'E') throw sqlError(body);
    if (type === 'S') {
      const reader = new Reader(body);
      parameters.push([reader.text(), reader.text()]);
    }
    if (type === 'K') key = { pid: body.readInt32BE(0), secret: body.readInt32BE(4) };
    if (type === 'Z') return { stream, parameters, key, rest: messages.release() };
  }
}

interface Messages {
  next(): Promise<Message>;
  /** Ends the reading. @returns what has arrived of later messages */
  release(): Buffer;
}

/** Messages one by one, as long as there is nobody else who reads the stream. */
function reading(stream: Socket, frames: Frames): Messages {
  let wake: (() => void) | undefined;
  let ended: Error | undefined;
  const onData = (chunk: Buffer): void => {
    frames.push(chunk);
    wake?.();
  };
  const onEnd = (error?: unknown): void => {
    ended ??= error instanceof Error ? error : new Error('the server closed the connection');
    wake?.();
  };
  const timer = setTimeout(() => onEnd(new Error(`no answer for ${CONNECT_MS / 1000} s`)), CONNECT_MS);
  stream.on('data', onData).on('error', onEnd).on('close', onEnd);
  return {
    async next() {
      for (;;) {
        const found = frames.next();
        if (found !== undefined) return found;
        if (ended !== undefined) throw ended;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    release() {
      clearTimeout(timer);
      stream.pause();
      stream.off('data', onData).off('error', onEnd).off('close', onEnd);
      return frames.drain();
    },
  };
}

async function settled<T>(stream: Socket, event: string, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => done(() => reject(new Error(`no answer for ${CONNECT_MS / 1000} s`))), CONNECT_MS);
    const fail = (error: unknown): void => done(() => reject(error instanceof Error ? error : new Error('closed')));
    const abort = (): void => done(() => reject(signal.reason as Error));
    const win = (value: T): void => done(() => resolve(value));
    const done = (end: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      stream.off(event, win).off('error', fail).off('close', fail);
      end();
    };
    signal.addEventListener('abort', abort, { once: true });
    stream.once(event, win).once('error', fail).once('close', fail);
  });
}
