import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Found } from '../../src/migration/tool.ts';

export const found: Found = {
  tool: 'knex',
  project: 'app',
  directory: 'app/migrations',
  reason: 'a test',
  settings: { manager: 'npm', table: 'knex_migrations', config: 'app/knexfile.js' },
};

/** A project with a real Knex; its migrations are written one by one. */
export async function knexProject(): Promise<string> {
  const workspace = await mkdtemp(path.join(tmpdir(), 'knex-'));
  const app = path.join(workspace, 'app');
  await mkdir(app);
  const dependencies = { knex: '3.1.0', pg: '8.13.1' };
  await writeFile(path.join(app, 'package.json'), JSON.stringify({ name: 'app', dependencies }));
  const config = `module.exports = { client: 'pg', connection: process.env.DATABASE_URL };`;
  await writeFile(path.join(app, 'knexfile.js'), config);
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: app });
  return workspace;
}

/** Takes all migrations of a project away. */
export async function withoutMigrations(workspace: string): Promise<void> {
  await rm(path.join(workspace, 'app/migrations'), { recursive: true, force: true });
  await mkdir(path.join(workspace, 'app/migrations'));
}

/** A migration whose way up is this. */
export async function writeMigration(workspace: string, name: string, up: string, rest = ''): Promise<void> {
  const text = `exports.up = async (knex) => { ${up} };\nexports.down = async () => {};\n${rest}`;
  await writeFile(path.join(workspace, `app/migrations/${name}.js`), text);
}
