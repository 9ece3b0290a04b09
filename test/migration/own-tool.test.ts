import { expect, test } from '@jest/globals';
import type { Migration } from '../../src/migration/migration.ts';
import { command, foundCommand } from '../../src/migration/tools/command.ts';

const found = foundCommand({ command: ['./migrate'], directory: 'db', history: 'ops.log.version' });

function migration(id: string): Migration {
  return { id, name: id.replace(/\.\w+$/, ''), file: `db/${id}`, checksum: '', reversible: false };
}

/** A table that holds these, in the place of a server. */
function holding(...values: readonly string[]): Parameters<typeof command.applied>[0] {
  return {
    query: async <T>(sql: string) => {
      if (/pg_attribute/.test(sql)) return [{ is_there: true }] as T[];
      expect(sql).toBe('SELECT DISTINCT "version"::text AS name FROM "ops"."log"');
      return values.map((name) => ({ name })) as T[];
    },
  };
}

test.each<[string, readonly string[], readonly string[]]>([
  ['their names', ['1_a.sql', '3_c.sql'], ['1_a.sql', '3_c.sql']],
  ['names without an ending', ['2_b'], ['2_b.sql']],
  ['paths', ['db/2_b.sql', '/srv/app/db/1_a.sql'], ['1_a.sql', '2_b.sql']],
  ['their numbers, with zeros or without', ['0001', '3'], ['1_a.sql', '3_c.sql']],
  ['a number that two files have, which means neither', ['4'], []],
  ['what is no file of the repository', ['9_gone.sql', '', 'baseline', '9'], []],
])('the table may hold %s', async (_, values, applied) => {
  const migrations = ['1_a.sql', '2_b.sql', '3_c.sql', '4_d.sql', '4_e.sql'].map((id) => migration(id));
  const rows = await command.applied(holding(...values), found, migrations);
  expect(rows).toEqual(applied.map((id) => ({ id, state: 'applied' })));
});

test('the program and its arguments stay as they are', () => {
  const own = foundCommand({ command: ['./m', './a', "; rm -rf '"], directory: 'db', history: 'log.version' });
  const address = { host: '127.0.0.1', port: 5, user: 'u', password: 'p', database: 'd' };
  expect(command.up?.(own, address)).toMatchObject({
    program: './m',
    args: ['./a', "; rm -rf '"],
    env: { DATABASE_URL: expect.any(String) },
  });
});
