// The examples' own tools, installed by their lockfiles, on a real server.
import { describe, expect, test } from '@jest/globals';
import { leftoversOf } from '../../src/migration/leftovers.ts';
import { example, npm } from './example.ts';
import { cancelWaiting, mend, succeed, upAndDown } from './up-and-down.ts';

describe('Knex', () => {
  const knex = example('knex', npm);
  upAndDown(knex);

  test('is refused by the lock of a run that was cancelled, until that is mended', async () => {
    const { tool, found, migrations } = knex.of();
    const database = await knex.database();
    const up = tool.up?.(found, database.address);
    succeed(await database.run(up));
    succeed(await database.run(tool.down?.(found, database.address, migrations)));
    await cancelWaiting(database, up, 'rates');
    const refused = await database.run(up);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr + refused.stdout).toMatch(/MigrationLocked|lock/i);
    expect(await mend(database, await leftoversOf(database.session, found, migrations))).toEqual(['knex-lock']);
    succeed(await database.run(up));
    expect(await leftoversOf(database.session, found, migrations)).toEqual([]);
  }, 120_000);

  test('tells a file that is applied and missing, as Knex does', async () => {
    const { tool, found, read, remove, write } = knex.of();
    const database = await knex.database();
    const file = 'migrations/20260922120000_drop_me.js';
    await write(file, 'export async function up() {}\nexport async function down() {}\n');
    succeed(await database.run(tool.up?.(found, database.address)));
    await remove(file);
    const refused = await database.run(tool.up?.(found, database.address));
    expect(refused.stderr + refused.stdout).toContain('20260922120000_drop_me.js');
    expect(refused.exitCode).not.toBe(0);
    expect(tool.check(await read(), await database.applied()).map(({ code }) => code)).toEqual(['migration-missing']);
  }, 120_000);
});

describe('node-pg-migrate', () => {
  const migrate = example('node-pg-migrate', npm);
  upAndDown(migrate);

  test('refuses what is older than what is applied, which is told before', async () => {
    const { tool, found, read, remove, write } = migrate.of();
    const database = await migrate.database();
    succeed(await database.run(tool.up?.(found, database.address)));
    const file = 'migrations/1788300000000_late.js';
    await write(file, 'export const up = () => {};\nexport const down = false;\n');
    try {
      const migrations = await read();
      expect(tool.check(migrations, await database.applied()).map(({ code }) => code)).toEqual([
        'migration-out-of-order',
      ]);
      expect(migrations.filter(({ reversible }) => !reversible).map(({ name }) => name)).toEqual([
        '1788300000000_late',
      ]);
      const refused = await database.run(tool.up?.(found, database.address));
      expect(refused.exitCode).not.toBe(0);
      expect(refused.stderr + refused.stdout).toMatch(/preceding already run migration/);
    } finally {
      await remove(file);
    }
  }, 120_000);
});

describe('TypeORM', () => {
  upAndDown(example('typeorm', npm));
});

describe('Sequelize', () => {
  upAndDown(example('sequelize', npm));
});

describe('dbmate', () => {
  upAndDown(example('dbmate', npm));
});

describe('Drizzle', () => {
  const drizzle = example('drizzle', npm);
  upAndDown(drizzle);

  test('passes over an entry that is older than what is applied, in silence; it is told before', async () => {
    const { tool, found, read, write, remove, migrations } = drizzle.of();
    const database = await drizzle.database();
    succeed(await database.run(tool.up?.(found, database.address)));
    const entries = migrations.map(({ id, name }, idx) => ({ idx, version: '7', when: Number(id), tag: name }));
    const journal = (all: readonly object[]) =>
      write('migrations/meta/_journal.json', JSON.stringify({ version: '7', dialect: 'postgresql', entries: all }));
    const late = { idx: 3, version: '7', when: Number(migrations[1]?.id) + 1, tag: '0003_late', breakpoints: true };
    await write('migrations/0003_late.sql', 'CREATE TABLE late (id int);');
    await journal([...entries.map((entry) => ({ ...entry, breakpoints: true })), late]);
    try {
      succeed(await database.run(tool.up?.(found, database.address)));
      const [row] = await database.session.query("SELECT to_regclass('late') IS NULL AS passed_over");
      expect(row).toEqual({ passed_over: true });
      expect(tool.check(await read(), await database.applied())).toMatchObject([
        { code: 'migration-out-of-order', place: { file: 'services/own/migrations/0003_late.sql' } },
      ]);
    } finally {
      await journal(entries);
      await remove('migrations/0003_late.sql');
    }
  }, 120_000);

  test('never looks at a file again that is applied; an edited one is told', async () => {
    const { tool, found, read, write, migrations } = drizzle.of();
    const database = await drizzle.database();
    succeed(await database.run(tool.up?.(found, database.address)));
    const [first] = migrations;
    await write(`migrations/${first?.name}.sql`, `${first?.up?.sql}\n-- edited`);
    try {
      succeed(await database.run(tool.up?.(found, database.address)));
      expect(tool.check(await read(), await database.applied())).toMatchObject([{ code: 'migration-edited' }]);
    } finally {
      await write(`migrations/${first?.name}.sql`, first?.up?.sql ?? '');
    }
  }, 120_000);
});
