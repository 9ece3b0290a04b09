// What is known from files alone, on a real server: plain SQL, applied by this product, and Prisma, whose own program
// fetches its engine from elsewhere and does not run here. Its table is made as its engine makes it.
import { describe, expect, test } from '@jest/globals';
import { leftoversOf } from '../../src/migration/leftovers.ts';
import { apply, migrationsOf } from '../apply/scene.ts';
import { example } from './example.ts';
import { mend } from './up-and-down.ts';

describe('plain SQL', () => {
  const sql = example('sql');

  test('is read as it is applied', async () => {
    const { tool, found, migrations } = sql.of();
    const { connection, applied } = await sql.database();
    expect(migrations.map(({ id, reversible, up }) => [id, reversible, up?.transaction])).toEqual([
      ['001_create_couriers', true, true],
      ['002_add_city', true, true],
      ['003_index_couriers_by_city', true, false],
    ]);
    expect(await applied()).toEqual([]);
    expect(await apply(connection, [], { tool, found, pending: migrations })).toMatchObject({ state: 'applied' });
    const done = await applied();
    expect(done.map(({ id, state }) => [id, state])).toEqual(migrations.map(({ id }) => [id, 'applied']));
    expect(tool.check(migrations, done)).toEqual([]);
    const [first, ...rest] = migrations;
    const edited = [{ ...first, checksum: 'another' } as (typeof migrations)[0], ...rest];
    expect(tool.check(edited, done).map(({ code }) => code)).toEqual(['migration-edited']);
    expect(
      tool.check([...migrationsOf([['001_other', 'SELECT 1']]), ...migrations], done).map(({ code }) => code),
    ).toEqual(['migration-out-of-order', 'migration-number-twice']);
  }, 60_000);
});

describe('Prisma', () => {
  const prisma = example('prisma');

  test('keeps what failed, which is mended so that it is applied anew', async () => {
    const { tool, found, migrations } = prisma.of();
    const database = await prisma.database();
    const { session, applied } = database;
    expect(migrations.map(({ up }) => up?.transaction)).toEqual([false, true, false]);
    expect(await applied()).toEqual([]);
    await session.query(
      `CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
        migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
        started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0)`,
    );
    const insert = async (id: string, at: number, finished: string | null): Promise<void> => {
      const { name = '', checksum = '' } = migrations[at] ?? {};
      await session.query(
        'INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ($1, $2, $3, $4)',
        [id, checksum, name, finished],
      );
    };
    await insert('a', 0, '2026-11-01T00:00:00Z');
    await insert('b', 1, null);
    expect((await applied()).map(({ state }) => state)).toEqual(['applied', 'failed']);
    const left = await leftoversOf(session, found, migrations);
    expect(await mend(database, left)).toEqual(['prisma-failed:20260908093000_add_until']);
    expect((await applied()).map(({ id }) => id)).toEqual(['20260901080000_create_pickups']);
    await insert('c', 1, '2026-11-01T00:00:00Z');
    const done = await applied();
    expect(tool.check(migrations, done)).toEqual([]);
    expect(
      tool
        .check(
          migrations.map((one) => ({ ...one, checksum: 'x' })),
          done,
        )
        .map(({ code }) => code),
    ).toEqual(['migration-edited', 'migration-edited']);
  }, 60_000);
});
