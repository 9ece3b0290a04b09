import { describe, expect, test } from '@jest/globals';
import type { Applied, Migration } from '../../src/migration/migration.ts';
import type { Tree } from './tree.ts';
import { readTree } from './tree.ts';

const ids = (migrations: readonly Migration[]): readonly string[] => migrations.map(({ id }) => id);
const applied = (...names: readonly string[]): readonly Applied[] => names.map((id) => ({ id, state: 'applied' }));
const needs = (name: string): object => ({ dependencies: { [name]: '1' } });

describe('in the order of its tool', () => {
  test.each<[string, Tree, readonly string[]]>([
    [
      'Flyway: by versions, with folders below, repeated ones last',
      {
        'db/migration/V10__c.sql': 'SELECT 1;',
        'db/migration/V2_1__b.sql': 'SELECT 1;',
        'db/migration/2026/V1__a.sql': 'SELECT 1;',
        'db/migration/R__view.sql': 'SELECT 1;',
      },
      ['1', '2.1', '10', 'R__view'],
    ],
    [
      'golang-migrate: by numbers',
      {
        'migrations/10_b.up.sql': '',
        'migrations/9_a.up.sql': '',
        'migrations/9_a.down.sql': '',
      },
      ['9', '10'],
    ],
    [
      'plain SQL: by numbers, then names',
      {
        'migrations/10_c.sql': '',
        'migrations/2_b.sql': '',
        'migrations/2_a.sql': '',
        'migrations/2_a.down.sql': '',
      },
      ['2_a', '2_b', '10_c'],
    ],
    [
      'node-pg-migrate: 17 digits are a date, SQL and programs together',
      {
        'package.json': needs('node-pg-migrate'),
        'migrations/20260101000000000_c.js': '',
        'migrations/1700000000000_a.sql': '',
        'migrations/1700000000001_b.ts': '',
        'migrations/1700000000001_b.d.ts': '',
      },
      ['1700000000000_a', '1700000000001_b', '20260101000000000_c'],
    ],
    [
      'TypeORM: by the time in the class, whatever the file is called',
      {
        'package.json': needs('typeorm'),
        'm/1800000000000-b.ts': 'class A1700000000000 implements MigrationInterface {}',
        'm/1700000000000-a.ts': "class B implements MigrationInterface { name = 'B1800000000000' }",
      },
      ['A1700000000000', 'B1800000000000'],
    ],
    [
      'Drizzle: as in the journal',
      {
        'package.json': needs('drizzle-kit'),
        'drizzle/meta/_journal.json': {
          dialect: 'postgresql',
          entries: [
            { tag: '0000_b', when: 20 },
            { tag: '0001_a', when: 10 },
          ],
        },
        'drizzle/0000_b.sql': '',
        'drizzle/0001_a.sql': '',
      },
      ['20', '10'],
    ],
    [
      'Alembic: after those that each needs',
      {
        'alembic.ini': 'script_location = a',
        'a/versions/1_last.py': "revision: str = 'ccc'\ndown_revision: Union[str, None] = ('aaa', 'bbb')\n",
        'a/versions/2_b.py': 'revision = "bbb"\ndown_revision = "aaa"\n',
        'a/versions/3_a.py': 'revision = "aaa"\ndown_revision = None\n',
      },
      ['aaa', 'bbb', 'ccc'],
    ],
    [
      'Django: one app after the other, dependencies first',
      {
        'manage.py': 'django',
        'a/migrations/0001_x.py': 'dependencies = [("c", "0001_x")]',
        'a/migrations/0002_y.py': "dependencies = [('a', '0001_x')]\nchoices = [('b', '0001_x')]",
        'b/migrations/0001_x.py': 'dependencies = []',
        'c/migrations/0001_x.py': 'dependencies = []',
      },
      ['c.0001_x', 'a.0001_x', 'a.0002_y', 'b.0001_x'],
    ],
    [
      'Liquibase: as included, from the root of the resources or the changelog',
      {
        'app/pom.xml': '<changeLogFile>db/master.yaml</changeLogFile>',
        'app/src/main/resources/db/master.yaml':
          'databaseChangeLog:\n- include: {file: classpath:db/z.sql}\n- include: {file: a.xml, relativeToChangelogFile: true}\n- changeSet: {id: 3, author: me, changes: [{sql: {sql: SELECT 1}}]}\n- includeAll: {path: db/more}\n',
        'app/src/main/resources/db/z.sql': '--liquibase formatted sql\n--changeset me:1\nSELECT 1;\n',
        'app/src/main/resources/db/a.xml':
          '<databaseChangeLog><changeSet id="2" author="me"><createTable/></changeSet></databaseChangeLog>',
        'app/src/main/resources/db/more/b.json':
          '{"databaseChangeLog": [{"changeSet": {"id": "4", "author": "me", "changes": []}}]}',
      },
      ['z.sql::1', 'a.xml::2', 'master.yaml::3', 'more/b.json::4'].map(
        (name) => `app/src/main/resources/db/${name}::me`,
      ),
    ],
  ])('%s', async (_, tree, expected) => expect(ids((await readTree(tree)).migrations)).toEqual(expected));
});

describe('whether the server runs a file in one transaction', () => {
  test.each<[string, string, string, boolean]>([
    ['golang-migrate: several statements', 'm/1_a.up.sql', 'SELECT 1; SELECT 2;', true],
    ['golang-migrate: one', 'm/1_a.up.sql', 'CREATE INDEX CONCURRENTLY i ON t (a);', false],
    ['golang-migrate: its own', 'm/1_a.up.sql', 'BEGIN; SELECT 1; COMMIT;', false],
    ['golang-migrate: a word in a comment', 'm/1_a.up.sql', '-- not CONCURRENTLY\nSELECT 1; SELECT 2;', true],
    ['dbmate', 'm/1_a.sql', '-- migrate:up\nSELECT 1;', true],
    ['dbmate: told not to', 'm/1_a.sql', '-- migrate:up transaction:false\nSELECT 1;', false],
    ['Flyway', 'm/V1__a.sql', 'SELECT 1;', true],
    ['Flyway: what cannot', 'm/V1__a.sql', 'CREATE INDEX CONCURRENTLY i ON t (a);', false],
    ['plain SQL', 'migrations/1_a.sql', 'SELECT 1;', true],
    ['plain SQL: told not to', 'migrations/1_a.sql', '-- migrate-db: no-transaction\nSELECT 1;', false],
  ])('%s', async (_, file, text, expected) => {
    const { migrations } = await readTree({ [file]: text });
    expect(migrations.map(({ up }) => up?.transaction)).toEqual([expected]);
  });

  test('Flyway: told not to by a file beside it', async () => {
    const { migrations } = await readTree({
      'm/V1__a.sql': 'SELECT 1;',
      'm/V1__a.sql.conf': 'executeInTransaction=false',
    });
    expect(migrations[0]?.up?.transaction).toBe(false);
  });
});

describe('the way back', () => {
  test('of marked files stands after its mark, at its line', async () => {
    const { migrations } = await readTree({
      'm/1_a.sql': '-- migrate:up\nCREATE TABLE a ();\n\n-- migrate:down\nDROP TABLE a;\n',
      'm/2_b.sql': '-- migrate:up\nCREATE TABLE b ();\n-- migrate:down\n-- nothing\n',
    });
    expect(migrations.map(({ reversible }) => reversible)).toEqual([true, false]);
    expect(migrations[0]?.up).toMatchObject({ sql: 'CREATE TABLE a ();\n', firstLine: 2 });
    expect(migrations[0]?.down).toMatchObject({ sql: 'DROP TABLE a;\n', firstLine: 5 });
  });

  test.each([
    ['export const up = (pgm) => pgm.createTable("a", {})', true],
    ['export const up = (pgm) => pgm.sql("CREATE TABLE a ()")', false],
    ['export const up = (pgm) => pgm.createTable("a", {}); export const down = false;', false],
    ['export const up = () => {}; export const down = (pgm) => { pgm.dropTable("a"); }', true],
  ])('of node-pg-migrate may be made from %j', async (text, expected) => {
    const { migrations } = await readTree({ 'package.json': needs('node-pg-migrate'), 'migrations/1_a.js': text });
    expect(migrations.map(({ reversible }) => reversible)).toEqual([expected]);
  });
});

describe('files that cannot be', () => {
  test.each<[string, Tree, string]>([
    [
      'an entry of the journal without its file',
      {
        'package.json': needs('drizzle-kit'),
        'drizzle/meta/_journal.json': { dialect: 'postgresql', entries: [{ tag: '0000_a', when: 1 }] },
      },
      'the migration drizzle/0000_a.sql is missing',
    ],
    [
      'an entry that leads out of the folder',
      {
        'package.json': needs('drizzle-kit'),
        'drizzle/meta/_journal.json': { dialect: 'postgresql', entries: [{ tag: '../../../etc/passwd', when: 1 }] },
      },
      'is no journal of Drizzle',
    ],
    [
      'a folder of Prisma without its file',
      {
        'prisma/schema.prisma': '',
        'prisma/migrations/20260101000000_a/migration.sql': '',
        'prisma/migrations/20260102000000_b/readme.md': '',
      },
      'the migration prisma/migrations/20260102000000_b/migration.sql is missing',
    ],
    [
      'revisions in a circle',
      {
        'alembic.ini': 'script_location = a',
        'a/versions/1.py': "revision = 'a'\ndown_revision = 'b'\n",
        'a/versions/2.py': "revision = 'b'\ndown_revision = 'a'\n",
      },
      'lead in a circle',
    ],
    [
      'an include that is not there',
      { 'changelog.yaml': 'databaseChangeLog:\n- include: {file: x.sql}\n' },
      'includes x.sql, which is not there',
    ],
    [
      'an include that leads out of the repository',
      { 'changelog.yaml': 'databaseChangeLog:\n- include: {file: ../../../../../../etc/hostname}\n' },
      'is not there',
    ],
    [
      'XML that is none',
      { 'changelog.xml': '<databaseChangeLog><changeSet' },
      'the changelog changelog.xml cannot be read',
    ],
    ['bytes', { 'm/V1__a.sql': 'SELECT \0;' }, 'm/V1__a.sql is no text'],
  ])('%s', async (_, tree, message) => expect(readTree(tree)).rejects.toThrow(message));
});

describe('what is wrong with the order', () => {
  test('of Drizzle is its time, not its place', async () => {
    const entries = [
      { tag: '0000_a', when: 10 },
      { tag: '0001_b', when: 30 },
      { tag: '0001_c', when: 20 },
    ];
    const { tool, migrations } = await readTree({
      'package.json': needs('drizzle-kit'),
      'drizzle/meta/_journal.json': { dialect: 'postgresql', entries },
      ...Object.fromEntries(entries.map(({ tag }) => [`drizzle/${tag}.sql`, ''])),
    });
    const codes = (...done: readonly string[]) => tool.check(migrations, applied(...done)).map(({ code }) => code);
    expect(codes('10')).toEqual(['migration-number-twice']);
    expect(codes('10', '30')).toEqual(['migration-number-twice', 'migration-out-of-order']);
  });

  test('of Alembic is a second head, not what stands beside', async () => {
    const version = (id: string, before: string): string => `revision = '${id}'\ndown_revision = ${before}\n`;
    const tree = {
      'alembic.ini': 'script_location = a',
      'a/versions/1.py': version('a', 'None'),
      'a/versions/2.py': version('b', "'a'"),
      'a/versions/3.py': version('c', "'a'"),
    };
    const { tool, migrations } = await readTree(tree);
    expect(tool.check(migrations, applied('a', 'c'))).toMatchObject([{ code: 'migration-number-twice' }]);
    const merged = await readTree({ ...tree, 'a/versions/4.py': version('d', "('b', 'c')") });
    expect(merged.tool.check(merged.migrations, applied('a', 'c'))).toEqual([]);
  });

  test('is what lies there and is passed over', async () => {
    const { tool, found, migrations } = await readTree({
      'm/V1__a.sql': '',
      'm/V2_b.sql': '',
      'm/U1__a.sql': '',
      'm/helper.sql': '',
    });
    const list = ['m/V1__a.sql', 'm/V2_b.sql', 'm/U1__a.sql', 'm/helper.sql', 'n/V3_c.sql'];
    expect(tool.passedOver?.(found, { list, read: () => undefined }, migrations)).toMatchObject([
      { code: 'migration-passed-over', place: { file: 'm/V2_b.sql' } },
    ]);
  });
});
