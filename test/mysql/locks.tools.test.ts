import { beforeEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/action/main.ts';
import type { Connection } from '../../src/postgres/database.ts';
import { ask, mariadb } from '../mariadb.ts';
import { start } from './process.ts';
import { type Script, apply } from './scene.ts';
import { reader, until } from './sessions.ts';

const plain = mariadb();
/** Lists metadata locks, as MySQL does unasked. */
const watched = mariadb({
  performance_schema: 'ON',
  'performance-schema-instrument': 'wait/lock/metadata/sql/mdl=ON',
});
let connection: Connection;

beforeEach(async () => {
  connection = await plain.createDatabase();
});

describe('two runners', () => {
  test('apply everything once, and the later one says for whom it waits', async () => {
    const scripts: readonly Script[] = [
      ['01', 'CREATE TABLE log (id int AUTO_INCREMENT PRIMARY KEY);\nDO SLEEP(2);\nINSERT INTO log VALUES ();'],
      ['02', 'INSERT INTO log VALUES ();'],
    ];
    const runs = await Promise.all([start(connection, scripts).ended, start(connection, scripts).ended]);
    expect(new Set(runs.map((run) => run?.state))).toEqual(new Set(['applied', 'nothing']));
    const lines = runs.flatMap((run) => run?.lines ?? []);
    expect(lines).toContainEqual(
      expect.stringMatching(/^Another migration runs: waiting for pid \d+ \(user shop, from 127/),
    );
    expect(await ask(connection, 'SELECT COUNT(*) AS n FROM log')).toEqual([{ n: 2 }]);
  });

  test('of which one waits no longer than it may', async () => {
    const first = start(connection, [['01', 'DO SLEEP(4)']]);
    await until(connection, "SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO = 'DO SLEEP(4)'");
    await expect(apply(connection, [['01', 'SELECT 1']], { limits: { migratorWait: 600 } })).rejects.toThrow(
      /Another migration of this database still runs after 0.6 s: pid \d+ \(user shop/,
    );
    await first.ended;
  });
});

describe('a lock that is not free', () => {
  const scripts: readonly Script[] = [['01', 'ALTER TABLE shipments ADD COLUMN weight int, ALGORITHM=INSTANT;']];
  const limits = { lockTimeout: 1000, lockTimeoutMax: 1000, lockRetries: 5 };

  test('is tried again, keeps others waiting for no longer, and its holder is shown', async () => {
    connection = await watched.createDatabase();
    await ask(connection, 'CREATE TABLE shipments (id int)');
    const holder = await reader(connection);
    const report = apply(connection, scripts, { limits });
    await systemClock.sleep(4000);
    await holder.end();
    const { state, lines, lockedOut } = await report;
    expect(state).toBe('applied');
    expect(lockedOut.length).toBeGreaterThan(0);
    expect(lockedOut[0]?.blockers).toMatchObject([{ pid: holder.id, state: 'idle in transaction' }]);
    expect(lines).toContainEqual(
      expect.stringMatching(new RegExp(`^try 1 of 6: the lock was not free in time[^]*held by pid ${holder.id}`)),
    );
  });

  test('of a server that does not list such locks: those are shown that may hold it, and nobody is ended on a guess', async () => {
    await ask(connection, 'CREATE TABLE shipments (id int) ENGINE=InnoDB');
    const holder = await reader(connection);
    const { state, failure, terminated } = await apply(connection, scripts, {
      limits: { ...limits, lockRetries: 0, terminateBlockersOlderThan: 0 },
    });
    expect(state).toBe('failed');
    expect(failure?.next).toContain(`pid ${holder.id} `);
    expect(failure?.next).toContain('perhaps: idle in transaction');
    expect(terminated).toEqual([]);
    await holder.end();
  });

  test('is had by ending its holder, where that is allowed and sure', async () => {
    connection = await watched.createDatabase();
    await ask(connection, 'CREATE TABLE shipments (id int)');
    const holder = await reader(connection);
    await systemClock.sleep(2100);
    const { state, terminated } = await apply(connection, scripts, {
      limits: { ...limits, lockTimeout: 20_000, lockTimeoutMax: 20_000, terminateBlockersOlderThan: 1000 },
    });
    expect(state).toBe('applied');
    expect(terminated).toMatchObject([{ pid: holder.id }]);
    await holder.end();
  });

  test('on a row is shown too', async () => {
    await ask(connection, 'CREATE TABLE shipments (id int PRIMARY KEY, n int)');
    await ask(connection, 'INSERT INTO shipments VALUES (1, 1)');
    const holder = await reader(connection, 'UPDATE shipments SET n = 2');
    const { lockedOut, failure } = await apply(connection, [['01', 'UPDATE shipments SET n = 3 WHERE id = 1']], {
      limits: { ...limits, lockRetries: 0 },
    });
    expect(lockedOut).toMatchObject([{ error: { code: '55P03', errno: 1205 }, blockers: [{ pid: holder.id }] }]);
    expect(failure?.left).toBe('nothing');
    await holder.end();
    expect(await ask(connection, 'SELECT n FROM shipments')).toEqual([{ n: 2 }]);
  });
});
