import { beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../src/action/main.ts';
import type { Tool } from '../../src/migration/tool.ts';
import { knex } from '../../src/migration/tools/knex.ts';
import { planMysql, statusMysql } from '../../src/mysql/mysql.ts';
import type { Connection } from '../../src/postgres/database.ts';
import { found } from '../apply/scene.ts';
import { ask, mariadb } from '../mariadb.ts';
import { type Script, apply, migrationsOf, sqlTool } from './scene.ts';
import { reader } from './sessions.ts';

const plain = mariadb();
let connection: Connection;

beforeEach(async () => {
  connection = await plain.createDatabase();
});

const target = (scripts: readonly Script[]) => ({
  tool: sqlTool,
  found,
  migrations: migrationsOf(scripts),
  connection: async () => connection,
});
const host = { clock: systemClock, signal: new AbortController().signal };

describe('applying', () => {
  const scripts: readonly Script[] = [
    ['01', 'CREATE TABLE shipments (id int PRIMARY KEY);\nINSERT INTO shipments VALUES (1);'],
    [
      '02',
      'DELIMITER $$\nCREATE TRIGGER t BEFORE INSERT ON shipments FOR EACH ROW BEGIN SET NEW.id = NEW.id + 1; END$$\nDELIMITER ;\nINSERT INTO shipments VALUES (5);',
    ],
  ];

  test('tells each statement with its place, and does nothing the second time', async () => {
    const { state, applied } = await apply(connection, scripts);
    expect(state).toBe('applied');
    expect(applied.flatMap(({ statements }) => statements.map(({ file, line }) => `${file}:${line}`))).toEqual([
      'migrations/01.sql:1',
      'migrations/01.sql:2',
      'migrations/02.sql:2',
      'migrations/02.sql:4',
    ]);
    expect(await ask(connection, 'SELECT id FROM shipments')).toEqual([{ id: 1 }, { id: 6 }]);
    expect((await apply(connection, scripts)).state).toBe('nothing');
  });

  test('stops at what is wrong, keeps what is done, and goes on once it is mended', async () => {
    const broken: readonly Script[] = [
      ['01', 'CREATE TABLE a (id int);\nCREATE TABEL b (id int);\nCREATE TABLE c (id int);'],
    ];
    const { state, failure } = await apply(connection, broken);
    expect(state).toBe('failed');
    expect(failure).toMatchObject({
      left: 'part',
      leftStatements: ['line 1: CREATE TABLE a (id int)'],
      statement: { file: 'migrations/01.sql', line: 2 },
      error: { code: '42601', errno: 1064 },
      next: expect.stringContaining('Mend line 2 of migrations/01.sql'),
    });
    const status = await statusMysql(target(broken), host);
    expect(status.begun).toMatchObject([{ id: '01', statements: 1, outside: false }]);
    expect(Math.abs(Date.parse(status.begun[0]?.startedAt ?? '') - Date.now())).toBeLessThan(60_000);
    const mended: readonly Script[] = [
      ['01', 'CREATE TABLE a (id int);\nCREATE TABLE b (id int);\nCREATE TABLE c (id int);'],
    ];
    expect((await apply(connection, mended)).state).toBe('applied');
    const changed: readonly Script[] = [['02', 'CREATE TABLE d (id int);\nSELECT 1 FROM nowhere;']];
    await apply(connection, changed);
    const other = await apply(connection, [['02', 'CREATE TABLE e (id int);\nSELECT 1;']]);
    expect(other.failure?.message).toMatch(/did its first 1 statements, and those stand in it no more/);
  });

  test('runs nothing of a script that cannot be recorded, or never ends', async () => {
    const bad: readonly Script[] = [
      ['01', 'CREATE TABLE a (id int);'],
      ['02', 'LOCK TABLES a WRITE;'],
      ['03', "SELECT 'x;"],
      ['04', 'source other.sql'],
    ];
    const { state, failure } = await apply(connection, bad);
    expect(state).toBe('failed');
    expect(failure?.message).toMatch(/LOCK TABLES[^]*string never ends[^]*source other.sql/);
    expect((await ask(connection, 'SHOW TABLES')).map((row) => Object.values(row)[0])).toEqual(['delivery_migrations']);
  });
});

test('a statement that runs too long is ended, and so is one of a run that is cancelled', async () => {
  const long: readonly Script[] = [
    ['01', 'CREATE TABLE a (id int);\nSELECT SLEEP(30), BENCHMARK(2000000000, MD5(1));'],
  ];
  const late = await apply(connection, long, { limits: { statementTimeout: 1000 } });
  expect(late).toMatchObject({ state: 'failed', failure: { statement: { line: 2 }, left: 'part' } });
  expect(late.seconds).toBeLessThan(15);
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error('cancelled')), 1000);
  const cancelled = await apply(connection, long, { signal: stop.signal });
  expect(cancelled).toMatchObject({ state: 'cancelled', failure: { message: expect.stringContaining('cancelled') } });
});

test('a transaction that is open for long is waited for, before anybody queues behind a change', async () => {
  await ask(connection, 'CREATE TABLE shipments (id int) ENGINE=InnoDB');
  const holder = await reader(connection);
  await systemClock.sleep(2100);
  const limits = { maxTransactionAge: 1000, patience: 500 };
  await expect(apply(connection, [['01', 'SELECT 1']], { limits })).rejects.toThrow(
    new RegExp(`After waiting for 0.5 s, a transaction is open .* pid ${holder.id} `),
  );
  await holder.end();
  expect((await apply(connection, [['01', 'SELECT 1']], { limits })).state).toBe('applied');
});

test('a user who may see no other session can migrate, and is told what is hidden', async () => {
  const user = `small_${connection.database}`;
  await ask(connection, `GRANT ALL ON ${connection.database}.* TO '${user}'@'127.0.0.1' IDENTIFIED BY 'small'`);
  const small = { ...connection, user, password: 'small' };
  const { state, lines } = await apply(small, [['01', 'CREATE TABLE a (id int);']]);
  expect(state).toBe('applied');
  expect(lines).toContainEqual(expect.stringMatching(/GRANT PROCESS/));
});

test('a server that takes no writes is said to be one, and nothing is begun', async () => {
  await ask(connection, 'SET GLOBAL read_only = 1');
  try {
    await expect(apply(connection, [['01', 'SELECT 1']])).rejects.toThrow(/takes no writes/);
  } finally {
    await ask(connection, 'SET GLOBAL read_only = 0');
  }
});

test('a plan says what is pending, what it would do by the tables that are there, and changes nothing', async () => {
  await ask(connection, 'CREATE TABLE shipments (id int PRIMARY KEY, note varchar(10))');
  const scripts: readonly Script[] = [
    ['01', 'ALTER TABLE shipments MODIFY note varchar(200);\nALTER TABLE shipments MODIFY id bigint;'],
  ];
  const { pending, findings, server, sizes } = await planMysql(target(scripts), host);
  expect(pending.map(({ id }) => id)).toEqual(['01']);
  expect(server.flavour).toBe('MariaDB');
  expect(sizes).toMatchObject([{ table: 'shipments', rows: 0 }]);
  expect(findings.map(({ code, place }) => `${place.line} ${code}`)).toEqual(
    expect.arrayContaining(['1 algorithm-missing', '2 column-type-copies']),
  );
  expect((await ask(connection, 'SHOW TABLES')).length).toBe(1);
});

describe('another tool', () => {
  const program = `
    const { createConnection } = await import('mysql2/promise');
    const c = await createConnection(process.env.DATABASE_URL);
    await c.query('CREATE TABLE IF NOT EXISTS knex_migrations (id int AUTO_INCREMENT PRIMARY KEY, name varchar(255), migration_time timestamp)');
    await c.query("INSERT INTO knex_migrations (name) VALUES ('01')");
    console.log(process.argv.slice(2).join(' '), Object.keys(process.env).some((name) => name.startsWith('PG')));
    await c.end();`;

  test('gets the connection by its environment, and its own table says what came of it', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'tool-'));
    const file = path.join(import.meta.dirname, `.tool-${path.basename(folder)}.mjs`);
    await writeFile(file, program);
    try {
      const tool: Tool = {
        ...knex,
        up: (one, address) => ({
          ...(knex.up?.(one, address) ?? { env: {} }),
          program: process.execPath,
          args: [file, 'up'],
          cwd: '',
        }),
      };
      const knexFound = { ...found, tool: 'knex', settings: { table: 'knex_migrations' } } as const;
      const { state, lines } = await apply(connection, [['01', 'SELECT 1']], { tool: { tool, found: knexFound } });
      expect(lines).toContain('up false');
      expect(state).toBe('applied');
      expect(lines.join('\n')).not.toContain(connection.password);
    } finally {
      await rm(file);
      await rm(folder, { recursive: true });
    }
  });

  test('that would show the password to others is refused', async () => {
    const tool: Tool = {
      ...sqlTool,
      name: 'golang-migrate',
      title: 'golang-migrate',
      applied: async () => [],
      up: (_, address) => ({
        program: 'migrate',
        args: ['-database', `postgres://x:${address.password}@y`],
        cwd: '',
        env: {},
      }),
    };
    const { failure } = await apply(connection, [['01', 'SELECT 1']], { tool: { tool } });
    expect(failure?.message).toMatch(/takes its database on the command line/);
  });
});
