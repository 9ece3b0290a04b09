import { describe, expect, test } from '@jest/globals';
import { detectPackageManager, managerPackage } from '../../src/node/package-manager.ts';
import { errorOf, inFolder } from './folder.ts';

const berry = (format: number): string => `# This file\n\n__metadata:\n  version: ${format}\n`;
const CLASSIC = '# yarn lockfile v1\n';

const HEX = 'ab'.repeat(64);

describe('the package manager', () => {
  test.each([
    ['package-lock.json', '{}', 'npm', ['npm', 'ci', '--no-audit', '--no-fund'], '*', undefined],
    ['npm-shrinkwrap.json', '{}', 'npm', ['npm', 'ci', '--no-audit', '--no-fund'], '*', undefined],
    ['pnpm-lock.yaml', "lockfileVersion: '9.0'", 'pnpm', ['pnpm', 'install', '--frozen-lockfile'], '>=9', '10.34.9'],
    ['pnpm-lock.yaml', "lockfileVersion: '6.0'", 'pnpm', ['pnpm', 'install', '--frozen-lockfile'], '8', '8.15.9'],
    ['pnpm-lock.yaml', 'lockfileVersion: 5.4', 'pnpm', ['pnpm', 'install', '--frozen-lockfile'], '7', '7.33.7'],
    [
      'yarn.lock',
      CLASSIC,
      'yarn-classic',
      ['yarn', 'install', '--frozen-lockfile', '--non-interactive'],
      '1',
      '1.22.22',
    ],
    ['yarn.lock', berry(6), 'yarn-berry', ['yarn', 'install', '--immutable'], '3.2 - 3', '3.8.7'],
    ['yarn.lock', berry(8), 'yarn-berry', ['yarn', 'install', '--immutable'], '4.0 - 4.13', '4.13.0'],
    ['yarn.lock', berry(10), 'yarn-berry', ['yarn', 'install', '--immutable'], '>=4.15', '4.18.1'],
    ['bun.lock', '{\n  "lockfileVersion": 1,', 'bun', ['bun', 'install', '--frozen-lockfile'], '>=1.2', '1.4.5'],
    ['bun.lock', '{\n  "lockfileVersion": 2,', 'bun', ['bun', 'install', '--frozen-lockfile'], '>=1.4', '1.4.5'],
    ['bun.lockb', '', 'bun', ['bun', 'install', '--frozen-lockfile'], '>=1.4', '1.4.5'],
  ])('of a project with %s (%j) is %s... as %s, %s', (lockfile, content, name, install, range, usual) => {
    const found = inFolder({ 'package.json': {}, [lockfile]: content }, detectPackageManager);
    expect(found).toEqual({
      name,
      lockfile,
      install,
      range,
      root: '',
      leftOver: [],
      reason: `the lockfile ${lockfile}`,
      ...(usual !== undefined && { usual }),
      plugAndPlay: name === 'yarn-berry',
    });
  });

  test('is the pinned one, with its version and hash, though another lockfile lies there', () => {
    const packageManager = `pnpm@10.2.0+sha512.${HEX}`;
    const files = { 'package.json': { packageManager }, 'pnpm-lock.yaml': '', 'yarn.lock': '' };
    expect(inFolder(files, detectPackageManager)).toMatchObject({
      name: 'pnpm',
      version: '10.2.0',
      range: '10.2.0',
      leftOver: ['yarn.lock'],
      hash: { algorithm: 'sha512', hex: HEX },
    });
  });

  test.each([
    ['yarn@1.22.22', 'yarn-classic'],
    ['yarn@4.9.1', 'yarn-berry'],
  ])('%s is %s', (packageManager, name) => {
    const files = { 'package.json': { packageManager }, 'yarn.lock': '' };
    expect(inFolder(files, detectPackageManager)).toMatchObject({ name });
  });

  test.each([
    [[{ name: 'deno' }, { name: 'pnpm', version: '^9.1' }], '^9.1', undefined],
    [{ name: 'pnpm' }, '>=9', '10.34.9'],
    [{ name: 'pnpm', version: '>=10' }, '>=10', '10.34.9'],
  ])('is that of devEngines.packageManager %j', (packageManager, range, usual) => {
    const files = { 'package.json': { devEngines: { packageManager } }, 'pnpm-lock.yaml': '', 'package-lock.json': '' };
    const found = inFolder(files, detectPackageManager);
    expect(found).toMatchObject({ name: 'pnpm', range, leftOver: ['package-lock.json'] });
    expect(found.usual).toBe(usual);
    expect(found.reason).toBe('`devEngines.packageManager` in package.json');
  });

  test('of several lockfiles is the one whose manager engines names by a range', () => {
    const engines = { npm: 'please-use-pnpm', pnpm: '>=9' };
    const files = { 'package.json': { engines }, 'pnpm-lock.yaml': '', 'package-lock.json': '' };
    expect(inFolder(files, detectPackageManager)).toMatchObject({ name: 'pnpm', reason: '`engines.pnpm`' });
  });

  test('of Yarn is the copy that the project has, and uses node_modules where it says so', () => {
    const settings = 'nodeLinker: node-modules # ours\nyarnPath: ".yarn/releases/yarn-4.5.0.cjs"\n';
    const files = { 'package.json': {}, 'yarn.lock': berry(8), '.yarnrc.yml': settings };
    expect(inFolder(files, detectPackageManager)).toMatchObject({
      yarnPath: '.yarn/releases/yarn-4.5.0.cjs',
      plugAndPlay: false,
    });
  });
});

describe('a package of a workspace', () => {
  const workspace: Record<string, string> = {
    'package.json': '{}',
    '../../package.json': '{"packageManager":"pnpm@10.2.0"}',
    '../../pnpm-workspace.yaml': 'packages:\n  - packages/*\n  - "!packages/old"\n',
    '../../pnpm-lock.yaml': '',
  };
  const reading = (files: Record<string, string>) => (file: string) => files[file];

  test('has the lockfile and manager of the root', () => {
    expect(detectPackageManager(reading(workspace), 'auto', 'packages/api')).toMatchObject({
      name: 'pnpm',
      version: '10.2.0',
      root: '../..',
      lockfile: 'pnpm-lock.yaml',
      reason: '`packageManager` in ../../package.json',
    });
  });

  test.each([
    ['array', '{"workspaces":["packages/**"]}'],
    ['object', '{"workspaces":{"packages":["./packages/api/"]}}'],
  ])('is found by the %s of package.json', (_, root) => {
    const files = { 'package.json': '{}', '../../package.json': root, '../../yarn.lock': CLASSIC };
    expect(detectPackageManager(reading(files), 'auto', 'packages/api').root).toBe('../..');
  });

  test('keeps to its own lockfile where it has one', () => {
    const files = { ...workspace, 'package-lock.json': '{}' };
    expect(detectPackageManager(reading(files), 'auto', 'packages/api')).toMatchObject({ name: 'npm', root: '' });
  });

  test.each([
    ['the root does not name', 'tools/api'],
    ['the root leaves out', 'packages/old'],
    ['lies too near to the root of the repository', 'api'],
  ])('that %s has none', (_, location) => {
    expect(() => detectPackageManager(reading(workspace), 'auto', location)).toThrow('There is no lockfile');
  });
});

test.each([
  [{ name: 'pnpm', version: '10.1.0', usual: '10.34.9' }, 'pnpm@10.1.0'],
  [{ name: 'pnpm', usual: '10.34.9', range: '>=9' }, 'pnpm@10.34.9'],
  [{ name: 'pnpm', range: '^9.1' }, 'pnpm@9.1.0'],
  [{ name: 'yarn-berry' }, '@yarnpkg/cli-dist@4.18.1'],
  [{ name: 'npm', version: '11.0.0' }, undefined],
] as const)('an image brings %j as %s', (manager, module) => {
  expect(managerPackage(manager)).toBe(module);
});

describe('a project that cannot be installed frozen', () => {
  test.each([
    ['no lockfile', { 'package.json': {} }, 'Run `npm install` and commit'],
    ['no lockfile of the pinned', { 'package.json': { packageManager: 'bun@1.2.0' } }, 'Run `bun install` and commit'],
    ['two lockfiles', { 'package.json': {}, 'package-lock.json': '', 'yarn.lock': '' }, '`git rm`'],
    [
      'a lockfile of another',
      { 'package.json': { packageManager: 'npm@11.0.0' }, 'yarn.lock': '' },
      'git rm yarn.lock',
    ],
    ['an unknown manager', { 'package.json': { packageManager: 'cargo@1.0.0' } }, 'npm@11.6.0'],
    ['a range as version', { 'package.json': { packageManager: 'npm@^11' } }, 'npm@11.6.0'],
    ['a hash that is none', { 'package.json': { packageManager: 'npm@11.0.0+sha512.ab' } }, 'Corepack'],
    ['a hash of bun', { 'package.json': { packageManager: `bun@1.4.5+sha512.${HEX}` } }, '"bun@1.4.5"'],
    [
      'two places that exclude each other',
      { 'package.json': { packageManager: 'pnpm@9.0.0', devEngines: { packageManager: { name: 'npm' } } } },
      'so that they agree',
    ],
    [
      'engines that excludes the pinned',
      { 'package.json': { packageManager: 'pnpm@9.0.0', engines: { pnpm: '>=10' } }, 'pnpm-lock.yaml': '' },
      'so that they agree',
    ],
    [
      'a range that is none',
      { 'package.json': { devEngines: { packageManager: { name: 'npm', version: 'new' } } } },
      '^10',
    ],
    ['broken JSON', { 'package.json': '{' }, 'Mend the JSON'],
    ['no package.json', {}, '`directory`'],
  ])('because of %s says what mends it', (_, files, remedy) => {
    const error = errorOf(() => inFolder(files, detectPackageManager));
    expect(error).toMatchObject({ name: 'UserError', remedy: expect.stringContaining(remedy) });
  });
});
