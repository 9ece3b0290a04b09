// Migrations that are programs, where nothing could be rehearsed.
import { expect, test } from '@jest/globals';
import { check } from '../../src/migrate-db/check.ts';
import type { MigrationSet } from '../../src/migrate-db/sets.ts';
import { knex } from '../../src/migration/tools/knex.ts';

const host = { log: { warning: () => {} } } as unknown as Parameters<typeof check>[3];
const file = 'migrations/1_drop.js';
const set: MigrationSet = {
  found: { tool: 'knex', project: '', directory: 'migrations', reason: '', settings: {} },
  tool: knex,
  migrations: [{ id: '1_drop.js', name: '1_drop', file, checksum: 'c', reversible: true }],
};

test.each([
  ['as there is no server', async () => ({ missing: 'no server' })],
  ['as nobody asked for it', undefined],
])('are of a high risk when they were not rehearsed, %s', async (_, tryOut) => {
  const options = { sizes: new Map(), ...(tryOut && { tryOut }) };
  const checked = await check(set, set.migrations, options, host);
  expect(checked.risk).toBe('high');
  expect(checked.findings).toMatchObject([{ code: 'not-judged', place: { file } }]);
});
