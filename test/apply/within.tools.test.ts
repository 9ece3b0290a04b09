// A tool that makes its own table step by step in one transaction, looked into while it is not yet whole.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { historyRows, textOf } from '../../src/migration/history.ts';
import type { Tool } from '../../src/migration/tool.ts';
import { command, foundCommand } from '../../src/migration/tools/command.ts';
import { postgres } from '../postgres.ts';
import { ask } from './client.ts';
import { apply } from './scene.ts';

const server = postgres();

test('what the server refuses there does no harm to its transaction', async () => {
  const connection = await server.createDatabase();
  const workspace = mkdtempSync(path.join(tmpdir(), 'within-'));
  writeFileSync(
    path.join(workspace, 'all.sql'),
    `CREATE TABLE change_log (id int);
     CREATE TABLE parcels (id int);
     INSERT INTO change_log VALUES (1);
     ALTER TABLE change_log ADD COLUMN script text;
     UPDATE change_log SET script = '1_parcels.sql';`,
  );
  // It asks for the column wherever the table is, as the tools' own readers do.
  const tool: Tool = {
    ...command,
    applied: async (database) =>
      (await historyRows(database, 'change_log', 'script')).map((row) => ({
        id: textOf(row, 'script'),
        state: 'applied',
      })),
  };
  const args = ['psql', '-X', '-v', 'ON_ERROR_STOP=1', '--single-transaction', '-f', 'all.sql'];
  const found = foundCommand({ command: args, directory: 'changes', history: 'change_log.script' });
  const [id, file] = ['1_parcels.sql', 'changes/1_parcels.sql'];
  const migrations = [{ id, name: '1_parcels', file, checksum: '', reversible: false }];
  const report = await apply(connection, [], { tool, found, migrations, pending: migrations, workspace });
  rmSync(workspace, { recursive: true });
  expect(report).toMatchObject({ state: 'applied', applied: [{ migration: { id } }] });
  expect(report.applied[0]?.statements.map(({ sql }) => sql.slice(0, 20))).toContain('CREATE TABLE parcels');
  expect(await ask(connection, 'SELECT script FROM change_log')).toEqual([{ script: id }]);
});
