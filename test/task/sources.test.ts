import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { localExec } from '../../src/action/exec.ts';
import { type Circumstances, resultKey } from '../../src/task/results.ts';
import { hashSources } from '../../src/task/sources.ts';

let folder: string;
const host = { exec: localExec(process.env, new AbortController().signal) };
const at = (...names: string[]): string => path.join(folder, ...names);
const git = (...args: readonly string[]): void => {
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.example', ...args], { cwd: folder });
};
const hashOf = async (directory = folder): Promise<string | undefined> =>
  (await hashSources(directory, ['node_modules'], host))?.hash;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sources-'));
  mkdirSync(at('packages/web'), { recursive: true });
  for (const file of ['a.js', 'packages/web/b.js', 'packages/web/ü b.js']) writeFileSync(at(file), file);
  writeFileSync(at('.gitignore'), '*.log\nnode_modules\ngenerated\n');
  git('init', '-q');
  git('add', '.');
  git('commit', '-q', '-m', 'Start');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('another commit of the same files, and installed folders, change nothing', async () => {
  const before = await hashOf();
  expect(before).toMatch(/^[0-9a-f]{64}$/);
  git('commit', '-q', '--allow-empty', '-m', 'Nothing');
  mkdirSync(at('packages/web/node_modules'));
  writeFileSync(at('packages/web/node_modules/x.js'), '1');
  expect(await hashOf()).toBe(before);
});

test.each([
  ['a changed file', () => appendFileSync(at('a.js'), ' ')],
  ['a changed file of another package', () => appendFileSync(at('packages/web/ü b.js'), ' ')],
  ['a staged file', () => (appendFileSync(at('a.js'), ' '), git('add', '.'))],
  ['a file that is gone', () => rmSync(at('a.js'))],
  ['a new file', () => writeFileSync(at('new.js'), '')],
  ['an ignored file', () => writeFileSync(at('x.log'), '')],
  [
    'an ignored folder',
    () => (mkdirSync(at('generated/deep'), { recursive: true }), writeFileSync(at('generated/deep/x'), '')),
  ],
  ['a link', () => symlinkSync('a.js', at('link.js'))],
  ['a mode', () => execFileSync('chmod', ['+x', at('a.js')])],
])('%s counts', async (_what, change) => {
  const before = await hashOf(at('packages/web'));
  change();
  expect(await hashOf(at('packages/web'))).not.toBe(before);
});

test('what an ignored file says counts, and so does the folder of the project', async () => {
  writeFileSync(at('x.log'), 'one');
  const one = await hashOf();
  writeFileSync(at('x.log'), 'two');
  expect(await hashOf()).not.toBe(one);
  expect(await hashOf(at('packages/web'))).not.toBe(await hashOf());
});

test('nothing is said of a folder outside of a repository, or of one with very much beside the commit', async () => {
  rmSync(at('.git'), { recursive: true });
  expect(await hashOf()).toBeUndefined();
  git('init', '-q');
  git('add', 'a.js');
  git('commit', '-q', '-m', 'Start');
  for (let n = 0; n <= 2000; n += 1) writeFileSync(at(`${n}.log`), '');
  expect(await hashOf()).toBeUndefined();
});

describe('the key of a result', () => {
  const task = { name: 'test', command: ['npm', 'run', 'test'] } as const;
  const given: Circumstances = { sources: { hash: 'a', commit: 'b' }, runtime: 'Node 24.1.0', env: {} };

  test.each([
    ['the sources', task, { sources: { hash: 'c', commit: 'b' } }],
    ['the runtime', task, { runtime: 'Node 24.2.0' }],
    ['NODE_ENV', task, { env: { NODE_ENV: 'production' } }],
    ['the command', { ...task, command: ['npm', 'run', 'unit'] } as const, {}],
    ['where it runs', { ...task, cwd: 'web' }, {}],
  ])('is another with %s', (_what, other, change) => {
    expect(resultKey(other, { ...given, ...change })).not.toBe(resultKey(task, given));
  });

  test('is the same by another commit, and with a variable that no tool reads', () => {
    const other = { ...given, sources: { hash: 'a', commit: 'x' }, env: { GITHUB_RUN_ID: '8' } };
    expect(resultKey(task, other)).toBe(resultKey(task, given));
  });
});
