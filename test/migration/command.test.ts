import { describe, expect, test } from '@jest/globals';
import { findTools } from '../../src/migration/detect.ts';
import type { Files } from '../../src/migration/files.ts';
import { type Address, type Command, TOOLS } from '../../src/migration/tool.ts';
import { toolNamed } from '../../src/migration/tools/tools.ts';

const address: Address = { host: '127.0.0.1', port: 5, user: 'u', password: "p'&", database: 'd' };

function files(contents: Readonly<Record<string, string>>): Files {
  const hidden = (file: string): boolean => /(^|\/)(\.venv|mvnw)(\/|$)/.test(file);
  return { list: Object.keys(contents).filter((file) => !hidden(file)), read: (file) => contents[file] };
}

function up(contents: Readonly<Record<string, string>>, variables: readonly string[] = []): Command | undefined {
  const [found] = findTools(files(contents), { directory: '', variables });
  return found && toolNamed(found.tool).up?.(found, address);
}

const knex = { 'a/package.json': '{"dependencies":{"knex":"3"}}', 'a/migrations/1_a.js': '' };
const alembic = { 'a/alembic.ini': 'script_location = m', 'a/m/versions/a.py': '' };
const flyway = { 'a/src/main/resources/db/migration/V1__a.sql': '' };
const pom =
  '<plugin><artifactId>flyway-maven-plugin</artifactId><configuration><table>own</table></configuration></plugin>';
const liquibase = { 'a/src/main/resources/db/changelog/db.changelog-master.yaml': 'databaseChangeLog: []' };
const plugin = (more: string): string => `<plugin><artifactId>liquibase-maven-plugin</artifactId>${more}</plugin>`;

describe('the repository’s own version runs, in its project', () => {
  test.each<[string, Readonly<Record<string, string>>, string, readonly string[]]>([
    ['npm', knex, 'npx', ['--no', '--', 'knex', 'migrate:latest']],
    ['pnpm of the root', { ...knex, 'pnpm-lock.yaml': '' }, 'pnpm', ['exec', 'knex', 'migrate:latest']],
    ['Yarn', { ...knex, 'a/yarn.lock': '' }, 'yarn', ['run', 'knex', 'migrate:latest']],
    ['Bun', { ...knex, 'a/bun.lock': '' }, 'bun', ['x', '--no-install', 'knex', 'migrate:latest']],
    ['uv', { ...alembic, 'uv.lock': '' }, 'uv', ['run', '--no-sync', 'alembic', 'upgrade', 'head']],
    ['Poetry', { ...alembic, 'a/poetry.lock': '' }, 'poetry', ['run', 'alembic', 'upgrade', 'head']],
    ['its environment', { ...alembic, 'a/.venv/pyvenv.cfg': '' }, './.venv/bin/alembic', ['upgrade', 'head']],
    ['PATH', alembic, 'alembic', ['upgrade', 'head']],
    ['Maven', { ...flyway, 'a/pom.xml': pom }, 'mvn', ['--batch-mode', '--non-recursive', 'flyway:migrate']],
    [
      'its wrapper',
      { ...flyway, 'a/pom.xml': pom, 'a/mvnw': '' },
      './mvnw',
      ['--batch-mode', '--non-recursive', 'flyway:migrate'],
    ],
    ['Flyway on PATH', { ...flyway, 'a/pom.xml': '' }, 'flyway', ['migrate']],
    ['Liquibase on PATH', { ...liquibase, 'a/pom.xml': '' }, 'liquibase', ['update']],
    [
      'Liquibase where the pom names its database',
      { ...liquibase, 'a/pom.xml': plugin('<url>jdbc:x</url>') },
      'liquibase',
      ['update'],
    ],
  ])('%s', (_, contents, program, args) => expect(up(contents)).toMatchObject({ program, args, cwd: 'a' }));
});

describe('the address', () => {
  test('stands in the environment, under more names where they are given', () => {
    expect(up(knex, ['SHOP_URL', 'OTHER'])?.env).toMatchObject({
      SHOP_URL: "postgresql://u:p'%26@127.0.0.1:5/d?sslmode=disable",
      OTHER: "postgresql://u:p'%26@127.0.0.1:5/d?sslmode=disable",
      DATABASE_URL: "postgresql://u:p'%26@127.0.0.1:5/d?sslmode=disable",
      PGPASSWORD: "p'&",
    });
  });

  test('is on a command line for three alone, which take it nowhere else', () => {
    const settings = { maven: 'mvn', name: 'c.xml', changelog: 'c.xml' };
    const shown = TOOLS.filter((tool) => {
      const found = { tool, project: '', directory: 'm', reason: '', settings };
      const command = toolNamed(tool).up?.(found, address);
      return command?.args.some((arg) => arg.includes("p'"));
    });
    expect(shown).toEqual(['sequelize', 'liquibase', 'golang-migrate']);
  });

  test('of Liquibase goes with the name that an application would give its changelog', () => {
    expect(up({ ...liquibase, 'a/pom.xml': '' })?.env).toMatchObject({
      LIQUIBASE_COMMAND_CHANGELOG_FILE: 'db/changelog/db.changelog-master.yaml',
      LIQUIBASE_SEARCH_PATH: 'src/main/resources',
    });
    expect(up({ ...liquibase, 'a/pom.xml': plugin('') })?.args).toContain('-Dliquibase.searchPath=src/main/resources');
  });
});
