import { describe, expect, test } from '@jest/globals';
import { detectPackageManager } from '../../src/node/package-manager.ts';
import { errorOf, inFolder } from './folder.ts';

const BERRY = '__metadata:\n  version: 8\n';
const CLASSIC = '# yarn lockfile v1\n';

describe('the package manager', () => {
  test.each([
    ['package-lock.json', '{}', 'npm', ['npm', 'ci', '--no-audit', '--no-fund']],
    ['npm-shrinkwrap.json', '{}', 'npm', ['npm', 'ci', '--no-audit', '--no-fund']],
    ['pnpm-lock.yaml', '', 'pnpm', ['pnpm', 'install', '--frozen-lockfile']],
    ['yarn.lock', CLASSIC, 'yarn-classic', ['yarn', 'install', '--frozen-lockfile', '--non-interactive']],
    ['yarn.lock', BERRY, 'yarn-berry', ['yarn', 'install', '--immutable']],
    ['bun.lock', '{}', 'bun', ['bun', 'install', '--frozen-lockfile']],
    ['bun.lockb', '', 'bun', ['bun', 'install', '--frozen-lockfile']],
  ])('of a project with %s (%j) is %s... as %s', (lockfile, content, name, install) => {
    const found = inFolder({ 'package.json': {}, [lockfile]: content }, detectPackageManager);
    expect(found).toEqual({ name, lockfile, install, reason: `the lockfile ${lockfile}` });
  });

  test('is the pinned one, with its version, though another lockfile lies there', () => {
    const files = {
      'package.json': { packageManager: 'pnpm@10.2.0+sha512.ab' },
      'pnpm-lock.yaml': '',
      'yarn.lock': '',
    };
    expect(inFolder(files, detectPackageManager)).toMatchObject({ name: 'pnpm', version: '10.2.0' });
  });

  test.each([
    ['yarn@1.22.22', 'yarn-classic'],
    ['yarn@4.9.1', 'yarn-berry'],
  ])('%s is %s', (packageManager, name) => {
    const files = { 'package.json': { packageManager }, 'yarn.lock': '' };
    expect(inFolder(files, detectPackageManager)).toMatchObject({ name });
  });
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
    ['broken JSON', { 'package.json': '{' }, 'Mend the JSON'],
    ['no package.json', {}, '`directory`'],
  ])('because of %s says what mends it', (_, files, remedy) => {
    const error = errorOf(() => inFolder(files, detectPackageManager));
    expect(error).toMatchObject({ name: 'UserError', remedy: expect.stringContaining(remedy) });
  });
});
