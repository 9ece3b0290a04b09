// A run that is killed at every point of its way, and run again: no migration is lost, and none is applied twice.
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Moment } from '../../src/apply/run-script.ts';
import type { Connection } from '../../src/postgres/database.ts';
import { postgres } from '../postgres.ts';
import { ask, client, running, until } from './client.ts';
import { start } from './process.ts';
import { type Script, apply } from './scene.ts';

const server = postgres();
let connection: Connection;

beforeEach(async () => {
  connection = await server.createDatabase();
});

/** Each leaves one row, and could leave a second one: nothing is unique but the order of what was done. */
const SCRIPTS: readonly Script[] = [
  ['01_journal', "CREATE TABLE journal (at serial, step text);\nINSERT INTO journal (step) VALUES ('01');"],
  ['02_more', "INSERT INTO journal (step) VALUES ('02 a');\nINSERT INTO journal (step) VALUES ('02 b');"],
  [
    '03_outside',
    `INSERT INTO journal (step) VALUES ('03 a');
     CREATE INDEX CONCURRENTLY journal_step ON journal (step);
     VACUUM journal;
     INSERT INTO journal (step) VALUES ('03 b');`,
    'outside',
  ],
  ['04_last', "INSERT INTO journal (step) VALUES ('04');"],
];
const STEPS = ['01', '02 a', '02 b', '03 a', '03 b', '04'];

async function expectAllOnce(): Promise<void> {
  expect((await ask(connection, 'SELECT step FROM journal ORDER BY at')).map(({ step }) => step)).toEqual(STEPS);
  expect(await ask(connection, 'SELECT id FROM delivery_migrations WHERE applied_at IS NOT NULL ORDER BY id')).toEqual(
    SCRIPTS.map(([id]) => ({ id })),
  );
  expect(await ask(connection, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'journal_step'::regclass")).toEqual([
    { indisvalid: true },
  ]);
}

const POINTS: readonly (readonly [Moment, number])[] = [
  ['locked', 1],
  ...[1, 2, 3, 4, 5, 6].map((n) => ['begun', n] as const),
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => ['statement', n] as const),
  ...[1, 2, 3, 4, 5].map((n) => ['committing', n] as const),
  ...[1, 2, 3, 4].map((n) => ['committed', n] as const),
  ['checked', 1],
];

describe('killed', () => {
  test.each(POINTS)('at %s %i, and run again', async (moment, number) => {
    const killed = start(connection, SCRIPTS, { killAt: [moment, number] });
    expect(await killed.ended).toBeUndefined();
    expect(killed.child.signalCode).toBe('SIGKILL');
    const again = await apply(connection, SCRIPTS);
    expect(again.state).toBe(moment === 'checked' || (moment === 'committed' && number === 4) ? 'nothing' : 'applied');
    await expectAllOnce();
  });
});

describe('killed within a statement', () => {
  test('that builds an index: the next run waits for nobody who is gone, drops what is invalid and builds it again', async () => {
    await ask(connection, 'CREATE TABLE shipments (id int)');
    const old = await client(connection);
    await old.query('BEGIN');
    await old.query('INSERT INTO shipments VALUES (1)');
    const scripts: readonly Script[] = [['01', 'CREATE INDEX CONCURRENTLY by_id ON shipments (id);', 'outside']];
    const killed = start(connection, scripts);
    await until(connection, running('CREATE INDEX CONCURRENTLY%'));
    killed.child.kill('SIGKILL');
    await killed.ended;
    // The server itself ends the statement whose client is gone.
    await until(connection, `SELECT 1 WHERE NOT EXISTS (${running('CREATE INDEX CONCURRENTLY%')})`);
    expect(await ask(connection, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_id'::regclass")).toEqual([
      { indisvalid: false },
    ]);
    await old.query('COMMIT');
    await old.close();
    const again = await apply(connection, scripts);
    expect(again).toMatchObject({ state: 'applied', droppedIndexes: ['by_id'] });
    expect(again.applied).toMatchObject([{ resumed: true }]);
    expect(await ask(connection, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_id'::regclass")).toEqual([
      { indisvalid: true },
    ]);
  });

  test('whose end nobody can know is told, and not guessed', async () => {
    await ask(connection, 'CREATE TABLE steps (n int)');
    const procedure =
      'CREATE PROCEDURE work() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO steps VALUES (1); COMMIT; PERFORM pg_sleep(30); END $$';
    await ask(connection, procedure);
    const scripts: readonly Script[] = [['01', 'INSERT INTO steps VALUES (0);\nCALL work();', 'outside']];
    const killed = start(connection, scripts);
    await until(connection, 'SELECT 1 FROM steps WHERE n = 1');
    killed.child.kill('SIGKILL');
    await killed.ended;
    const again = await apply(connection, scripts);
    expect(again).toMatchObject({ state: 'failed', failure: { left: 'part', statement: { line: 2 } } });
    expect(again.failure?.message).toMatch(/broke off in this statement.*whether it ended is not known/);
    expect(await ask(connection, 'SELECT n FROM steps ORDER BY n')).toEqual([{ n: 0 }, { n: 1 }]);
    // As the report says: somebody looked, and it was through.
    const note = /UPDATE [^;]+/.exec(again.failure?.next ?? '')?.[0] ?? '';
    await ask(connection, note);
    expect(await apply(connection, scripts)).toMatchObject({ state: 'applied' });
    expect(await ask(connection, 'SELECT n FROM steps ORDER BY n')).toEqual([{ n: 0 }, { n: 1 }]);
  });
});
