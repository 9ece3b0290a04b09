import { describe, expect, test } from '@jest/globals';
import { findTools } from '../../src/migration/detect.ts';
import type { Files } from '../../src/migration/files.ts';
import { hasDown } from '../../src/migration/tools/javascript.ts';
import { flywayChecksum } from '../../src/migration/tools/flyway.ts';

function repository(contents: Readonly<Record<string, string>>): Files {
  return { list: Object.keys(contents).toSorted(), read: (file) => contents[file] };
}
const needs = (...names: readonly string[]): string =>
  JSON.stringify({ dependencies: Object.fromEntries(names.map((name) => [name, '1'])) });

describe('a repository’s migrations are found by its files', () => {
  test.each<[string, Record<string, string>, object]>([
    [
      'knex',
      {
        'package.json': needs('knex'),
        'knexfile.js': "migrations: { directory: './db/migrations' }",
        'db/migrations/1_a.js': '',
      },
      { project: '', directory: 'db/migrations' },
    ],
    [
      'node-pg-migrate',
      {
        'api/package.json': JSON.stringify({
          dependencies: { 'node-pg-migrate': '8' },
          scripts: { migrate: 'node-pg-migrate -m db' },
        }),
        'api/db/1_a.ts': '',
        'pnpm-lock.yaml': '',
      },
      { project: 'api', directory: 'api/db', settings: { manager: 'pnpm' } },
    ],
    [
      'typeorm',
      {
        'package.json': needs('typeorm'),
        'src/source.ts': 'export default new DataSource({})',
        'src/migrations/1700000000000-a.ts': 'class A1700000000000 implements MigrationInterface',
      },
      { directory: 'src/migrations', settings: { dataSource: 'src/source.ts', cli: 'typeorm-ts-node-commonjs' } },
    ],
    [
      'sequelize',
      {
        'package.json': needs('sequelize-cli'),
        '.sequelizerc': "'migrations-path': path.resolve('db', 'migrations')",
        'db/migrations/1-a.js': '',
      },
      { directory: 'db/migrations' },
    ],
    [
      'prisma',
      {
        'package.json': needs('prisma'),
        'prisma/schema.prisma': '',
        'prisma/migrations/20260101000000_a/migration.sql': '',
      },
      { directory: 'prisma/migrations' },
    ],
    [
      'drizzle',
      { 'package.json': needs('drizzle-kit'), 'drizzle/meta/_journal.json': '{"dialect":"postgresql","entries":[]}' },
      { directory: 'drizzle' },
    ],
    [
      'alembic',
      {
        'svc/alembic.ini': '[alembic]\nscript_location = alembic\n',
        'svc/alembic/versions/a.py': '',
        'svc/uv.lock': '',
      },
      { project: 'svc', directory: 'svc/alembic/versions', settings: { runner: 'uv.lock' } },
    ],
    ['django', { 'manage.py': 'import django', 'shop/migrations/0001_initial.py': '' }, { directory: '' }],
    ['flyway', { 'db/migration/V1__a.sql': '', 'pom.xml': '' }, { directory: 'db/migration' }],
    [
      'liquibase',
      { 'db/changelog.xml': '<databaseChangeLog>' },
      { directory: 'db', settings: { changelog: 'db/changelog.xml' } },
    ],
    ['dbmate', { 'db/migrations/1_a.sql': '-- migrate:up\nSELECT 1' }, { directory: 'db/migrations' }],
    ['golang-migrate', { 'migrations/1_a.up.sql': '', 'migrations/1_a.down.sql': '' }, { directory: 'migrations' }],
    ['sql', { 'db/migrations/001_a.sql': 'SELECT 1' }, { directory: 'db/migrations' }],
  ])('%s', (tool, contents, expected) => {
    const found = findTools(repository(contents), { directory: '.' });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ tool, ...expected });
  });

  test('several in one repository, of which one may be named', () => {
    const files = repository({
      'a/package.json': needs('knex'),
      'a/migrations/1_a.js': '',
      'b/migrations/1_a.up.sql': '',
    });
    expect(findTools(files, { directory: '' }).map(({ tool }) => tool)).toEqual(['knex', 'golang-migrate']);
    expect(findTools(files, { directory: 'b' }).map(({ tool }) => tool)).toEqual(['golang-migrate']);
    expect(findTools(files, { directory: '', tool: 'knex' })).toHaveLength(1);
  });

  test('none is an error that says what there is', () => {
    const files = repository({ 'a/migrations/1_a.up.sql': '' });
    expect(() => findTools(files, { directory: '', tool: 'knex' })).toThrow(
      'there are no migrations of knex in the repository',
    );
    expect(() => findTools(repository({}), { directory: 'db' })).toThrow('there are no migrations in db');
  });
});

test.each([
  ['exports.down = async (knex) => { await knex.schema.dropTable("a"); }', true],
  ['exports.down = () => knex.schema.dropTable("a")', true],
  ['async down(queryRunner: QueryRunner): Promise<void> {\n await queryRunner.query("x")\n}', true],
  ['exports.down = async () => {}', false],
  ['exports.down = function (knex) {\n  // nothing\n};', false],
  ['exports.up = async () => { await a() }', false],
])('whether %j has a way back', (text, expected) => expect(hasDown(text)).toBe(expected));

test('the checksum is Flyway’s', () => {
  // CRC-32 of "123456789" is 0xCBF43926 (its well-known check value).
  expect(flywayChecksum('123456789')).toBe(String(0xcbf43926 | 0));
  expect(flywayChecksum('1234\r\n56789\n')).toBe(flywayChecksum('123456789'));
});
