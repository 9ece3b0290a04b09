// A server that restarts, is full, takes no writes, or is no server of one's own but a pooler's.
import { spawnSync } from 'node:child_process';
import { chown, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/action/main.ts';
import { findBinaries } from '../../src/postgres/binaries.ts';
import type { Session } from '../../src/postgres/connect.ts';
import type { Connection } from '../../src/postgres/database.ts';
import { postgres } from '../postgres.ts';
import { ask, client, running, until } from './client.ts';
import { start } from './process.ts';
import { type Script, apply } from './scene.ts';

const server = postgres({ max_connections: '20' });
const isRoot = process.getuid?.() === 0;
let connection: Connection;

beforeEach(async () => {
  connection = await server.createDatabase();
  await ask(connection, 'CREATE TABLE shipments (id int, carrier text)');
});

const ADD: Script = ['01_add', 'ALTER TABLE shipments ADD COLUMN weight int;'];

/** As the user whom the server runs as. */
async function asServer(program: string, ...args: readonly string[]): Promise<void> {
  const binaries = await findBinaries(process.env);
  // What is in PATH may be a link to where all programs of the server lie.
  const folder = path.dirname(await realpath(path.join(binaries?.folder ?? '', 'postgres')));
  const options = { encoding: 'utf8', cwd: '/', ...(isRoot && { uid: 65_534, gid: 65_534 }) } as const;
  const { status, stderr, error } = spawnSync(path.join(folder, program), [...args], options);
  if (status !== 0) throw new Error(`${program} failed: ${error?.message ?? stderr}`);
}

describe('a server', () => {
  test('that is restarted in the middle: told what there is, and the next run does the rest once', async () => {
    const [row] = await ask(connection, 'SHOW data_directory');
    const scripts: readonly Script[] = [
      ['01', 'INSERT INTO shipments VALUES (1);'],
      ['02', 'INSERT INTO shipments VALUES (2);\nSELECT pg_sleep(30);'],
    ];
    const run = start(connection, scripts);
    await until(connection, running('SELECT pg_sleep%'));
    await asServer('pg_ctl', 'restart', '-D', String(row?.['data_directory']), '-m', 'fast', '-w', '-l', '/dev/null');
    const told = await run.ended;
    expect(told).toMatchObject({ state: 'failed', applied: ['01'], failure: { left: 'nothing' } });
    expect(told?.failure?.next).toMatch(/Run it again/);
    const shorter: readonly Script[] = [scripts[0] as Script, ['02', 'INSERT INTO shipments VALUES (2);']];
    expect(await apply(connection, shorter)).toMatchObject({ state: 'applied', pending: [] });
    expect(await ask(connection, 'SELECT id FROM shipments ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }]);
  }, 60_000);

  test('without a free connection: said so after a while, and nothing is begun', async () => {
    await ask(connection, "CREATE ROLE shop LOGIN PASSWORD 'shop'");
    await ask(connection, 'GRANT CREATE ON SCHEMA public TO shop');
    await ask(connection, 'ALTER TABLE shipments OWNER TO shop');
    const others: Session[] = [];
    for (let i = 0; i < 17; i += 1) others.push(await client(connection));
    const own = { ...connection, user: 'shop', password: 'shop' };
    // As clients of the service go, there is a connection for a moment, and then there is not.
    await others.pop()?.close();
    await expect(apply(own, [ADD], { limits: { connectRetry: 2000 } })).rejects.toThrow(
      /connections left|no connection free/,
    );
    for (const other of others) await other.close();
    expect(await apply(own, [ADD])).toMatchObject({ state: 'applied' });
  }, 60_000);

  test('whose transactions are read-only is left alone', async () => {
    await ask(connection, `ALTER DATABASE ${connection.database} SET default_transaction_read_only = on`);
    await expect(apply(connection, [ADD])).rejects.toThrow(/read-only \(default_transaction_read_only\)/);
  });

  test('whose disk is full: rolled back, and the disk is named', async () => {
    if (!isRoot) return void process.stderr.write('a small file system needs root: not tried\n');
    const folder = await mkdtemp(path.join(tmpdir(), 'small-disk-'));
    const mount = (...args: readonly string[]): void => {
      const { status, stderr } = spawnSync(args[0] ?? '', args.slice(1), { encoding: 'utf8' });
      if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
    };
    mount('mount', '-t', 'tmpfs', '-o', 'size=2m,mode=0711', 'small-disk', folder);
    try {
      const space = path.join(folder, 'space');
      await mkdir(space);
      await chown(space, 65_534, 65_534);
      await ask(connection, `CREATE TABLESPACE small LOCATION '${space}'`);
      const scripts: readonly Script[] = [
        ['01', 'INSERT INTO shipments VALUES (1);'],
        ['02', "CREATE TABLE copy TABLESPACE small AS SELECT i, repeat('x', 1000) FROM generate_series(1, 10000) i;"],
      ];
      const report = await apply(connection, scripts);
      expect(report).toMatchObject({ state: 'failed', failure: { left: 'nothing', error: { code: '53100' } } });
      expect(report.failure?.next).toMatch(/disk of the server is full/);
      expect(report.applied.map(({ migration }) => migration.id)).toEqual(['01']);
      await ask(connection, 'DROP TABLESPACE small');
    } finally {
      mount('umount', folder);
      await rm(folder, { recursive: true });
    }
  });

  test('that is a standby is refused', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'standby-'));
    if (isRoot) await chown(folder, 65_534, 65_534);
    const data = path.join(folder, 'data');
    const url = `host=${connection.host} port=${connection.port} user=${connection.user} password=${connection.password} dbname=postgres`;
    await asServer('pg_basebackup', '-D', data, '-R', '-X', 'stream', '-c', 'fast', '-d', url);
    const port = connection.port + 1 > 65_000 ? connection.port - 1 : connection.port + 1;
    await asServer(
      'pg_ctl',
      'start',
      '-w',
      '-D',
      data,
      '-l',
      path.join(folder, 'log'),
      '-o',
      `-p ${port} -c unix_socket_directories=${folder}`,
    );
    try {
      await expect(apply({ ...connection, port }, [ADD])).rejects.toThrow(/is a standby: it takes no writes/);
      // And the primary waits for it where it is behind.
      await ask({ ...connection, port }, 'SELECT pg_wal_replay_pause()');
      await ask(connection, 'INSERT INTO shipments SELECT generate_series(1, 1000)');
      await systemClock.sleep(1500);
      const waiting = apply(connection, [ADD], { limits: { maxLag: 1000 } });
      await systemClock.sleep(2500);
      expect(
        await ask(connection, "SELECT FROM pg_attribute WHERE attrelid = 'shipments'::regclass AND attname = 'weight'"),
      ).toEqual([]);
      await ask({ ...connection, port }, 'SELECT pg_wal_replay_resume()');
      const report = await waiting;
      expect(report.state).toBe('applied');
      expect(report.lines.join('\n')).toMatch(/waiting: replica \S+ is \S+ s behind/);
    } finally {
      await asServer('pg_ctl', 'stop', '-D', data, '-m', 'immediate');
      await rm(folder, { recursive: true, force: true });
    }
  }, 60_000);
});

describe('scripts', () => {
  test('of 20 MB go through', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `(${i}, '${'x'.repeat(950)}')`);
    const many = Array.from({ length: 2000 }, (_, i) => `INSERT INTO shipments VALUES (${i}, 'y');`);
    const sql = `INSERT INTO shipments VALUES ${rows.join(',\n')};\n${many.join('\n')}`;
    expect(sql.length).toBeGreaterThan(19_000_000);
    expect(await apply(connection, [['01', sql]])).toMatchObject({ state: 'applied' });
    expect(await ask(connection, 'SELECT count(*) AS n FROM shipments')).toEqual([{ n: 22_000 }]);
  }, 60_000);

  test('that never end, are for psql, or end their transaction are refused before anything runs', async () => {
    const scripts: readonly Script[] = [
      ['01', 'INSERT INTO shipments VALUES (1);'],
      ['02', "INSERT INTO shipments VALUES (2, 'never);"],
      ['03', '\\i other.sql\nSELECT 1;'],
      ['04', 'COMMIT;'],
    ];
    const report = await apply(connection, scripts);
    expect(report).toMatchObject({ state: 'failed', applied: [] });
    expect(report.failure?.message).toMatch(/never ends[^]*command of psql[^]*one transaction already/);
    expect(await ask(connection, 'SELECT count(*) AS n FROM shipments')).toEqual([{ n: 0 }]);
  });

  test('of any bytes are told as what they are', async () => {
    const report = await apply(connection, [['01', Buffer.from([0, 1, 255, 254, 13, 10, 7]).toString('latin1')]]);
    expect(report).toMatchObject({ state: 'failed', failure: { left: 'nothing' } });
  });

  test('that are 2,000 are applied', async () => {
    const scripts: readonly Script[] = Array.from({ length: 2000 }, (_, i) => [
      String(i).padStart(4, '0'),
      `INSERT INTO shipments VALUES (${i});`,
    ]);
    expect(await apply(connection, scripts)).toMatchObject({ state: 'applied' });
    expect(await ask(connection, 'SELECT count(DISTINCT id) AS ids, count(*) AS n FROM shipments')).toEqual([
      { ids: 2000, n: 2000 },
    ]);
  }, 120_000);
});
