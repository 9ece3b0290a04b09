// What goes wrong around a run: others in the way, a server that stops, is full or takes no writes.
import { beforeEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/action/main.ts';
import type { Connection } from '../../src/postgres/database.ts';
import { postgres } from '../postgres.ts';
import { ask, client, running, until } from './client.ts';
import { start } from './process.ts';
import { type Script, apply } from './scene.ts';

const server = postgres({ max_connections: '30' });
let connection: Connection;

beforeEach(async () => {
  connection = await server.createDatabase();
  await ask(connection, 'CREATE TABLE shipments (id int PRIMARY KEY, carrier text)');
});

const ADD: Script = ['01_add', 'ALTER TABLE shipments ADD COLUMN weight int;'];

describe('a blocker', () => {
  test('of 10 s is shown, nobody waits longer than the lock timeout, and then it goes on', async () => {
    const blocker = await client(connection, 'reports');
    await blocker.query('BEGIN');
    await blocker.query("SELECT count(*), 'secret' FROM shipments");
    const started = performance.now();
    const applying = apply(connection, [ADD], { limits: { lockTimeout: 500, lockTimeoutMax: 500, lockRetries: 20 } });
    // A reader comes now and then, as the service does.
    let slowest = 0;
    const reader = await client(connection);
    while (performance.now() - started < 10_000) {
      const began = performance.now();
      await reader.query('SELECT FROM shipments WHERE id = 1');
      slowest = Math.max(slowest, performance.now() - began);
      await systemClock.sleep(20);
    }
    await blocker.query('COMMIT');
    const report = await applying;
    await Promise.all([blocker.close(), reader.close()]);
    expect(report).toMatchObject({ state: 'applied' });
    expect(report.lockedOut.length).toBeGreaterThan(1);
    expect(report.lockedOut[0]).toMatchObject({ error: { code: '55P03' }, lockTimeout: 500 });
    expect(report.lockedOut[0]?.blockers).toMatchObject([{ application: 'reports', state: 'idle in transaction' }]);
    expect(report.lines.join('\n')).toMatch(/waiting for a lock of pid \d+ .*reports.*idle in transaction/);
    expect(report.lines.join('\n')).not.toContain('secret');
    expect(slowest).toBeGreaterThan(100);
    expect(slowest).toBeLessThan(1000);
    expect(report.queue.sessions).toBe(1);
  }, 60_000);

  test('that stays ends the tries, and the report says whom to ask', async () => {
    const blocker = await client(connection, 'reports');
    await blocker.query('BEGIN');
    await blocker.query('SELECT FROM shipments');
    const report = await apply(connection, [ADD], { limits: { lockTimeout: 400, lockRetries: 1 } });
    expect(report).toMatchObject({ state: 'failed', failure: { left: 'nothing', error: { code: '55P03' } } });
    expect(report.lockedOut.map(({ lockTimeout }) => lockTimeout)).toEqual([400, 600]);
    expect(report.failure?.next).toMatch(/Have these sessions end: pid \d+ \(.*application reports/);
    await blocker.query('COMMIT');
    await blocker.close();
    expect(await apply(connection, [ADD])).toMatchObject({ state: 'applied' });
  });

  test('is ended only where its transaction is older than allowed', async () => {
    const blocker = await client(connection, 'reports');
    await blocker.query('BEGIN');
    await blocker.query('SELECT FROM shipments');
    const limits = { lockTimeout: 1000, lockTimeoutMax: 1000, lockRetries: 6, terminateBlockersOlderThan: 2500 };
    const report = await apply(connection, [ADD], { limits });
    expect(report).toMatchObject({ state: 'applied', terminated: [{ application: 'reports' }] });
    expect(report.terminated[0]?.transactionSeconds).toBeGreaterThan(2.5);
    await expect(blocker.query('SELECT 1')).rejects.toMatchObject({ code: '57P01' });
  });

  test('of a CONCURRENTLY is waited for, and what it left invalid is dropped before the next try', async () => {
    const blocker = await client(connection, 'reports');
    await blocker.query('BEGIN');
    await blocker.query('INSERT INTO shipments VALUES (1)');
    const scripts: readonly Script[] = [
      ['01', 'CREATE INDEX CONCURRENTLY IF NOT EXISTS by_carrier ON shipments (carrier);', 'outside'],
    ];
    const applying = apply(connection, scripts, { limits: { concurrentLockTimeout: 600, lockRetries: 10 } });
    await systemClock.sleep(3000);
    await blocker.query('COMMIT');
    await blocker.close();
    const report = await applying;
    expect(report.state).toBe('applied');
    expect(report.lockedOut.length).toBeGreaterThan(0);
    expect(report.droppedIndexes[0]).toBe('by_carrier');
    expect(await ask(connection, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_carrier'::regclass")).toEqual([
      { indisvalid: true },
    ]);
  });

  test('of a CONCURRENTLY has its own invalid index dropped, by whatever name, and not that of another team', async () => {
    await ask(connection, 'CREATE TABLE carriers (id int)');
    const blocker = await client(connection, 'reports');
    await blocker.query('BEGIN');
    await blocker.query('INSERT INTO shipments VALUES (1)');
    await blocker.query('INSERT INTO carriers VALUES (1)');
    const scripts: readonly Script[] = [['01', 'CREATE INDEX CONCURRENTLY ON shipments (carrier);', 'outside']];
    const applying = apply(connection, scripts, { limits: { concurrentLockTimeout: 600, lockRetries: 10 } });
    await until(connection, running('CREATE INDEX CONCURRENTLY ON shipments%'));
    const other = await client(connection, 'another team');
    await other.query("SET lock_timeout = '300ms'");
    await expect(other.query('CREATE INDEX CONCURRENTLY theirs ON carriers (id)')).rejects.toMatchObject({
      code: '55P03',
    });
    await systemClock.sleep(2000);
    await blocker.query('COMMIT');
    await Promise.all([blocker.close(), other.close()]);
    const report = await applying;
    expect(report.state).toBe('applied');
    expect(new Set(report.droppedIndexes)).toEqual(new Set(['shipments_carrier_idx']));
    const indexes = `SELECT indexrelid::regclass::text AS name, indisvalid FROM pg_index
      WHERE indrelid IN ('shipments'::regclass, 'carriers'::regclass) AND NOT indisprimary ORDER BY 1`;
    expect(await ask(connection, indexes)).toEqual([
      { name: 'shipments_carrier_idx', indisvalid: true },
      { name: 'theirs', indisvalid: false },
    ]);
  });

  test('of a CONCURRENTLY may last longer than other statements, unless the script says else', async () => {
    const blocker = await client(connection, 'reports');
    await blocker.query('BEGIN');
    await blocker.query('INSERT INTO shipments VALUES (1)');
    const index = (name: string): string => `CREATE INDEX CONCURRENTLY ${name} ON shipments (carrier);`;
    const limits = { lockTimeout: 300, statementTimeout: 600, lockRetries: 0 };
    const own: Script = ['01', `SET lock_timeout = '400ms';\n${index('a')}`, 'outside'];
    const report = await apply(connection, [own], { limits });
    expect(report).toMatchObject({ state: 'failed', failure: { error: { code: '55P03' } } });
    const applying = apply(connection, [['02', `${index('b')}\nSELECT pg_sleep(1);`, 'outside']], { limits });
    await systemClock.sleep(2000);
    await blocker.query('COMMIT');
    await blocker.close();
    // The index is built, and the limit holds again for what comes after it.
    expect(await applying).toMatchObject({
      state: 'failed',
      failure: { error: { code: '57014' }, statement: { line: 2 } },
    });
    expect(await ask(connection, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'b'::regclass")).toEqual([
      { indisvalid: true },
    ]);
  });

  test('in a deadlock is met again later', async () => {
    await ask(connection, 'CREATE TABLE carriers (id int)');
    const other = await client(connection, 'reports');
    await other.query("SET deadlock_timeout = '10s'");
    await other.query('BEGIN');
    await other.query('LOCK TABLE carriers');
    const both: Script = ['01', 'LOCK TABLE shipments;\nSELECT pg_sleep(0.5);\nLOCK TABLE carriers;'];
    const applying = apply(connection, [both], { limits: { lockTimeout: 5000 } });
    await until(connection, running('SELECT pg_sleep%'));
    await other.query('LOCK TABLE shipments');
    await other.query('COMMIT');
    await other.close();
    const report = await applying;
    expect(report).toMatchObject({ state: 'applied', lockedOut: [{ error: { code: '40P01' } }] });
  });
});

describe('two runners', () => {
  test('at once: one waits for the other, and everything is applied once', async () => {
    const scripts: readonly Script[] = Array.from({ length: 5 }, (_, i) => [
      `0${i}`,
      `INSERT INTO shipments SELECT coalesce(max(id), 0) + 1 FROM shipments;\nSELECT pg_sleep(0.2);`,
    ]);
    const runs = [start(connection, scripts), start(connection, scripts), start(connection, scripts)];
    const told = await Promise.all(runs.map(async ({ ended }) => ended));
    expect(told.map((one) => String(one?.state)).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'applied',
      'nothing',
      'nothing',
    ]);
    expect(told.flatMap((one) => one?.applied)).toEqual(scripts.map(([id]) => id));
    expect(told.flatMap((one) => one?.lines ?? []).join('\n')).toMatch(/Another migration runs: waiting for pid \d+/);
    expect(await ask(connection, 'SELECT count(*) AS n FROM shipments')).toEqual([{ n: 5 }]);
  });

  test('the second gives up after its time, and says for whom', async () => {
    const first = start(connection, [['01', 'SELECT pg_sleep(3);']]);
    await until(connection, running('SELECT pg_sleep%'));
    await expect(apply(connection, [ADD], { limits: { migratorWait: 300 } })).rejects.toThrow(
      /Another migration of this database still runs after 0\.3 s: pid \d+ .*delivery-actions migrate-db/,
    );
    expect(await first.ended).toMatchObject({ state: 'applied' });
  });

  test('whose statement goes on after it was killed is waited for', async () => {
    // A server before version 14 hears nothing of a client that is gone.
    await ask(connection, `ALTER DATABASE ${connection.database} SET statement_timeout = 0`);
    const first = start(connection, [['01', 'SET client_connection_check_interval = 0; SELECT pg_sleep(3);']]);
    await until(connection, running('SELECT pg_sleep%'));
    first.child.kill('SIGKILL');
    await first.ended;
    const report = await apply(connection, [ADD]);
    expect(report.state).toBe('applied');
    expect(report.lines.join('\n')).toMatch(/A statement of an earlier run goes on: waiting for pid \d+/);
    expect(report.seconds).toBeGreaterThan(1);
  });
});

describe('the lock of migrations', () => {
  test('that is lost stops everything before the next statement', async () => {
    const scripts: readonly Script[] = [['01', 'SELECT pg_sleep(1);\nINSERT INTO shipments VALUES (1);']];
    const applying = apply(connection, scripts);
    await until(connection, running('SELECT pg_sleep%'));
    await ask(
      connection,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '% control' AND datname = current_database()",
    );
    const report = await applying;
    expect(report).toMatchObject({ state: 'failed', failure: { left: 'nothing' } });
    expect(report.failure?.message).toMatch(/holds the lock of migrations broke off/);
    expect(await ask(connection, 'SELECT count(*) AS n FROM shipments')).toEqual([{ n: 0 }]);
  });
});

describe('cancelled', () => {
  test.each([
    ['in a transaction', undefined, 'nothing'],
    ['outside of one', 'outside', 'part'],
  ] as const)('%s: the statement ends, and within 5 s it is told what there is', async (_, outside, left) => {
    const scripts: readonly Script[] = [
      outside
        ? ['01', 'INSERT INTO shipments VALUES (1);\nSELECT pg_sleep(60);', outside]
        : ['01', 'INSERT INTO shipments VALUES (1);\nSELECT pg_sleep(60);'],
    ];
    const run = start(connection, scripts);
    await until(connection, running('SELECT pg_sleep%'));
    const cancelled = performance.now();
    run.child.kill('SIGTERM');
    const told = await run.ended;
    // Well before the session itself is given up.
    expect(performance.now() - cancelled).toBeLessThan(3500);
    expect(told).toMatchObject({ state: 'cancelled', failure: { left } });
    expect(told?.failure?.next).toMatch(/^Run it again/);
    expect(await ask(connection, running('SELECT pg_sleep%'))).toEqual([]);
    expect(await ask(connection, 'SELECT count(*) AS n FROM shipments')).toEqual([{ n: left === 'part' ? 1 : 0 }]);
  });
});
