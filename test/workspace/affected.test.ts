import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { localExec } from '../../src/action/exec.ts';
import { readerOf } from '../../src/project/project.ts';
import { affectedBy } from '../../src/workspace/affected.ts';
import { gitIn } from '../../src/workspace/git.ts';
import { type Files, inTree, packages, workspaceOf, write } from './tree.ts';

const info = { serverUrl: 'https://github.example' } as never;
const exec = localExec(process.env, new AbortController().signal);
const WORKFLOW = '.github/workflows/deliver.yml';

function git(folder: string, ...args: string[]): string {
  const author = ['-c', 'user.name=a', '-c', 'user.email=a@b.example', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', [...author, ...args], { cwd: folder, encoding: 'utf8' }).trim();
}

const shop: Files = {
  ...packages({ api: { needs: ['lib'] }, lib: {}, web: { needs: ['ui'] }, ui: {}, 'ü b': {} }),
  'packages/api/README.md': 'the api',
  [WORKFLOW]: 'jobs: { a: { uses: ./.github/workflows/called.yml } }',
  '.github/workflows/called.yml': 'jobs: { a: { uses: ./.github/workflows/deep.yaml } }',
  '.github/workflows/deep.yaml': 'jobs: { a: { uses: ./.github/workflows/deliver.yml } }',
  '.github/workflows/other.yml': 'on: push',
  'tsconfig.base.json': {},
  'README.md': 'a shop',
  'packages/old/index.js': '1',
};

/** What a real commit on top of the shop reaches; `gone` are files that it removes. */
async function reached(change: Files, { gone = [], more = {} }: { gone?: readonly string[]; more?: Files } = {}) {
  return inTree({ ...shop, ...more }, async (folder) => {
    git(folder, 'init', '-q');
    git(folder, 'add', '.');
    git(folder, 'commit', '-q', '-m', 'Start');
    const first = git(folder, 'rev-parse', 'HEAD');
    write(folder, change);
    for (const file of gone) rmSync(`${folder}/${file}`);
    git(folder, 'add', '.');
    git(folder, 'commit', '-q', '-m', 'Change', '--allow-empty');
    const repository = gitIn(folder, '', { exec, info, mask: () => undefined });
    const files = await repository.changedSince(first);
    const place = {
      workspace: workspaceOf(folder),
      folder,
      repository: folder,
      read: readerOf(folder),
      manager: { name: 'npm', lockfile: 'package-lock.json' },
    } as const;
    const { packages: found, everything } = await affectedBy(files ?? [], first, place, WORKFLOW, repository);
    return (
      everything ?? Object.fromEntries([...(found ?? [])].map(([one, why]) => [one.replace('packages/', ''), why]))
    );
  });
}

describe('what a commit reaches', () => {
  test.each<[string, Files, object | string]>([
    ['nothing', {}, {}],
    ['a package', { 'packages/web/a.ts': '1' }, { web: '`packages/web/a.ts` changed' }],
    [
      'a package that another needs',
      { 'packages/lib/src/a b.ts': '1' },
      { lib: '`packages/lib/src/a b.ts` changed', api: 'it needs `packages/lib`' },
    ],
    ['a path of any letters', { 'packages/ü b/ä.ts': '1' }, { 'ü b': '`packages/ü b/ä.ts` changed' }],
    [
      'words in a package, which may be published',
      { 'packages/api/README.md': '2' },
      { api: '`packages/api/README.md` changed' },
    ],
    ['words at the root', { 'README.md': '2', LICENSE: 'x', '.vscode/settings.json': {} }, {}],
    ['another workflow', { '.github/workflows/other.yml': 'on: {}' }, {}],
    [
      'a workflow that its own calls',
      { '.github/workflows/deep.yaml': 'on: {}' },
      '`.github/workflows/deep.yaml` changed, which any package may depend on',
    ],
    ['its own workflow', { [WORKFLOW]: 'on: {}' }, `\`${WORKFLOW}\` changed, which any package may depend on`],
    ['an action beside it', { '.github/actions/x/action.yml': '1' }, expect.stringContaining('.github/actions/x')],
    ['settings at the root', { 'tsconfig.base.json': { a: 1 } }, expect.stringContaining('tsconfig.base.json')],
    ['a folder of no package', { 'scripts/x.js': '1' }, expect.stringContaining('scripts/x.js')],
    [
      'a package that is new',
      { 'packages/neu/package.json': { name: 'neu' } },
      { neu: '`packages/neu/package.json` changed' },
    ],
  ])('%s', async (_, change, expected) => {
    expect(await reached(change)).toEqual(expected);
  });

  test('a file that went, and one that moved, from where it was too', async () => {
    expect(await reached({}, { gone: ['packages/api/README.md'] })).toEqual({
      api: '`packages/api/README.md` changed',
    });
    const moved = await reached({ 'packages/web/README.md': 'the api' }, { gone: ['packages/api/README.md'] });
    expect(Object.keys(moved).toSorted()).toEqual(['api', 'web']);
  });

  test('a package that is no more reaches everything, since it may have been needed', async () => {
    expect(await reached({}, { gone: ['packages/old/index.js'] })).toContain('packages/old/index.js');
  });

  test.each([
    ['turbo.json', '{ // shared\n "globalDependencies": ["packages/*/.env", "./x",], }', 'packages/web/.env'],
    [
      'nx.json',
      '{"namedInputs":{"sharedGlobals":["{workspaceRoot}/packages/ui/theme.json"]}}',
      'packages/ui/theme.json',
    ],
  ])('what %s names for all reaches all', async (file, text, changed) => {
    const result = await reached({ [changed]: '1', 'packages/api/a.ts': '1' }, { more: { [file]: text } });
    expect(result).toBe(`\`${changed}\` changed, which any package may depend on`);
    expect(await reached({ 'packages/ui/other.json': '1' }, { more: { [file]: text } })).toHaveProperty('ui');
  });

  test('a lockfile reaches those whose dependencies it changes', async () => {
    const lock = (colours: string, eslint = '9.0.0'): object => ({
      lockfileVersion: 3,
      packages: {
        '': { workspaces: ['packages/*'], devDependencies: { eslint: '*' } },
        'node_modules/eslint': { version: eslint },
        'node_modules/lib': { resolved: 'packages/lib', link: true },
        'packages/lib': { dependencies: { paint: '*' } },
        'packages/web': { dependencies: { colours: '1' } },
        'packages/web/node_modules/colours': { version: '1.0.0' },
        'node_modules/paint': { version: '1.0.0', dependencies: { colours: '*' } },
        'node_modules/colours': { version: colours },
      },
    });
    const more = { 'package-lock.json': lock('2.0.0') };
    expect(await reached({ 'package-lock.json': lock('2.1.0') }, { more })).toEqual({
      lib: '`package-lock.json` gives it other dependencies',
      api: 'it needs `packages/lib`',
    });
    expect(await reached({ 'package-lock.json': lock('2.0.0', '9.1.0') }, { more })).toContain(
      'gives the root of the workspace',
    );
    expect(await reached({ 'package-lock.json': 'broken' }, { more })).toContain('it does not tell for whom');
  });
});

test('git: a commit of another shape is never asked for, and what is absent is fetched', async () => {
  await inTree(shop, async (origin) => {
    git(origin, 'init', '-q');
    git(origin, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
    for (const text of ['1', '2', '3']) {
      write(origin, { 'packages/web/a.ts': text });
      git(origin, 'add', '.');
      git(origin, 'commit', '-q', '-m', text);
    }
    const first = git(origin, 'rev-parse', 'HEAD~2');
    await inTree({}, async (folder) => {
      git(folder, 'clone', '-q', '--depth=1', `file://${origin}`, '.');
      const masked: string[] = [];
      const repository = gitIn(folder, 'a-token', { exec, info, mask: (text) => void masked.push(text) });
      for (const bad of ['--upload-pack=touch /tmp/x', 'HEAD', '', '0'.repeat(40), first.slice(0, 10)]) {
        expect(await repository.bring(bad)).toBe(false);
      }
      expect(await repository.changedSince(first)).toBeUndefined();
      expect(await repository.bring(first)).toBe(true);
      expect(await repository.changedSince(first)).toEqual(['packages/web/a.ts']);
      expect(await repository.mergeBase(first, 'HEAD')).toBeUndefined();
      expect(await repository.show(first, 'packages/web/a.ts')).toBe('1');
      expect(masked).toEqual([Buffer.from('x-access-token:a-token').toString('base64')]);
      // Nothing of the token stays behind.
      expect(git(folder, 'config', '--list')).not.toContain('extraheader');
    });
  });
});
