// Scripts applied to a real server, and what the report says of them.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/action/main.ts';
import { driftFindings } from '../../src/apply/drift.ts';
import { recordedStatements } from '../../src/apply/record.ts';
import { type Session, connect } from '../../src/postgres/connect.ts';
import type { Connection } from '../../src/postgres/database.ts';
import { readSchema } from '../../src/postgres/read-schema.ts';
import { postgres } from '../postgres.ts';
import { type Script, apply } from './scene.ts';

const server = postgres();
let connection: Connection;
let session: Session;

beforeEach(async () => {
  connection = await server.createDatabase();
  session = await connect(connection, { signal: new AbortController().signal, clock: systemClock });
});
afterEach(async () => session.close());

const CREATE: Script = ['01_create', 'CREATE TABLE shipments (id int PRIMARY KEY, carrier text);'];
const ADD: Script = [
  '02_add',
  "ALTER TABLE shipments ADD COLUMN weight int;\nINSERT INTO shipments VALUES (1, 'DHL', 3);",
];

describe('scripts', () => {
  test('are applied in order, once, with what each statement took', async () => {
    const first = await apply(connection, [CREATE, ADD]);
    expect(first).toMatchObject({ state: 'applied', pending: [], lockedOut: [] });
    expect(first.applied.map(({ migration }) => migration.id)).toEqual(['01_create', '02_add']);
    expect(first.applied[1]?.statements).toMatchObject([
      { file: 'migrations/02_add.sql', line: 1, locks: [{ relation: 'shipments', mode: 'AccessExclusiveLock' }] },
      { line: 2, locks: [] },
    ]);
    expect(first.applied[0]?.statements).toMatchObject([{ locks: [] }]);
    const again = await apply(connection, [CREATE, ADD]);
    expect(again).toMatchObject({ state: 'nothing', applied: [], pending: [] });
    expect(await session.query('SELECT count(*) AS n FROM shipments')).toEqual([{ n: 1 }]);
    expect(
      await session.query(
        'SELECT id, run, statements, seconds IS NOT NULL AS timed FROM delivery_migrations ORDER BY id',
      ),
    ).toEqual([
      { id: '01_create', run: '42/1', statements: 1, timed: true },
      { id: '02_add', run: '42/1', statements: 2, timed: true },
    ]);
  });

  test('that fail are rolled back whole, and the report says where and what next', async () => {
    const report = await apply(connection, [CREATE, ['02_bad', 'ALTER TABLE shipments ADD a int;\nSELCT 1;'], ADD]);
    expect(report).toMatchObject({
      state: 'failed',
      failure: { left: 'nothing', error: { code: '42601' }, statement: { line: 2 } },
    });
    expect(report.applied.map(({ migration }) => migration.id)).toEqual(['01_create']);
    expect(report.pending.map(({ id }) => id)).toEqual(['02_bad', '02_add']);
    expect(report.failure?.running).toMatch(/works as before.*one migration is applied/);
    expect(report.failure?.next).toMatch(/Mend line 2 of migrations\/02_bad\.sql/);
    expect(
      await session.query("SELECT attname FROM pg_attribute WHERE attrelid = 'shipments'::regclass AND attname = 'a'"),
    ).toEqual([]);
  });
});

describe('a script outside of a transaction', () => {
  const outside = (sql: string): readonly Script[] => [['01', sql, 'outside']];

  test('that fails goes on where it stopped, and the rest of it may be mended', async () => {
    await session.query('CREATE TABLE shipments (id int)');
    const first = await apply(connection, outside('INSERT INTO shipments VALUES (1);\nVACUUM shipments;\nSELCT 2;'));
    expect(first).toMatchObject({
      state: 'failed',
      failure: { left: 'part', statement: { line: 3 }, error: { code: '42601' } },
    });
    expect(first.failure?.leftStatements).toEqual(['INSERT INTO shipments VALUES (1)', 'VACUUM shipments']);
    const again = await apply(
      connection,
      outside('INSERT INTO shipments VALUES (1);\nVACUUM shipments;\nINSERT INTO shipments VALUES (2);'),
    );
    expect(again).toMatchObject({ state: 'applied', applied: [{ resumed: true, statements: [{ line: 3 }] }] });
    expect(await session.query('SELECT id FROM shipments ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }]);
  });

  test('whose first statements are done may not have them changed', async () => {
    await session.query('CREATE TABLE shipments (id int)');
    await apply(connection, outside('INSERT INTO shipments VALUES (1);\nSELCT 2;'));
    const report = await apply(
      connection,
      outside('INSERT INTO shipments VALUES (7);\nINSERT INTO shipments VALUES (2);'),
    );
    expect(report.failure?.message).toMatch(/did its first 1 statements, and those stand in it no more as they were/);
    expect(await session.query('SELECT id FROM shipments')).toEqual([{ id: 1 }]);
  });

  test('may have transactions of its own, and settings that hold again when it goes on', async () => {
    await session.query('CREATE TABLE shipments (id int, step text)');
    const text = (last: string): readonly Script[] =>
      outside(
        `SET app.step = 'set';\nBEGIN;\nINSERT INTO shipments VALUES (1);\nINSERT INTO shipments VALUES (2);\nCOMMIT;\nBEGIN;\nINSERT INTO shipments VALUES (3);\n${last}\nCOMMIT;`,
      );
    expect(await apply(connection, text('SELECT 1/0;'))).toMatchObject({ state: 'failed', failure: { left: 'part' } });
    expect(await session.query('SELECT id FROM shipments ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }]);
    const mended = text("INSERT INTO shipments VALUES (4, current_setting('app.step'));");
    expect(await apply(connection, mended)).toMatchObject({ state: 'applied' });
    expect(await session.query('SELECT id, step FROM shipments ORDER BY id')).toEqual([
      { id: 1, step: null },
      { id: 2, step: null },
      { id: 3, step: null },
      { id: 4, step: 'set' },
    ]);
  });
});

describe('a session', () => {
  test('that a script changes is as before for the next one', async () => {
    await session.query('CREATE SCHEMA other');
    const scripts: readonly Script[] = [
      ['01', 'SET search_path = other;\nSET lock_timeout = 0;\nSET ROLE pg_monitor;\nRESET ROLE;'],
      ['02', "CREATE TABLE here (id int);\nCREATE TABLE waits AS SELECT current_setting('lock_timeout') AS t;"],
    ];
    expect(await apply(connection, scripts)).toMatchObject({ state: 'applied' });
    expect(await session.query('SELECT t FROM public.waits')).toEqual([{ t: '2s' }]);
    expect(await session.query('SELECT count(*) AS n FROM public.delivery_migrations')).toEqual([{ n: 2 }]);
  });
});

describe('afterwards', () => {
  test('what each statement took is kept, with the size of its table', async () => {
    await session.query('CREATE TABLE shipments AS SELECT generate_series(1, 1000) AS id');
    await session.query('ANALYZE shipments');
    const scripts: readonly Script[] = [['01', "ALTER TABLE shipments ADD note text DEFAULT 'secret';"]];
    expect(await apply(connection, scripts, { keepRecord: true })).toMatchObject({ state: 'applied' });
    expect(await recordedStatements(session)).toMatchObject([
      {
        relation: 'shipments',
        mode: 'AccessExclusiveLock',
        rows: 1000,
        statement: "ALTER TABLE shipments ADD note text DEFAULT '…'",
      },
    ]);
  });

  test('a role that may not keep it applies all the same', async () => {
    await session.query("CREATE ROLE shop LOGIN PASSWORD 'shop'");
    await session.query('GRANT CREATE ON SCHEMA public TO shop');
    const own = { ...connection, user: 'shop', password: 'shop' };
    const report = await apply(own, [CREATE], { keepRecord: true });
    expect(report).toMatchObject({ state: 'applied' });
    expect(report.lines.join('\n')).toMatch(/not kept in the database: permission denied/);
    await session.query('DROP OWNED BY shop');
    await session.query('DROP ROLE shop');
  });

  test('where the schema is not that of the rehearsal, each difference is a finding', async () => {
    await apply(connection, [CREATE], { keepRecord: true });
    const expected = await readSchema(session);
    await session.query('CREATE INDEX by_hand ON shipments (carrier)');
    await session.query('ALTER TABLE shipments ALTER carrier SET NOT NULL');
    const more: Script = ['02', 'SELECT 1;'];
    const report = await apply(connection, [CREATE, more], { expected, readSchema, keepRecord: true });
    const findings = driftFindings(report.drift ?? [], 'migrations');
    expect(findings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^column .*carrier differs/),
      expect.stringMatching(/^index .*by_hand is in the database, and no migration makes it/),
    ]);
  });
});

describe('before', () => {
  test('an old transaction is waited for, and told', async () => {
    await apply(connection, [CREATE]);
    await session.query('BEGIN');
    await session.query('SELECT FROM shipments');
    await systemClock.sleep(600);
    const applying = apply(connection, [CREATE, ADD], { limits: { maxTransactionAge: 500 } });
    await systemClock.sleep(1000);
    await session.query('COMMIT');
    const report = await applying;
    expect(report).toMatchObject({ state: 'applied', lockedOut: [] });
    expect(report.lines.join('\n')).toMatch(/waiting: a transaction is open that changes would queue behind: pid/);
  });

  test('one that does not end is given up on', async () => {
    await session.query('BEGIN');
    await session.query('SELECT 1');
    await systemClock.sleep(300);
    const limits = { maxTransactionAge: 200, patience: 300 };
    await expect(apply(connection, [CREATE], { limits })).rejects.toThrow(
      /After waiting for 0\.3 s, a transaction is open/,
    );
    await session.query('COMMIT');
  });
});
