import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Connection } from '../../src/postgres/database.ts';
import { install, mayInstall } from '../lab/debian.ts';
import { locked } from '../lab/lock.ts';
import { bringMissing } from '../lab/missing.ts';

const PROGRAM = '/usr/sbin/pgbouncer';
/** It does not run as root. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** Installs PgBouncer where that may be done unasked. @throws Error that says how to install it */
export async function bringPgBouncer(): Promise<void> {
  const part = {
    name: 'PgBouncer',
    missing: async () => (existsSync(PROGRAM) ? [] : [{ what: PROGRAM, packages: ['pgbouncer'] }]),
  };
  await locked('debian packages', async () => bringMissing([part], mayInstall() ? install : undefined));
}

/** A real PgBouncer before a server while `use` runs, with these settings of its own. */
export async function throughPgBouncer<T>(
  connection: Connection,
  settings: Readonly<Record<string, string | number>>,
  use: (pooled: Connection) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pgbouncer-'));
  const { host, port, user, password, database } = connection;
  const own = await freePort();
  const lines = Object.entries({
    listen_addr: '127.0.0.1',
    listen_port: own,
    unix_socket_dir: '',
    auth_type: 'any',
    ignore_startup_parameters: 'extra_float_digits',
    ...settings,
  }).map(([name, value]) => `${name} = ${value}`);
  const file = path.join(folder, 'pgbouncer.ini');
  const server = `${database} = host=${host} port=${port} user=${user} password=${password} dbname=${database}`;
  await writeFile(file, ['[databases]', server, '[pgbouncer]', ...lines, ''].join('\n'));
  if (NOBODY.uid !== undefined) for (const one of [folder, file]) await chown(one, NOBODY.uid, NOBODY.gid);
  const child = spawn(PROGRAM, [file], { ...NOBODY, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => void child.once('close', resolve));
  try {
    await new Promise<void>((resolve, reject) => {
      let said = '';
      child.stderr.on('data', (data: Buffer) => {
        said += data.toString();
        if (said.includes('process up')) resolve();
      });
      child.once('error', reject).once('close', () => reject(new Error(`PgBouncer ended: ${said}`)));
    });
    return await use({ ...connection, port: own });
  } finally {
    child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const bound = server.address();
      server.close(() => resolve(bound !== null && typeof bound === 'object' ? bound.port : 0));
    });
  });
}
