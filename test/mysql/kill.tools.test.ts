// A run that is killed at every point of its way, and run again: no migration is lost, and none is applied twice.
import { beforeEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/action/main.ts';
import type { Moment } from '../../src/apply/run-script.ts';
import type { Connection } from '../../src/postgres/database.ts';
import { ask, client, mariadb } from '../mariadb.ts';
import { start } from './process.ts';
import { type Script, apply } from './scene.ts';
import { until } from './sessions.ts';

const server = mariadb();
let connection: Connection;

beforeEach(async () => {
  connection = await server.createDatabase();
});

/** Each leaves a row, a column or a trigger, and would leave a second one or fail if it were run twice. */
const SCRIPTS: readonly Script[] = [
  [
    '01_journal',
    "CREATE TABLE journal (at int AUTO_INCREMENT PRIMARY KEY, step text);\nINSERT INTO journal (step) VALUES ('01');",
  ],
  [
    '02_more',
    `INSERT INTO journal (step) VALUES ('02 a');
     ALTER TABLE journal ADD COLUMN run int;
     SET @step = '02 b';
     INSERT INTO journal (step) VALUES (@step);
     CREATE TABLE other (id int);
     RENAME TABLE other TO others;
     CREATE VIEW steps AS SELECT step FROM journal;`,
  ],
  [
    '03_own',
    `START TRANSACTION;
     INSERT INTO journal (step) VALUES ('03 a');
     INSERT INTO journal (step) VALUES ('03 b');
     COMMIT;
     CREATE INDEX by_step ON journal (step(10));
     DROP TABLE others;`,
  ],
  ['04_last', "INSERT INTO journal (step) VALUES ('04');"],
];
const STEPS = ['01', '02 a', '02 b', '03 a', '03 b', '04'];

async function expectAllOnce(): Promise<void> {
  expect((await ask(connection, 'SELECT step FROM journal ORDER BY at')).map(({ step }) => step)).toEqual(STEPS);
  const done = await ask(connection, 'SELECT id FROM delivery_migrations WHERE applied_at IS NOT NULL ORDER BY id');
  expect(done).toEqual(SCRIPTS.map(([id]) => ({ id })));
  const tables = await ask(connection, 'SHOW TABLES');
  expect(new Set(tables.flatMap((row) => Object.values(row)))).toEqual(
    new Set(['delivery_migrations', 'journal', 'steps']),
  );
  const [journal] = await ask(connection, 'SHOW CREATE TABLE journal');
  expect(journal?.['Create Table']).toMatch(/`run` int[^]*KEY `by_step`/);
}

const upTo = (moment: Moment, most: number): readonly (readonly [Moment, number])[] =>
  Array.from({ length: most }, (_, n) => [moment, n + 1] as const);
const POINTS = [
  ...upTo('locked', 1),
  ...upTo('begun', 11),
  ...upTo('statement', 16),
  ...upTo('committing', 11),
  ...upTo('committed', 4),
  ...upTo('checked', 1),
];

describe('killed', () => {
  test.each(POINTS)('at %s %i, and run again', async (moment, number) => {
    const killed = start(connection, SCRIPTS, { killAt: [moment, number] });
    expect(await killed.ended).toBeUndefined();
    expect(killed.child.signalCode).toBe('SIGKILL');
    const again = await apply(connection, SCRIPTS);
    expect(again.failure).toBeUndefined();
    await expectAllOnce();
  });
});

describe('killed within a change that the server goes on with', () => {
  test('the next run waits for it, sees that it is done, and goes on behind it', async () => {
    await ask(connection, 'CREATE TABLE shipments (id int)');
    const blocker = await client(connection);
    await blocker.query('START TRANSACTION');
    await blocker.query('SELECT * FROM shipments');
    const scripts: readonly Script[] = [
      ['01', 'ALTER TABLE shipments ADD COLUMN weight int;\nALTER TABLE shipments ADD COLUMN size int;'],
    ];
    const limits = { lockTimeout: 60_000, lockTimeoutMax: 60_000 };
    const killed = start(connection, scripts, { limits });
    await until(connection, "SELECT 1 FROM information_schema.PROCESSLIST WHERE STATE LIKE '%metadata lock%'");
    killed.child.kill('SIGKILL');
    await killed.ended;
    const next = apply(connection, scripts, { limits });
    await systemClock.sleep(1500);
    await blocker.query('COMMIT');
    await blocker.close();
    const { state, lines, applied } = await next;
    expect(lines).toContainEqual(expect.stringMatching(/^A statement of an earlier run goes on: waiting for pid \d+/));
    // A server that notices the loss of its client ends the wait instead; both are told.
    expect(lines).toContainEqual(
      expect.stringMatching(/broke off in line 1: what it changes (has changed|is as it was)/),
    );
    expect(state).toBe('applied');
    expect(applied[0]?.resumed).toBe(true);
    const columns = await ask(connection, 'SHOW COLUMNS FROM shipments');
    expect(columns.map(({ Field }) => Field)).toEqual(['id', 'weight', 'size']);
  });

  test('and where nobody can tell, it says what to look at', async () => {
    const scripts: readonly Script[] = [
      ['01', 'CREATE TABLE t (id int);\nTRUNCATE TABLE t;\nINSERT INTO t VALUES (1);'],
    ];
    const killed = start(connection, scripts, { killAt: ['begun', 3] });
    expect(await killed.ended).toBeUndefined();
    const { state, failure } = await apply(connection, scripts);
    expect(state).toBe('failed');
    expect(failure).toMatchObject({
      left: 'part',
      leftStatements: ['line 1: CREATE TABLE t (id int)'],
      statement: { line: 2 },
      message: expect.stringMatching(
        /whether it ended is not known: look .* UPDATE delivery_migrations SET outside = 0/,
      ),
    });
    await ask(connection, "UPDATE delivery_migrations SET outside = 0, statements = 1 WHERE id = '01'");
    expect((await apply(connection, scripts)).state).toBe('applied');
    expect(await ask(connection, 'SELECT id FROM t')).toEqual([{ id: 1 }]);
  });
});
