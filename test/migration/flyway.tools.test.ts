// Real Flyway on a real server, by the Maven plugin of its example.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { leftoversOf } from '../../src/migration/leftovers.ts';
import { bringPrograms, example } from './example.ts';
import { mend, succeed, upAndDown } from './up-and-down.ts';

describe('Flyway', () => {
  beforeAll(async () => bringPrograms({ mvn: 'maven' }), 300_000);
  const flyway = example('flyway');
  upAndDown(flyway);

  test('is refused by what failed outside of a transaction, until that is mended', async () => {
    const { tool, found, read, remove, write } = flyway.of();
    const database = await flyway.database();
    const up = tool.up?.(found, database.address);
    succeed(await database.run(up));
    await database.session.query("INSERT INTO invoices (customer, cents) VALUES ('a', 1), ('a', 1)");
    const file = 'src/main/resources/db/migration/V3__one_each.sql';
    await write(file, 'CREATE UNIQUE INDEX CONCURRENTLY one_each ON invoices (customer);');
    try {
      expect((await database.run(up)).exitCode).not.toBe(0);
      expect((await database.applied()).map(({ id, state }) => [id, state])).toContainEqual(['3', 'failed']);
      await database.session.query('DROP INDEX one_each');
      await database.session.query('DELETE FROM invoices');
      const refused = await database.run(up);
      expect(refused.stdout).toMatch(/failed migration/i);
      const left = await leftoversOf(database.session, found, await read());
      expect(await mend(database, left)).toEqual(['flyway-failed:V3__one_each.sql']);
      succeed(await database.run(up));
      expect((await database.applied()).map(({ id, state }) => [id, state])).toContainEqual(['3', 'applied']);
    } finally {
      await remove(file);
    }
  }, 300_000);

  test('refuses a file that was edited, and one that is late; both are told before', async () => {
    const { tool, found, read, remove, text, write } = flyway.of();
    const database = await flyway.database();
    const up = tool.up?.(found, database.address);
    succeed(await database.run(up));
    const [late, first] = ['V1.0.5__late.sql', 'V1__create_invoices.sql'].map(
      (name) => `src/main/resources/db/migration/${name}`,
    ) as [string, string];
    const before = await text(first);
    await write(late, 'SELECT 1;');
    await write(first, `${before}\n-- edited`);
    try {
      const found = tool.check(await read(), await database.applied());
      expect(found.map(({ code, place }) => [code, place.file.replace(/.*\//, '')])).toEqual([
        ['migration-out-of-order', 'V1.0.5__late.sql'],
        ['migration-edited', 'V1__create_invoices.sql'],
      ]);
      const refused = await database.run(up);
      expect(refused.stdout).toMatch(/checksum mismatch/i);
      await write(first, before);
      expect((await database.run(up)).stdout).toMatch(/resolved migration not applied/i);
    } finally {
      await write(first, before);
      await remove(late);
    }
  }, 300_000);

  test('applies a version without what is repeated and changed, which comes after all of them', async () => {
    const { tool, found, read, text, remove, write } = flyway.of();
    const database = await flyway.database();
    succeed(await database.run(tool.up?.(found, database.address)));
    const [third, fourth, view] = ['V3__a.sql', 'V4__b.sql', 'R__open_invoices.sql'].map(
      (name) => `src/main/resources/db/migration/${name}`,
    ) as [string, string, string];
    const before = await text(view);
    await write(third, 'CREATE TABLE a (id int);');
    await write(fourth, 'CREATE TABLE b (id int);');
    await write(view, before.replace('id, customer, cents', 'id, customer, cents, (SELECT count(*) FROM b) AS b'));
    try {
      const pending = (await read()).slice(-3);
      succeed(await database.run(tool.upTo?.(found, database.address, pending.slice(0, 1))));
      expect((await database.applied()).map(({ id }) => id)).toEqual(['1', '1.1', '2', '3']);
      succeed(await database.run(tool.upTo?.(found, database.address, pending.slice(1))));
      expect((await database.applied()).map(({ id }) => id)).toEqual(['1', '1.1', '2', '3', '4', 'R__open_invoices']);
    } finally {
      await write(view, before);
      await remove(third);
      await remove(fourth);
    }
  }, 300_000);

  test('applies what is repeated again once it changed', async () => {
    const { tool, found, read, text, write } = flyway.of();
    const database = await flyway.database();
    const up = tool.up?.(found, database.address);
    succeed(await database.run(up));
    const file = 'src/main/resources/db/migration/R__open_invoices.sql';
    const before = await text(file);
    await write(file, before.replace('current_date', 'now()'));
    try {
      const id = (await read()).at(-1)?.id;
      expect((await database.applied()).map((one) => one.id)).not.toContain(id);
      succeed(await database.run(up));
      expect((await database.applied()).filter((one) => one.id === id)).toHaveLength(1);
      expect(tool.check(await read(), await database.applied())).toEqual([]);
    } finally {
      await write(file, before);
    }
  }, 300_000);
});
