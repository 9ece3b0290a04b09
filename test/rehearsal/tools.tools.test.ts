// Rehearsals by real tools whose SQL nobody knows before it runs.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { findTools } from '../../src/migration/detect.ts';
import { filesOf } from '../../src/migration/files.ts';
import { toolNamed } from '../../src/migration/tools/tools.ts';
import { startPglite } from '../../src/postgres/pglite.ts';
import type { ShadowServer } from '../../src/postgres/shadow-server.ts';
import { localExec } from '../../src/action/exec.ts';
import { urlOf } from '../../src/migration/address.ts';
import type { RehearsalHost } from '../../src/rehearsal/request.ts';
import { ask } from '../apply/client.ts';
import type { Rehearsal } from '../../src/rehearsal/rehearsal.ts';
import { rehearse } from '../../src/rehearsal/rehearse.ts';
import { hostOf, shadowServer } from './setup.ts';

let server: ShadowServer;
let installed = '';
let workspace = '';

const PACKAGES = {
  knex: '3.1.0',
  'node-pg-migrate': '8.0.3',
  sequelize: '6.37.7',
  'sequelize-cli': '6.6.3',
  pg: '8.16.3',
};

beforeAll(async () => {
  server = await shadowServer();
  installed = mkdtempSync(path.join(tmpdir(), 'rehearsal-tools-'));
  writeFileSync(path.join(installed, 'package.json'), JSON.stringify({ private: true, dependencies: PACKAGES }));
  await promisify(execFile)('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'], {
    cwd: installed,
  });
}, 300_000);
afterAll(async () => {
  rmSync(installed, { recursive: true, force: true });
  await server.stop();
});
beforeEach(() => {
  workspace = mkdtempSync(path.join(tmpdir(), 'rehearsal-test-'));
});
afterEach(() => rmSync(workspace, { recursive: true, force: true }));

/** A project that depends on this alone, with what was installed. */
function project(dependency: string, files: Readonly<Record<string, string>>): void {
  const dependencies = { [dependency]: '*', pg: '*' };
  writeFileSync(path.join(workspace, 'package.json'), JSON.stringify({ private: true, dependencies }));
  symlinkSync(path.join(installed, 'node_modules'), path.join(workspace, 'node_modules'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(workspace, name)), { recursive: true });
    writeFileSync(path.join(workspace, name), text);
  }
}

async function run(
  count: number,
  timeouts = { statement: 30, tool: 60 },
  on = server,
  sql?: string,
  host: Partial<RehearsalHost> = {},
): Promise<Rehearsal> {
  const [found] = findTools(await filesOf(workspace), { directory: '' });
  if (found === undefined) throw new Error('No tool was found');
  const tool = toolNamed(found.tool);
  const migrations = await tool.read(found, workspace);
  const pending = new Set(migrations.slice(-count).map(({ id }) => id));
  return rehearse(
    {
      workspace,
      found,
      tool,
      migrations,
      pending,
      server: on,
      runBy: 'tool',
      reverse: true,
      timeouts,
      ...(sql !== undefined && { schema: { file: 'schema.sql', sql } }),
    },
    { ...hostOf(new AbortController().signal), ...host },
  );
}

const KNEX = {
  'knexfile.js': `module.exports = { client: 'pg', connection: process.env.DATABASE_URL };`,
  'migrations/001_base.js': `
exports.up = (knex) => knex.schema.createTable('shipments', (t) => { t.increments(); t.string('state'); });
exports.down = (knex) => knex.schema.dropTable('shipments');`,
  'migrations/002_index.js': `
exports.up = async (knex) => {
  await knex.schema.alterTable('shipments', (t) => { t.index('state'); });
  await knex('shipments').insert({ state: 'new' });
  await knex.raw(\`ALTER TABLE shipments
    ALTER COLUMN state TYPE text\`);
};
exports.down = async (knex) => {
  await knex.schema.alterTable('shipments', (t) => { t.dropIndex('state'); t.string('state').alter(); });
};`,
  'migrations/003_concurrent.js': `
exports.config = { transaction: false };
exports.up = (knex) => knex.raw('CREATE INDEX CONCURRENTLY by_id ON shipments (id)');
exports.down = (knex) => knex.raw('DROP INDEX by_id');`,
} as const;

describe('Knex', () => {
  test('each migration gets its own statements, with place, locks and way back', async () => {
    project('knex', KNEX);
    const { failed, migrations, schema } = await run(2);
    expect(failed).toBeUndefined();
    expect(migrations).toMatchObject([
      {
        migration: { name: '002_index' },
        statements: [
          { sql: expect.stringMatching(/^create index/i), locks: [{ relation: 'shipments', mode: 'ShareLock' }] },
          { sql: expect.stringMatching(/^insert into/i), locks: expect.arrayContaining([]) },
          {
            sql: expect.stringMatching(/^ALTER TABLE shipments/),
            place: { file: 'migrations/002_index.js', line: 5 },
            locks: [{ relation: 'shipments', mode: 'AccessExclusiveLock' }],
            inTransaction: true,
          },
        ],
        reversed: { same: true },
      },
      {
        migration: { name: '003_concurrent' },
        statements: [{ locks: [{ relation: 'shipments', mode: 'ShareUpdateExclusiveLock' }], inTransaction: false }],
        reversed: { same: true },
      },
    ]);
    expect(schema.objects.has('table shipments')).toBe(true);
    expect(schema.objects.has('table knex_migrations')).toBe(false);
  });

  test("on production's schema only what production lacks is run, as its rows say", async () => {
    project('knex', KNEX);
    const schema = `SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.shipments (id serial PRIMARY KEY, state varchar(255), only_in_production int);
CREATE TABLE public.knex_migrations (id serial PRIMARY KEY, name varchar(255), batch int, migration_time timestamptz);
CREATE TABLE public.knex_migrations_lock (index serial PRIMARY KEY, is_locked int);
INSERT INTO public.knex_migrations (name, batch, migration_time) VALUES ('001_base.js', 1, now());
INSERT INTO public.knex_migrations_lock (is_locked) VALUES (0);`;
    const { failed, migrations, schema: after } = await run(2, undefined, server, schema);
    expect(failed).toBeUndefined();
    expect(migrations.map(({ migration }) => migration.name)).toEqual(['002_index', '003_concurrent']);
    expect(migrations.map(({ reversed }) => reversed?.same)).toEqual([true, true]);
    expect(after.objects.has('column shipments.only_in_production')).toBe(true);
    const rowless = schema.replace(/INSERT INTO public.knex_migrations \(.*/, '');
    await expect(run(2, undefined, server, rowless)).rejects.toThrow(/not the rows by which Knex knows/);
  });

  test('one that fails is named with its statement', async () => {
    project('knex', {
      ...KNEX,
      'migrations/004_bad.js': `exports.up = (knex) => knex.raw('ALTER TABLE nothing ADD a int');\nexports.down = () => {};`,
    });
    const { failed, migrations } = await run(1);
    expect(failed).toMatchObject({
      migration: { name: '004_bad' },
      error: { code: '42P01' },
      place: { file: 'migrations/004_bad.js', line: 1 },
    });
    expect(migrations).toHaveLength(1);
  });

  test('one that fails in its own code is told in its words', async () => {
    project('knex', {
      ...KNEX,
      'migrations/004_bad.js': `exports.up = () => { throw new Error('not today'); };\nexports.down = () => {};`,
    });
    const { failed } = await run(1);
    expect(failed).toMatchObject({ migration: { name: '004_bad' }, said: expect.stringContaining('not today') });
    expect(failed?.error).toBeUndefined();
  });

  const bad = (body: string): void =>
    project('knex', {
      ...KNEX,
      'migrations/004_bad.js': `exports.up = async (knex) => {\n${body}\n};\nexports.down = () => {};`,
    });

  test('a statement that hangs is ended in time, and named', async () => {
    bad("await knex.raw('SELECT pg_sleep(100)');");
    const { failed } = await run(1, { statement: 1, tool: 60 });
    expect(failed).toMatchObject({
      error: { code: '57014' },
      message: 'the statement took longer than 1 s',
      place: { file: 'migrations/004_bad.js', line: 2 },
    });
  });

  test('a migration that hangs in its own code is ended in time', async () => {
    bad('await new Promise((resolve) => setTimeout(resolve, 60000));');
    const { failed } = await run(1, { statement: 30, tool: 6 });
    expect(failed).toMatchObject({ migration: { name: '004_bad' }, message: 'Knex took longer than 6 s' });
  });

  test('a tool that is killed in a statement leaves nothing that runs', async () => {
    bad("setTimeout(() => process.kill(process.pid, 'SIGKILL'), 500);\nawait knex.raw('SELECT pg_sleep(25)');");
    const began = Date.now();
    const { failed } = await run(1);
    expect(failed?.migration?.name).toBe('004_bad');
    expect(Date.now() - began).toBeLessThan(15_000);
  });
});

test('Knex on PGlite, which has one session for all that it opens', async () => {
  project('knex', KNEX);
  const host = hostOf(new AbortController().signal);
  const pglite = await startPglite({ ...host, env: process.env, info: { temp: installed } as never });
  const { failed, migrations } = await run(2, undefined, pglite);
  await pglite.stop();
  expect(failed).toBeUndefined();
  expect(migrations.map(({ statements }) => statements.flatMap(({ locks }) => locks.map(({ mode }) => mode)))).toEqual([
    ['ShareLock', 'RowExclusiveLock', 'AccessExclusiveLock'],
    ['ShareUpdateExclusiveLock'],
  ]);
  expect(migrations.map(({ reversed }) => reversed?.same)).toEqual([true, true]);
}, 60_000);

test('node-pg-migrate, which runs its migrations in one transaction', async () => {
  project('node-pg-migrate', {
    'migrations/1700000000001_base.js': `
exports.up = (pgm) => pgm.createTable('shipments', { id: 'id', state: { type: 'varchar(20)' } });`,
    'migrations/1700000000002_state.js': `
exports.up = (pgm) => pgm.alterColumn('shipments', 'state', { notNull: true });
exports.down = (pgm) => pgm.alterColumn('shipments', 'state', { notNull: false });`,
    'migrations/1700000000003_sql.js': `
exports.up = (pgm) => pgm.sql('CREATE TABLE a (i int); CREATE TABLE b (i int);');
exports.down = (pgm) => pgm.sql('DROP TABLE a; DROP TABLE b;');`,
  });
  const { failed, migrations } = await run(2);
  expect(failed).toBeUndefined();
  expect(
    migrations.map(({ statements }) => statements.map(({ sql }) => sql.split(/\s+/).slice(0, 3).join(' '))),
  ).toEqual([['ALTER TABLE "shipments"'], ['CREATE TABLE a', 'CREATE TABLE b']]);
  expect(migrations.map(({ reversed }) => reversed?.same)).toEqual([true, true]);
});

test('Sequelize, which opens no transaction', async () => {
  project('sequelize-cli', {
    '.sequelizerc': `module.exports = { config: 'config.js', 'migrations-path': 'migrations' };`,
    'config.js': `module.exports = { development: { use_env_variable: 'DATABASE_URL', dialect: 'postgres' }, production: { use_env_variable: 'DATABASE_URL', dialect: 'postgres' } };`,
    'migrations/1-base.js': `
module.exports = { up: (q, S) => q.createTable('shipments', { id: { type: S.INTEGER, primaryKey: true } }), down: (q) => q.dropTable('shipments') };`,
    'migrations/2-column.js': `
module.exports = { up: (q, S) => q.addColumn('shipments', 'state', S.TEXT), down: (q) => q.removeColumn('shipments', 'state') };`,
  });
  const { failed, migrations } = await run(1);
  expect(failed).toBeUndefined();
  expect(migrations).toMatchObject([
    {
      statements: [{ locks: [{ relation: 'shipments', mode: 'AccessExclusiveLock' }], inTransaction: false }],
      reversed: { same: true },
    },
  ]);
});

test('a variable of the job that leads to a real database leads no tool there', async () => {
  const real = await server.createDatabase();
  const signal = new AbortController().signal;
  const env = { ...process.env, SHOP_DSN: urlOf(real), PGHOSTADDR: '192.0.2.1', PGSERVICE: 'production' };
  project('knex', { ...KNEX, 'knexfile.js': `module.exports = { client: 'pg', connection: process.env.SHOP_DSN };` });
  const { failed, migrations } = await run(1, undefined, server, undefined, { env, exec: localExec(env, signal) });
  expect(await ask(real, "SELECT relname FROM pg_class WHERE relname IN ('shipments', 'knex_migrations')")).toEqual([]);
  expect(failed).toBeUndefined();
  expect(migrations.map(({ migration }) => migration.name)).toEqual(['003_concurrent']);
});
