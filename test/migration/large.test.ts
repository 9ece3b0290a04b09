// Repositories that are large, odd or hostile.
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { UserError } from '../../src/action/errors.ts';
import { findTools } from '../../src/migration/detect.ts';
import { filesOf } from '../../src/migration/files.ts';
import { hasDown } from '../../src/migration/tools/javascript.ts';
import { TOOLS } from '../../src/migration/tool.ts';
import { toolNamed } from '../../src/migration/tools/tools.ts';
import { splitScript } from '../../src/sql/split.ts';
import { type Tree, inTree, readTree } from './tree.ts';

const COUNT = 2000;
const numbers = Array.from({ length: COUNT }, (_, at) => at + 1);
const tree = (of: (number: number) => readonly [file: string, text: string]): Tree =>
  Object.fromEntries(numbers.map((number) => of(number)));

describe('2,000 migrations are read and checked in 5 seconds', () => {
  test.each<[string, Tree]>([
    ['Flyway', tree((n) => [`m/V${n}__a.sql`, 'CREATE TABLE a (id int);\n'.repeat(20)])],
    ['golang-migrate', tree((n) => [`m/${n}_a.up.sql`, 'CREATE TABLE a (id int);\n'.repeat(20)])],
    [
      'Alembic, each on the one before, named the other way round',
      {
        'alembic.ini': 'script_location = a',
        ...tree((n) => [
          `a/versions/${9999 - n}.py`,
          `revision = 'r${n}'\ndown_revision = ${n === 1 ? 'None' : `'r${n - 1}'`}\n`,
        ]),
      },
    ],
    [
      'Django, each on the one before',
      {
        'manage.py': 'django',
        ...tree((n) => [
          `a/migrations/${String(n).padStart(4, '0')}_x.py`,
          `dependencies = [${n === 1 ? '' : `("a", "${String(n - 1).padStart(4, '0')}_x")`}]`,
        ]),
      },
    ],
    [
      'Liquibase in one file',
      {
        'changelog.sql': `--liquibase formatted sql\n${numbers.map((n) => `--changeset me:${n}\nSELECT ${n};\n`).join('')}`,
      },
    ],
  ])('%s', async (_, files) => {
    const started = performance.now();
    const { tool, found, migrations } = await readTree(files);
    expect(migrations).toHaveLength(COUNT);
    const rows = migrations.map(({ id }) => ({
      filename: id.split('::')[0] ?? '',
      id: id.split('::')[1] ?? '',
      author: 'me',
    }));
    const database = { query: async () => [{ is_there: true, version: COUNT, dirty: false, ...rows[0] }] as never };
    await tool.applied(database, found, migrations);
    expect(
      tool.check(
        migrations,
        migrations.map(({ id }) => ({ id, state: 'applied' })),
      ),
    ).toEqual([]);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

test('20,000 files are walked, links and what nobody may read passed over', async () => {
  await inTree({ 'db/migrations/1_a.up.sql': 'SELECT 1;' }, async (workspace) => {
    for (let folder = 0; folder < 20; folder += 1) {
      const full = path.join(workspace, 'src', String(folder));
      await mkdir(full, { recursive: true });
      await Promise.all(Array.from({ length: 1000 }, async (_, at) => writeFile(path.join(full, `${at}.ts`), '')));
    }
    await symlink('..', path.join(workspace, 'src', 'loop'));
    await symlink('/etc', path.join(workspace, 'etc'));
    await symlink('/etc/hostname', path.join(workspace, 'db/migrations/2_b.up.sql'));
    await mkdir(path.join(workspace, 'closed'));
    await chmod(path.join(workspace, 'closed'), 0);
    const files = await filesOf(workspace);
    expect(files.list).toHaveLength(20_001);
    const [found] = findTools(files, { directory: '' });
    expect(found).toMatchObject({ tool: 'golang-migrate', directory: 'db/migrations' });
    expect(found && (await toolNamed('golang-migrate').read(found, workspace))).toHaveLength(1);
  });
}, 60_000);

test('a folder of migrations behind a link is refused', async () => {
  await inTree({ 'real/1_a.up.sql': 'SELECT 1;' }, async (workspace) => {
    await symlink('real', path.join(workspace, 'linked'));
    const found = { tool: 'golang-migrate', project: '', directory: 'linked', reason: '', settings: {} } as const;
    await expect(toolNamed('golang-migrate').read(found, workspace)).rejects.toThrow('lies behind a link');
  });
});

describe('names that mean something elsewhere', () => {
  const names = [
    '1_a b.up.sql',
    "2_'; DROP TABLE x; --.up.sql",
    '3_$(touch x).up.sql',
    '4_\u202Egnp.up.sql',
    '5_%0A::error::.up.sql',
  ];

  test('are names here', async () => {
    const { tool, found, migrations } = await readTree(
      Object.fromEntries(names.map((name) => [`m/${name}`, 'SELECT 1;'])),
    );
    expect(migrations.map(({ id }) => id)).toEqual(['1', '2', '3', '4', '5']);
    const address = { host: '127.0.0.1', port: 1, user: 'u', password: 'p@/?#', database: 'd b' };
    expect(tool.down?.(found, address, migrations).args).toEqual([
      '-path',
      'm',
      '-database',
      'postgresql://u:p%40%2F%3F%23@127.0.0.1:1/d%20b?sslmode=disable',
      'down',
      '1',
    ]);
  });

  test('of a table in a configuration are quoted', async () => {
    const asked: string[] = [];
    const found = { project: '', directory: 'm', reason: '', settings: { table: 'a"; DROP TABLE "b; SELECT 1; --' } };
    const database = {
      query: async (sql: string) => {
        asked.push(sql);
        return [{ is_there: true }] as never;
      },
    };
    for (const tool of TOOLS) await toolNamed(tool).applied(database, { ...found, tool }, []);
    expect(asked.length).toBe(2 * TOOLS.length);
    expect(asked.map((sql) => splitScript(sql).statements.length)).toEqual(asked.map(() => 1));
  });
});

test('a text that is made to be slow to read is read in 2 seconds', async () => {
  const started = performance.now();
  const long = (text: string): string => text.repeat(Math.ceil(400_000 / text.length));
  for (const text of ['down(', 'down = async ', 'down: a ', 'down/*', 'down(){/*', 'down(){//\n']) hasDown(long(text));
  hasDown(`down${long(' ')}`);
  const python = ['RunSQL("""', 'RunPython(a.', "('a',", 'dependencies = [('].map((text) => long(text)).join('\n');
  const quotes = '"""';
  const trees: readonly Tree[] = [
    { 'manage.py': 'django', 'a/migrations/0001_x.py': python },
    {
      'alembic.ini': 'script_location = a',
      'a/versions/1.py': `revision = 'a'\ndown_revision = (${long('"a",')}\ndef downgrade():\n${long('#')}\n${long(quotes)}`,
    },
    { 'm/1_a.up.sql': long('/*'), 'm/1_a.down.sql': long("$a$'") },
    { 'changelog.sql': `--liquibase formatted sql\n${long('--changeset a ')}` },
    { 'changelog.json': `{"databaseChangeLog": [${'['.repeat(1000)}` },
  ];
  const outcomes: unknown[] = [];
  for (const one of trees) outcomes.push(await readTree(one).catch((error: unknown) => error));
  expect(performance.now() - started).toBeLessThan(2000);
  expect(outcomes.slice(-1)).toEqual([expect.any(UserError)]);
});
