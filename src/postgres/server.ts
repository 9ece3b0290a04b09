import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { type Binaries, findBinaries } from './binaries.ts';
import type { Connection } from './database.ts';
import { type ServerGuard, guardServer } from './server-guard.ts';
import type { ShadowServer } from './shadow-server.ts';

/** What a throwaway server is started with. */
export interface ServerOptions {
  /** The major version that is preferred; the newest where it is not installed. */
  readonly major?: number;
  /** Settings of postgresql.conf besides those of {@link SETTINGS}, such as `max_connections`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The folder that its files go to, for all to read; the system's for temporary files where absent. */
  readonly temp?: string;
}

type ServerHost = Pick<Host, 'env' | 'signal' | 'mask'>;

interface Own {
  /** Of the user that the server runs as; absent where it is the one of this process. */
  readonly uid?: number;
  readonly gid?: number;
}

const USER = 'postgres';
const PORT_TRIES = 5;
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 10;
const STOP_TIMEOUT_MS = 10_000;

/** Nothing of a throwaway server has to survive a crash; all else is as production has it. */
const SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'logical',
  max_wal_size: '4GB',
  shared_buffers: '32MB',
  listen_addresses: '127.0.0.1',
  password_encryption: 'scram-sha-256',
  lc_messages: 'C',
  timezone: 'UTC',
  autovacuum: 'off',
  jit: 'off',
} as const;

/**
 * Starts a server of its own from installed binaries: in a folder that only its user may read, on a free port of
 * 127.0.0.1 and with a password nobody knows. It takes about half a second, and goes with this process even when that
 * is killed.
 * @throws UserError where no server is installed or it does not start, with what it said
 */
export async function startServer(options: ServerOptions, host: ServerHost): Promise<ShadowServer> {
  const binaries = await findBinaries(host.env, options.major);
  if (binaries === undefined) {
    throw new UserError('no PostgreSQL server is installed on this machine', {
      remedy: 'Install the package postgresql, or name a server of your own.',
    });
  }
  host.signal.throwIfAborted();
  const folder = await mkdtemp(path.join(options.temp ?? tmpdir(), 'migrate-db-'));
  const guard = guardServer(folder);
  try {
    const password = randomBytes(18).toString('base64url');
    host.mask(password);
    const own = await unprivileged();
    await initialize(binaries, folder, password, own);
    const { child, port } = await startOnFreePort(binaries, folder, options, own, host.signal);
    if (child.pid !== undefined) guard.watch(child.pid);
    const connection = { host: '127.0.0.1', port, user: USER, password, database: 'postgres', tls: 'off' } as const;
    return shadow(
      binaries,
      connection,
      once(() => stop(child, folder, guard)),
    );
  } catch (error) {
    await remove(folder, guard);
    throw error;
  }
}

/** PostgreSQL refuses to run as root: then it runs as `nobody`, who owns nothing else. */
async function unprivileged(): Promise<Own> {
  if (process.getuid?.() !== 0) return {};
  const users = await readFile('/etc/passwd', 'utf8');
  const [, uid, gid] = /^nobody:[^:]*:(\d+):(\d+):/m.exec(users) ?? [];
  if (uid === undefined || gid === undefined) {
    throw new UserError('PostgreSQL does not run as root, and this machine has no user nobody', {
      remedy: 'Run the job as another user than root, or name a server of your own.',
    });
  }
  return { uid: Number(uid), gid: Number(gid) };
}

async function initialize(binaries: Binaries, folder: string, password: string, own: Own): Promise<void> {
  const secret = path.join(folder, 'password');
  await writeFile(secret, password, { mode: 0o600 });
  if (own.uid !== undefined && own.gid !== undefined) {
    for (const one of [folder, secret]) await chown(one, own.uid, own.gid);
  }
  const args = ['--encoding=UTF8', '--locale=C', '--auth=scram-sha-256', `--username=${USER}`, `--pwfile=${secret}`];
  const child = spawn(
    path.join(binaries.folder, 'initdb'),
    [...args, '--no-sync', '--no-instructions', '-D', path.join(folder, 'data')],
    { ...common(folder, own), stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const said = lastLines(child);
  const code = await new Promise((resolve, reject) => void child.once('error', reject).once('close', resolve));
  await rm(secret, { force: true });
  if (code !== 0) throw notStarted('initdb', said);
}

async function startOnFreePort(
  binaries: Binaries,
  folder: string,
  options: ServerOptions,
  own: Own,
  signal: AbortSignal,
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const settings = Object.entries({ ...SETTINGS, unix_socket_directories: folder, ...options.settings });
  const args = ['-D', path.join(folder, 'data'), ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  for (let tries = 1; ; tries += 1) {
    const port = await freePort();
    signal.throwIfAborted();
    const child = spawn(path.join(binaries.folder, 'postgres'), [...args, '-p', String(port)], {
      ...common(folder, own),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const said = lastLines(child);
    if (await isReady(child, folder, signal)) return { child, port };
    signal.throwIfAborted();
    // Another process may take the port between the look and the start.
    if (tries >= PORT_TRIES || !said.some((line) => line.includes('could not bind')))
      throw notStarted('postgres', said);
  }
}

/** A process group of its own, so that a signal to this process's group leaves it to be ended in order. */
function common(folder: string, own: Own): SpawnOptions {
  return { ...own, cwd: folder, detached: true, env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' } };
}

/** The last lines that a program writes to stderr, as they come. */
function lastLines(child: ChildProcess): readonly string[] {
  const lines: string[] = [];
  if (child.stderr === null) return lines;
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line);
    if (lines.length > 20) lines.shift();
  });
  return lines;
}

/** Waits until the server takes sessions; false where it ended before. */
async function isReady(child: ChildProcess, folder: string, signal: AbortSignal): Promise<boolean> {
  let failed: Error | undefined;
  child.once('error', (error) => void (failed = error));
  const ended = new Promise<boolean>((resolve) => void child.once('close', () => resolve(false)));
  const until = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    if (failed !== undefined) throw failed;
    if (child.exitCode !== null || child.signalCode !== null) return ended;
    // Wherever its log goes, the last line of this file is its state (`PM_STATUS_READY` in pidfile.h).
    const state = await readFile(path.join(folder, 'data', 'postmaster.pid'), 'utf8').catch(() => '');
    if (state.trimEnd().endsWith('ready')) return true;
    if (signal.aborted || Date.now() > until) child.kill('SIGQUIT');
    await Promise.race([ended, sleep(POLL_MS)]);
  }
}

function shadow(binaries: Binaries, connection: Connection, stop: () => Promise<void>): ShadowServer {
  return {
    kind: 'binaries',
    version: binaries.version,
    async createDatabase() {
      const database = `shadow_${randomBytes(6).toString('hex')}`;
      const { Client } = await import('pg');
      const client = new Client({ ...connection, ssl: false });
      await client.connect();
      try {
        await client.query(`CREATE DATABASE ${database} TEMPLATE template0`);
      } finally {
        await client.end();
      }
      return { ...connection, database };
    },
    stop,
  };
}

/** Ends it at once: nothing of it is kept. */
async function stop(child: ChildProcess, folder: string, guard: ServerGuard): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => void child.once('exit', resolve));
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    child.kill('SIGQUIT');
    await ended;
    clearTimeout(timer);
  }
  await remove(folder, guard);
}

async function remove(folder: string, guard: ServerGuard): Promise<void> {
  // Its last helpers may still write while the first of them has gone.
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  guard.release();
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return async () => (done ??= work());
}

function notStarted(program: string, said: readonly string[]): UserError {
  return new UserError(`PostgreSQL's ${program} failed:\n${said.join('\n')}`, {
    remedy: 'See what it says; a server of your own can be named instead.',
  });
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const bound = server.address();
      const port = bound !== null && typeof bound === 'object' ? bound.port : 0;
      server.close(() => resolve(port));
    });
  });
}
