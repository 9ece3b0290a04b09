// A tool that is told how many migrations to apply, while somebody else has applied some of them since the plan.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { applyMigrations } from '../../src/apply/apply.ts';
import type { Found } from '../../src/migration/tool.ts';
import { nodePgMigrate } from '../../src/migration/tools/node-pg-migrate.ts';
import { postgres } from '../postgres.ts';
import { urlOf } from '../../src/migration/address.ts';
import { ask } from './client.ts';
import { testHost } from './scene.ts';

const server = postgres();
const found: Found = {
  tool: 'node-pg-migrate',
  project: '',
  directory: 'migrations',
  reason: 'a test',
  settings: { manager: 'npm', table: 'pgmigrations' },
};
const SCRIPTS = {
  '1_create': 'CREATE TABLE shipments (id int PRIMARY KEY, carrier text);',
  '2_weight': 'ALTER TABLE shipments ADD COLUMN weight int;',
  '3_contract': 'ALTER TABLE shipments DROP COLUMN carrier;',
};
let workspace = '';

beforeAll(() => {
  workspace = mkdtempSync(path.join(tmpdir(), 'stops-'));
  const dependencies = { 'node-pg-migrate': '7.9.1', pg: '8.13.1' };
  writeFileSync(path.join(workspace, 'package.json'), JSON.stringify({ name: 'app', dependencies }));
  mkdirSync(path.join(workspace, 'migrations'));
  for (const [name, sql] of Object.entries(SCRIPTS)) {
    writeFileSync(path.join(workspace, `migrations/${name}.sql`), `-- Up Migration\n${sql}\n`);
  }
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: workspace });
}, 300_000);
afterAll(() => rmSync(workspace, { recursive: true, force: true }));

test('stops before what belongs after the deploy, though part of what was planned is applied meanwhile', async () => {
  const connection = await server.createDatabase();
  const { host } = testHost();
  const migrations = await nodePgMigrate.read(found, workspace);
  const apply = async (count: number) =>
    applyMigrations(
      {
        tool: nodePgMigrate,
        found,
        migrations,
        pending: migrations.slice(0, count),
        stops: true,
        connection: async () => connection,
      },
      { ...host, info: { ...host.info, workspace } },
    );
  expect(await apply(1)).toMatchObject({ state: 'applied' });
  expect(await apply(2)).toMatchObject({ state: 'applied', applied: [{ migration: { name: '2_weight' } }] });
  expect(await ask(connection, 'SELECT name FROM pgmigrations ORDER BY id')).toEqual([
    { name: '1_create' },
    { name: '2_weight' },
  ]);
}, 60_000);

test.each([
  ['the same', true],
  ['another', false],
])(
  'one that goes past the relay to %s database is told so',
  async (_, isSame) => {
    const connection = await server.createDatabase();
    const direct = isSame ? connection : await server.createDatabase();
    const { host, lines } = testHost();
    const migrations = await nodePgMigrate.read(found, workspace);
    const tool: typeof nodePgMigrate = {
      ...nodePgMigrate,
      up(found, address) {
        const command = nodePgMigrate.up?.(found, address);
        if (command === undefined) throw new Error('it has no command');
        return { ...command, env: { ...command.env, DATABASE_URL: urlOf(direct) } };
      },
    };
    const report = await applyMigrations(
      { tool, found, migrations, pending: migrations, connection: async () => connection },
      { ...host, info: { ...host.info, workspace } },
    );
    expect(report.state).toBe(isSame ? 'applied' : 'failed');
    expect(isSame ? lines.join('\n') : report.failure?.next).toMatch(
      isSame ? /past this action, by an address of its own/ : /opened no session at the address/,
    );
  },
  60_000,
);
