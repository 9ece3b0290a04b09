import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { systemClock } from '../src/action/main.ts';
import { type MysqlSession, connectMysql } from '../src/mysql/connect.ts';
import type { Connection } from '../src/postgres/database.ts';
import { guardServer } from '../src/postgres/server-guard.ts';
import { cache } from './lab/cache.ts';
import { mayInstall } from './lab/debian.ts';
import { locked } from './lab/lock.ts';
import { bringMissing } from './lab/missing.ts';

/** A MariaDB server of the file's own. */
export interface MariadbServer {
  /** An empty database, and how to get in. */
  readonly createDatabase: () => Promise<Connection>;
  readonly pid: number;
  /** Its Unix socket. */
  readonly socket: string;
}

/** Where its programs and files lie. */
interface Programs {
  readonly daemon: string;
  /** Scripts of the system tables, and messages. */
  readonly share: string;
  /** Libraries that came with it. */
  readonly libraries: string;
}

/** Taken apart into the cache: installing the server would start one and change this machine. */
const PACKAGES = ['mariadb-server-core', 'libaio1', 'liburing2', 'libnuma1'];
const USER = 'shop';

type Settings = Readonly<Record<string, string>>;

/**
 * A real server for the tests of a file, started before the first and thrown away after the last.
 * @param settings as options of mariadbd, such as `performance_schema: 'ON'`, or what makes them in the server's folder
 */
export function mariadb(settings: Settings | ((folder: string) => Promise<Settings>) = {}): MariadbServer {
  let running: (Started & { readonly connection: Connection }) | undefined;
  const server = (): Started & { readonly connection: Connection } => {
    if (running === undefined) throw new Error('The server runs only while tests run');
    return running;
  };
  beforeAll(async () => {
    running = await start(await bringMariadb(), settings);
  }, 300_000);
  afterAll(async () => running?.stop());
  return {
    get pid() {
      return server().pid;
    },
    get socket() {
      return server().socket;
    },
    async createDatabase() {
      const { connection } = server();
      const database = `shop_${randomBytes(4).toString('hex')}`;
      await ask(connection, `CREATE DATABASE ${database}`);
      return { ...connection, database };
    },
  };
}

/** A session of a test's own. */
export async function client(connection: Connection, applicationName = 'shop'): Promise<MysqlSession> {
  return connectMysql(connection, { signal: new AbortController().signal, clock: systemClock, applicationName });
}

/** One question in a session of its own. */
export async function ask(connection: Connection, sql: string): ReturnType<MysqlSession['query']> {
  const session = await client(connection);
  try {
    return await session.query(sql);
  } finally {
    await session.close();
  }
}

/** Finds the server, or takes its packages apart. @throws Error that says how to install it */
async function bringMariadb(): Promise<Programs> {
  const part = {
    name: 'MariaDB',
    missing: async () => ((await found()) === undefined ? [{ what: 'its server', packages: ['mariadb-server'] }] : []),
  };
  await locked('mariadb packages', async () => bringMissing([part], mayInstall() ? unpack : undefined));
  const programs = await found();
  if (programs === undefined) throw new Error('MariaDB is still missing');
  return programs;
}

const unpacked = path.join(cache, 'mariadb');

async function found(): Promise<Programs | undefined> {
  for (const root of [unpacked, '/']) {
    const daemon = path.join(root, 'usr/sbin/mariadbd');
    const share = path.join(root, 'usr/share/mysql');
    const isThere = await access(path.join(share, 'mysql_system_tables.sql')).then(
      async () => access(daemon).then(() => true),
      () => false,
    );
    const libraries = [path.join(root, `usr/lib/${MACHINE}-linux-gnu`), path.join(root, `lib/${MACHINE}-linux-gnu`)];
    if (isThere) return { daemon, share, libraries: root === '/' ? '' : libraries.join(':') };
  }
  return undefined;
}

const MACHINE = process.arch === 'arm64' ? 'aarch64' : 'x86_64';

function unpack(): void {
  process.stderr.write(`takes apart ${PACKAGES.join(' ')}\n`);
  const run = (program: string, args: readonly string[], cwd: string): void => {
    const { status, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8', timeout: 300_000 });
    if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${stderr.slice(-500)}`);
  };
  const script = `set -e; rm -rf "$1.new"; mkdir -p "$1.new/packages"; cd "$1.new/packages"; apt-get download -q ${PACKAGES.join(' ')}; for file in *.deb; do dpkg-deb -x "$file" ..; done; cd ..; rm -r packages; rm -rf "$1"; mv "$1.new" "$1"`;
  run('sh', ['-c', script, 'sh', unpacked], tmpdir());
}

interface Started {
  readonly pid: number;
  readonly socket: string;
  readonly stop: () => Promise<void>;
}

async function start(
  programs: Programs,
  settings: Settings | ((folder: string) => Promise<Settings>),
): Promise<Started & { readonly connection: Connection }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mariadb-'));
  const guard = guardServer(folder);
  const [data, socket] = [path.join(folder, 'data'), path.join(folder, 'socket')];
  await mkdir(data);
  const password = randomBytes(18).toString('base64url');
  const init = path.join(folder, 'init.sql');
  await writeFile(
    init,
    ["'127.0.0.1'", "'localhost'"]
      .map((host) => `GRANT ALL ON *.* TO '${USER}'@${host} IDENTIFIED BY '${password}' WITH GRANT OPTION;\n`)
      .join(''),
  );
  const options = {
    datadir: data,
    tmpdir: folder,
    'lc-messages-dir': programs.share,
    'innodb-flush-log-at-trx-commit': '0',
    'innodb-buffer-pool-size': '32M',
    'innodb-log-file-size': '32M',
    ...(typeof settings === 'function' ? await settings(folder) : settings),
  };
  const args = [
    '--no-defaults',
    ...AS_USER,
    '--debug-no-sync',
    ...Object.entries(options).map(([name, value]) => `--${name}=${value}`),
  ];
  const run = { cwd: folder, detached: true, env: { LD_LIBRARY_PATH: programs.libraries, LC_ALL: 'C' } };
  const daemon = spawn(programs.daemon, [...args, '--bootstrap'], { ...run, stdio: ['pipe', 'ignore', 'pipe'] });
  const done = ended(daemon);
  daemon.stdin.on('error', () => undefined).end(await systemTables(programs));
  await done;
  const port = await freePort();
  const child = spawn(
    programs.daemon,
    [
      ...args,
      `--socket=${socket}`,
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      `--init-file=${init}`,
      '--skip-name-resolve',
    ],
    { ...run, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const pid = child.pid ?? 0;
  guard.watch(pid);
  await ready(child);
  return {
    connection: { host: '127.0.0.1', port, user: USER, password, database: 'mysql', tls: 'off' },
    pid,
    socket,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      if (child.exitCode === null && child.signalCode === null)
        await new Promise((resolve) => child.once('close', resolve));
      clearTimeout(timer);
      guard.release();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function systemTables({ share }: Programs): Promise<string> {
  const files = ['mysql_system_tables.sql', 'mysql_performance_tables.sql', 'mysql_system_tables_data.sql'];
  const texts = await Promise.all(files.map(async (file) => readFile(path.join(share, file), 'utf8')));
  return ['CREATE DATABASE mysql;', 'USE mysql;', 'SET @auth_root_socket=NULL;', ...texts, ''].join('\n');
}

/** As root it runs only when told to; another user could not read a cache that is root's own. */
const AS_USER = process.getuid?.() === 0 ? ['--user=root'] : [];

async function ended(child: ChildProcess): Promise<void> {
  let said = '';
  child.stderr?.on('data', (data: Buffer) => {
    said = (said + data.toString()).slice(-4000);
  });
  const code = await new Promise((resolve, reject) => void child.once('error', reject).once('close', resolve));
  if (code !== 0) throw new Error(`mariadbd --bootstrap failed: ${said}`);
}

async function ready(child: ChildProcess): Promise<void> {
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on('data', (data: Buffer) => {
      said = (said + data.toString()).slice(-4000);
      if (said.includes('ready for connections')) resolve();
    });
    child.once('error', reject);
    child.once('close', () => reject(new Error(`mariadbd did not start: ${said}`)));
  });
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
