import { describe, expect, test } from '@jest/globals';
import { checkNpmLockfile } from '../../src/node/lockfile.ts';
import { readPackageJson } from '../../src/node/manifest.ts';
import { errorOf, inFolder } from './folder.ts';
import { LOCKED, agreeing, disagreeing } from './lockfile-cases.ts';

function check(manifest: object, lock: object | string, member = ''): void {
  inFolder({ 'package.json': manifest, 'package-lock.json': lock }, (read) =>
    checkNpmLockfile(readPackageJson(read), read('package-lock.json') ?? '', 'package-lock.json', member),
  );
}

describe('a lockfile of npm', () => {
  // What npm itself says of the same cases: see lockfile.tools.test.ts.
  test.each(Object.entries(agreeing))('passes with %s', (_, manifest) => {
    expect(() => check(manifest, LOCKED)).not.toThrow();
  });

  test.each(Object.entries(disagreeing))('is refused with %s', (_, { manifest, said }) => {
    const remedy = expect.stringContaining('`npm install`');
    expect(errorOf(() => check(manifest, LOCKED))).toMatchObject({
      name: 'UserError',
      problems: [{ message: said, remedy, place: { file: 'package-lock.json' } }],
    });
  });

  test('is refused with all differences at once', () => {
    const error = errorOf(() => check({ dependencies: { words: '^9.0.0', added: '1.0.0' } }, LOCKED));
    expect(error).toMatchObject({
      problems: [{}, { message: 'added in dependencies (1.0.0) is not in the lockfile.' }],
    });
  });

  test('of a workspace is held against the package that is built', () => {
    const packages = {
      '': { workspaces: ['packages/*'] },
      'packages/api': { dependencies: { words: '1' } },
      'node_modules/words': { version: '2.0.0' },
      'node_modules/web': { resolved: 'packages/web', link: true },
      'packages/api/node_modules/words': { version: '1.0.0' },
    };
    const lock = { lockfileVersion: 3, packages };
    expect(() => check({ dependencies: { words: '1', web: '^1.0.0' } }, lock, 'packages/api')).not.toThrow();
    expect(() => check({ dependencies: { words: '2' } }, lock, 'packages/api')).toThrow('but 1.0.0 in the lockfile');
    expect(() => check({}, lock, 'packages/new')).toThrow('has no package packages/new');
  });

  test.each([['<<<<<<< HEAD'], ['[]'], ['{"lockfileVersion":3}']])(
    'that reads %s is refused with the command',
    (text) => {
      expect(errorOf(() => check({}, text))).toMatchObject({
        name: 'UserError',
        remedy: expect.stringContaining('`npm install`'),
        place: { file: 'package-lock.json' },
      });
    },
  );
});
