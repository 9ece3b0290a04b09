// A real Knex applies through the relay: what is seen of it, and what is left when it fails, waits or is cancelled.
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/action/main.ts';
import { applyMigrations } from '../../src/apply/apply.ts';
import type { Limits } from '../../src/apply/limits.ts';
import type { ApplyReport } from '../../src/apply/report.ts';
import type { Moment } from '../../src/apply/run-script.ts';
import { leftoversOf } from '../../src/migration/leftovers.ts';
import { knex } from '../../src/migration/tools/knex.ts';
import type { Connection } from '../../src/postgres/database.ts';
import { postgres } from '../postgres.ts';
import { ask, client, running, until } from './client.ts';
import { found, knexProject, withoutMigrations, writeMigration } from './knex-project.ts';
import { start } from './process.ts';
import { testHost } from './scene.ts';

const server = postgres();
let workspace = '';
let connection: Connection;

beforeAll(async () => {
  workspace = await knexProject();
}, 300_000);
afterAll(async () => rm(workspace, { recursive: true, force: true }));

beforeEach(async () => {
  connection = await server.createDatabase();
  await ask(connection, 'CREATE TABLE shipments (id int PRIMARY KEY, carrier text)');
  await ask(connection, 'CREATE TABLE carriers (id int)');
  await withoutMigrations(workspace);
});

async function migration(name: string, up: string, rest?: string): Promise<void> {
  await writeMigration(workspace, name, up, rest);
}

async function run(
  options: { limits?: Partial<Limits>; signal?: AbortSignal } = {},
): Promise<ApplyReport & { lines: readonly string[] }> {
  const { host, lines } = testHost(options.signal);
  const migrations = await knex.read(found, workspace);
  const report = await applyMigrations(
    {
      tool: knex,
      found,
      migrations,
      pending: migrations,
      connection: async () => connection,
      ...(options.limits && { limits: options.limits }),
    },
    { ...host, info: { ...host.info, workspace } },
  );
  return { ...report, lines };
}

describe('Knex', () => {
  test('applies, and each statement is seen with its locks and belongs to its migration', async () => {
    await migration('01_weight', "await knex.schema.alterTable('shipments', (t) => t.integer('weight'));");
    await migration(
      '02_rows',
      "await knex('shipments').insert({ id: 1, weight: 3 }); await knex.schema.raw('CREATE INDEX by_id ON carriers (id)');",
    );
    const report = await run();
    expect(report).toMatchObject({ state: 'applied', pending: [] });
    const seen = report.applied.map(({ migration, statements }) => [
      migration.id,
      statements.filter(({ sql }) => /shipments|carriers/.test(sql)).map(({ locks }) => locks),
    ]);
    expect(seen).toEqual([
      ['01_weight.js', [[{ relation: 'shipments', mode: 'AccessExclusiveLock' }]]],
      ['02_rows.js', [[], [{ relation: 'carriers', mode: 'ShareLock' }]]],
    ]);
    expect(report.lines.join('\n')).not.toContain(connection.password);
    expect(await run()).toMatchObject({ state: 'nothing' });
  });

  test('that fails: what is applied, where it stopped, and nothing of it left', async () => {
    await migration('01_weight', "await knex.schema.alterTable('shipments', (t) => t.integer('weight'));");
    await migration(
      '02_bad',
      "await knex('shipments').insert({ id: 1 }); await knex.schema.raw('ALTER TABLE nowhere ADD a int');",
    );
    const report = await run();
    expect(report).toMatchObject({ state: 'failed', failure: { left: 'nothing', error: { code: '42P01' } } });
    // Knex runs all of a batch in one transaction.
    expect(report.applied).toEqual([]);
    expect(report.pending.map(({ id }) => id)).toEqual(['01_weight.js', '02_bad.js']);
    expect(report.failure?.migration?.id).toBe('02_bad.js');
    expect(report.failure?.statement?.sql).toBe('ALTER TABLE nowhere ADD a int');
    expect(await ask(connection, 'SELECT count(*) AS n FROM shipments')).toEqual([{ n: 0 }]);
    await migration('02_bad', "await knex('shipments').insert({ id: 1 });");
    expect(await run()).toMatchObject({ state: 'applied' });
    expect(await ask(connection, 'SELECT count(*) AS n FROM shipments')).toEqual([{ n: 1 }]);
  });

  test('that fails outside of a transaction: what stays is told', async () => {
    await migration(
      '01_part',
      "await knex('shipments').insert({ id: 1 }); await knex.schema.raw('ALTER TABLE nowhere ADD a int');",
      'exports.config = { transaction: false };',
    );
    const report = await run();
    expect(report).toMatchObject({
      state: 'failed',
      failure: { left: 'part', leftStatements: ['insert into "shipments" ("id") values ($1)'] },
    });
    expect(report.failure?.running).toMatch(/The first statement of what failed stay/);
    expect(report.failure?.next).toMatch(/Knex begins with the first of them again/);
  });

  test('waits for a blocker no longer than the lock timeout at a time, and gets through', async () => {
    await migration('01_weight', "await knex.schema.alterTable('shipments', (t) => t.integer('weight'));");
    const blocker = await client(connection, 'reports');
    await blocker.query('BEGIN');
    await blocker.query('SELECT FROM shipments');
    const running = run({ limits: { lockTimeout: 700 } });
    await systemClock.sleep(3500);
    await blocker.query('COMMIT');
    await blocker.close();
    const report = await running;
    expect(report).toMatchObject({
      state: 'applied',
      lockedOut: expect.arrayContaining([
        expect.objectContaining({ blockers: [expect.objectContaining({ application: 'reports' })] }),
      ]),
    });
  }, 40_000);

  test('that is cancelled ends with its statement, within 5 s', async () => {
    await migration('01_slow', "await knex('shipments').insert({ id: 1 }); await knex.raw('SELECT pg_sleep(60)');");
    const stop = new AbortController();
    const applying = run({ signal: stop.signal });
    await until(connection, running('SELECT pg_sleep%'));
    const began = performance.now();
    stop.abort(new Error('cancelled'));
    expect(await applying).toMatchObject({ state: 'cancelled', failure: { left: 'nothing' } });
    expect(performance.now() - began).toBeLessThan(5000);
    expect(await ask(connection, running('SELECT pg_sleep%'))).toEqual([]);
    expect(await ask(connection, 'SELECT count(*) AS n FROM shipments')).toEqual([{ n: 0 }]);
  });

  test('whose lock row a killed run left set is told how to go on', async () => {
    await migration('01_weight', "await knex.schema.alterTable('shipments', (t) => t.integer('weight'));");
    await run();
    await ask(connection, 'UPDATE knex_migrations_lock SET is_locked = 1');
    await migration('02_rows', "await knex('shipments').insert({ id: 1 });");
    const report = await run();
    expect(report).toMatchObject({ state: 'failed', failure: { left: 'nothing' } });
    expect(report.failure?.message).toMatch(/already locked/);
    expect(report.failure?.next).toMatch(/mode: repair with repair: knex-lock mends that first/);
    await ask(connection, 'UPDATE knex_migrations_lock SET is_locked = 0');
    expect(await run()).toMatchObject({ state: 'applied' });
  });

  test.each<[Moment, number]>([
    ['locked', 1],
    ['statement', 1],
    ['statement', 4],
    ['statement', 5],
    ['statement', 7],
    ['statement', 9],
    ['committed', 1],
    ['committed', 2],
    ['checked', 1],
  ])(
    'killed at %s %i: nothing is lost and nothing done twice, once what it left is mended',
    async (moment, number) => {
      const each = 'exports.config = { transaction: true };';
      await migration('01_first', "await knex('carriers').insert({ id: 1 });", each);
      // One without a transaction has Knex run each by itself.
      await migration(
        '02_second',
        "await knex('carriers').insert({ id: 2 });",
        'exports.config = { transaction: false };',
      );
      await migration('03_third', "await knex('carriers').insert({ id: 3 });", each);
      const killed = start(connection, [], { knex: workspace, killAt: [moment, number] });
      expect(await killed.ended).toBeUndefined();
      expect(killed.child.signalCode).toBe('SIGKILL');
      await until(
        connection,
        "SELECT 1 WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'delivery-actions%' AND datname = current_database())",
      );
      const migrations = await knex.read(found, workspace);
      const session = await client(connection);
      for (const { sql } of await leftoversOf(session, found, migrations))
        for (const one of sql) await session.query(one);
      const done = (await knex.applied(session, found, migrations)).map(({ id }) => id);
      const rows = (await session.query('SELECT id FROM carriers ORDER BY id')).map(({ id }) => id);
      await session.close();
      // Only what runs outside of a transaction can be done and not be noted: the tool would do it again.
      const isHalf = rows.length > done.length;
      expect(isHalf).toBe(isHalf && done.length === 1 && rows.length === 2);
      if (isHalf) await ask(connection, 'DELETE FROM carriers WHERE id = 2');
      expect((await run()).state).toBe(done.length === 3 ? 'nothing' : 'applied');
      expect(await ask(connection, 'SELECT id FROM carriers ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
      expect((await ask(connection, 'SELECT name FROM knex_migrations ORDER BY id')).length).toBe(3);
    },
    40_000,
  );
});
