// Whole rehearsals by the SQL of the migrations.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { connect } from '../../src/postgres/connect.ts';
import type { Database } from '../../src/postgres/database.ts';
import type { ShadowServer } from '../../src/postgres/shadow-server.ts';
import type { Migration } from '../../src/migration/migration.ts';
import type { Rehearsal } from '../../src/rehearsal/rehearsal.ts';
import { rehearse } from '../../src/rehearsal/rehearse.ts';
import { urlOf } from '../postgres.ts';
import { type Repository, hostOf, repository, requestOf, shadowServer } from './setup.ts';

let server: ShadowServer;
let repo: Repository;
beforeAll(async () => {
  server = await shadowServer();
}, 300_000);
afterAll(async () => server.stop());
beforeEach(() => {
  repo = repository();
});
afterEach(() => repo.remove());

const host = hostOf(new AbortController().signal);

async function run(
  migrations: readonly Migration[],
  more: Parameters<typeof requestOf>[3] = {},
  on = host,
): Promise<Rehearsal> {
  return rehearse(requestOf(repo, server, migrations, more), on);
}

async function session(): Promise<{ database: Database; url: string }> {
  const connection = await server.createDatabase();
  return { database: await connect(connection, host), url: urlOf(connection) };
}

test('only what is pending is told, in order, with its place and time', async () => {
  const told = await run(
    [
      repo.migration('1_base', 'CREATE TABLE shipments (id int);'),
      repo.migration('2_sleep', '-- waits\nSELECT pg_sleep(0.2);\n\n  ALTER TABLE shipments\n    ADD a int;\n'),
      repo.migration('3_more', 'ALTER TABLE shipments ADD b int;'),
    ],
    { count: 2 },
  );
  expect(told).toMatchObject({ server: { kind: 'binaries' }, ranBy: 'sql', notes: [] });
  expect(told.failed).toBeUndefined();
  expect(told.migrations.map(({ migration }) => migration.name)).toEqual(['2_sleep', '3_more']);
  expect(told.migrations[0]?.statements.at(-1)).toMatchObject({
    sql: 'ALTER TABLE shipments\n    ADD a int',
    place: { file: 'db/2_sleep.sql', line: 4, column: 3, endLine: 5 },
    inTransaction: true,
  });
  expect(told.schema.objects.get('column shipments.b')).toBe('integer');
  expect(told.seconds).toBeGreaterThan(0.2);
});

describe('a statement that fails', () => {
  test.each([
    ['a name that is not there', 'SELECT 1;\n\nALTER TABLE nothing ADD a int;', '42P01', { line: 3, column: 1 }],
    [
      'a column, told to the character',
      "COMMENT ON TABLE t IS 'ä😀';\nSELECT '😀',\n  nope FROM t;",
      '42703',
      { line: 3, column: 3 },
    ],
    ['malformed SQL', 'CREATE TABLE a (i int);\nALTER TABEL a ADD b int;', '42601', { line: 2, column: 7 }],
    ['what never ends', "SELECT 'never", '42601', { line: 1, column: 8 }],
    ['a constraint that is checked at the end', 'INSERT INTO child VALUES (7);', '23503', {}],
  ])('by %s ends the rehearsal at its place', async (_, sql, code, place) => {
    const { failed, migrations } = await run(
      [
        repo.migration(
          '1',
          'CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE child (t int REFERENCES t DEFERRABLE INITIALLY DEFERRED);',
        ),
        repo.migration('2', sql),
        repo.migration('3', 'CREATE TABLE never_made (id int);'),
      ],
      { count: 2 },
    );
    expect(failed).toMatchObject({ migration: { id: '2' }, error: { code }, place: { file: 'db/2.sql', ...place } });
    expect(migrations.map(({ migration }) => migration.id)).toEqual(['2']);
  });

  test('because it hangs is ended in time, and named', async () => {
    const sql = 'ALTER TABLE t ADD a int;\nSELECT pg_sleep(100);';
    const { failed } = await run([repo.migration('1', 'CREATE TABLE t (id int);'), repo.migration('2', sql)], {
      timeouts: { statement: 0.5, tool: 60 },
    });
    expect(failed).toMatchObject({ error: { code: '57014' }, place: { file: 'db/2.sql', line: 2 } });
    expect(failed?.message).toMatch(/0\.5 s/);
  });

  test('outside of a transaction leaves what was before it, which is told', async () => {
    const sql = 'ALTER TABLE t ADD a int;\nALTER TABLE t ADD a int;';
    const { failed, schema } = await run([
      repo.migration('1', 'CREATE TABLE t (id int);'),
      repo.migration('2', sql, { transaction: false }),
    ]);
    expect(failed?.error?.code).toBe('42701');
    expect(schema.objects.has('column t.a')).toBe(true);
  });
});

describe('the way back', () => {
  const base = () => repo.migration('1', "CREATE TABLE t (id int); CREATE TYPE state AS ENUM ('new');");

  test('that leads back is told as the same', async () => {
    const { migrations } = await run(
      [
        base(),
        repo.migration('2', 'ALTER TABLE t ADD a int;', { down: 'ALTER TABLE t DROP a;' }),
        repo.migration('3', 'CREATE INDEX t_a ON t (a);', { down: 'DROP INDEX t_a;' }),
      ],
      { count: 2, reverse: true },
    );
    expect(migrations.map(({ reversed }) => reversed)).toEqual([
      { same: true, differences: [] },
      { same: true, differences: [] },
    ]);
  });

  test('that leaves something behind, or brings something else back, is told with it', async () => {
    const { migrations } = await run(
      [
        base(),
        repo.migration('2', 'ALTER TABLE t ADD a int; ALTER TABLE t ALTER id TYPE bigint;', {
          down: 'ALTER TABLE t DROP a;',
        }),
      ],
      { reverse: true },
    );
    expect(migrations[0]?.reversed).toEqual({
      same: false,
      differences: ['column t.id is other after the way back: bigint instead of integer'],
    });
  });

  test('after which the way up fails is told with the error', async () => {
    const { migrations, failed, schema } = await run(
      [base(), repo.migration('2', "ALTER TYPE state ADD VALUE 'sent';", { down: 'SELECT 1;' })],
      { reverse: true },
    );
    expect(failed).toBeUndefined();
    expect(migrations[0]?.reversed).toMatchObject({ same: false, error: { code: '42710' } });
    expect(schema.objects.get('enum state')).toBe("'new', 'sent'");
  });

  test('that fails ends there; what has none is not tried', async () => {
    const { migrations } = await run(
      [
        base(),
        repo.migration('2', 'ALTER TABLE t ADD a int;'),
        repo.migration('3', 'ALTER TABLE t ADD b int;', { down: 'ALTER TABLE t DROP b;' }),
        repo.migration('4', 'ALTER TABLE t ADD c int;', { down: 'ALTER TABLE t DROP nothing;' }),
      ],
      { count: 3, reverse: true },
    );
    expect(migrations.map(({ reversed }) => reversed)).toMatchObject([
      undefined,
      undefined,
      { same: false, error: { code: '42703' } },
    ]);
  });
});

describe("production's schema", () => {
  test('as pg_dump writes it is the base, roles and all', async () => {
    const { database, url } = await session();
    for (const sql of [
      'CREATE ROLE team NOLOGIN',
      'CREATE SCHEMA billing AUTHORIZATION team',
      'CREATE TABLE billing.invoices (id serial PRIMARY KEY, total numeric DEFAULT 0)',
      'CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END',
      'GRANT SELECT ON billing.invoices TO team',
      'ALTER TABLE billing.invoices OWNER TO team',
      'CREATE VIEW totals AS SELECT sum(total) FROM billing.invoices',
    ])
      await database.query(sql);
    const { stdout: sql } = await promisify(execFile)('pg_dump', ['--schema-only', url]);
    await database.query('DROP OWNED BY team CASCADE');
    await database.query('DROP ROLE team');
    await database.close();
    const { failed, migrations, schema } = await run(
      [
        repo.migration('1', 'CREATE TABLE never_run (id int);'),
        repo.migration('2', 'ALTER TABLE billing.invoices ADD paid timestamptz;'),
      ],
      { schema: { file: 'db/schema.sql', sql } },
    );
    expect(failed).toBeUndefined();
    expect(migrations[0]?.statements[0]?.locks).toEqual([
      { relation: 'billing.invoices', mode: 'AccessExclusiveLock' },
    ]);
    expect(schema.objects.has('table never_run')).toBe(false);
    expect(schema.objects.has('view totals')).toBe(true);
  });

  test('with an extension that is not here is a base without it, which is told', async () => {
    const sql = 'SET transaction_timeout = 0;\nCREATE EXTENSION pg_cron;\nCREATE TABLE t (id int);';
    const { notes } = await run([repo.migration('1', 'ALTER TABLE t ADD a int;')], {
      schema: { file: 'db/schema.sql', sql },
    });
    expect(notes).toEqual([expect.stringMatching(/^db\/schema\.sql:2: .*pg_cron.* not available/)]);
  });

  test('that the server refuses is an error at the line', async () => {
    const schema = { file: 'db/schema.sql', sql: 'CREATE TABLE t (id int);\nCREATE TABEL u (id int);' };
    await expect(run([repo.migration('1', 'SELECT 1;')], { schema })).rejects.toMatchObject({
      name: 'UserError',
      place: { file: 'db/schema.sql', line: 2 },
    });
  });
});

test('cancelling ends it at once, and leaves no session', async () => {
  const controller = new AbortController();
  const slow = run([repo.migration('1', 'SELECT pg_sleep(60);')], {}, hostOf(controller.signal));
  setTimeout(() => controller.abort(new Error('cancelled')), 500);
  const began = Date.now();
  await expect(slow).rejects.toThrow('cancelled');
  expect(Date.now() - began).toBeLessThan(5000);
  const { database } = await session();
  const idle = async () => {
    const [{ count } = { count: -1 }] = await database.query<{ count: number }>(
      "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
    );
    return count === 0;
  };
  while (!(await idle()));
  await database.close();
});

test('2,000 migrations are applied, and the last of them watched', async () => {
  const migrations = Array.from({ length: 2000 }, (_, i) =>
    repo.migration(
      String(i).padStart(4, '0'),
      `CREATE TABLE t${i} (id int);\nALTER TABLE t${Math.floor(i / 2)} ADD c${i} int;`,
    ),
  );
  const { failed, migrations: told } = await run(migrations, { count: 100 });
  expect(failed).toBeUndefined();
  expect(told).toHaveLength(100);
  expect(told.every(({ statements }) => statements[1]?.locks.length === 1)).toBe(true);
}, 60_000);
