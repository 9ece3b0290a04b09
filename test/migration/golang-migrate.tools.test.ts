// Real golang-migrate, built at a version, on a real server.
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { leftoversOf } from '../../src/migration/leftovers.ts';
import { cache } from '../lab/cache.ts';
import { bringPrograms, example, goProgram } from './example.ts';
import { cancelWaiting, mend, succeed, upAndDown } from './up-and-down.ts';

const VERSION = 'v4.19.1';
const bin = path.join(cache, 'migrations', `golang-migrate-${VERSION}`);

describe('golang-migrate', () => {
  beforeAll(async () => {
    await bringPrograms({ go: 'golang' });
    await goProgram(`github.com/golang-migrate/migrate/v4/cmd/migrate@${VERSION}`, bin);
  }, 600_000);
  const migrate = example('golang-migrate', undefined, { PATH: `${bin}:${process.env['PATH'] ?? ''}` });
  upAndDown(migrate);

  test('is refused by a version that failed, until that is mended', async () => {
    const { tool, found, read, remove, write } = migrate.of();
    const database = await migrate.database();
    const up = tool.up?.(found, database.address);
    const file = 'migrations/000004_two_tables.up.sql';
    await write(file, 'CREATE TABLE kept (id int);\nCREATE TABLE routes (id int);\n');
    try {
      expect((await database.run(up)).exitCode).not.toBe(0);
      expect((await database.applied()).map(({ id, state }) => [id, state])).toContainEqual(['4', 'failed']);
      // Both went as one query, so nothing is left of the first.
      expect(await database.session.query("SELECT to_regclass('kept') IS NULL AS gone")).toEqual([{ gone: true }]);
      await write(file, 'CREATE TABLE kept (id int);\n');
      const refused = await database.run(up);
      expect(refused.stderr).toContain('Dirty database version 4');
      const left = await leftoversOf(database.session, found, await read());
      expect(await mend(database, left)).toEqual(['golang-migrate-dirty:4']);
      succeed(await database.run(up));
      expect((await database.applied()).at(-1)).toEqual({ id: '4', state: 'applied' });
    } finally {
      await remove(file);
    }
  }, 120_000);

  test('that was cancelled in its very first version is mended back to nothing', async () => {
    const { tool, found, migrations, text, write } = migrate.of();
    const database = await migrate.database();
    await database.session.query('CREATE TABLE held (id int)');
    const file = 'migrations/000001_create_routes.up.sql';
    const before = await text(file);
    await write(file, `ALTER TABLE held ADD COLUMN more int;\n${before}`);
    try {
      await cancelWaiting(database, tool.up?.(found, database.address), 'held');
      const left = await leftoversOf(database.session, found, migrations);
      expect(await mend(database, left)).toEqual(['golang-migrate-dirty:1']);
      succeed(await database.run(tool.up?.(found, database.address)));
      expect((await database.applied()).every(({ state }) => state === 'applied')).toBe(true);
    } finally {
      await write(file, before);
    }
  }, 120_000);

  test('passes over one that is older than the last, in silence; it is told before', async () => {
    const { tool, found, read, remove, write } = migrate.of();
    const database = await migrate.database();
    await remove('migrations/000002_create_stops.up.sql');
    await remove('migrations/000003_index_stops_by_city.up.sql');
    await write('migrations/000003_index_stops_by_city.up.sql', 'SELECT 1;');
    try {
      succeed(await database.run(tool.up?.(found, database.address)));
      await write('migrations/000002_create_stops.up.sql', 'CREATE TABLE stops (id int);');
      succeed(await database.run(tool.up?.(found, database.address)));
      expect(await database.session.query("SELECT to_regclass('stops') IS NULL AS gone")).toEqual([{ gone: true }]);
      // Its table keeps the last number alone: what was passed over is not to be told from what ran.
      expect(tool.check(await read(), await database.applied())).toEqual([]);
      // Against what the base had, it is.
      const base = [
        { id: '1', state: 'applied' },
        { id: '3', state: 'applied' },
      ] as const;
      expect(tool.check(await read(), base).map(({ code }) => code)).toEqual(['migration-out-of-order']);
    } finally {
      await write('migrations/000003_index_stops_by_city.up.sql', 'SELECT 1;');
    }
  }, 120_000);
});
