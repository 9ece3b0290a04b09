import { describe, expect, test } from '@jest/globals';
import { checkNpmLockfile } from '../../src/node/lockfile.ts';
import { readPackageJson } from '../../src/node/manifest.ts';
import { errorOf, inFolder } from './folder.ts';

function check(manifest: object, lock: object | string): void {
  inFolder({ 'package.json': manifest, 'package-lock.json': lock }, (read) =>
    checkNpmLockfile(readPackageJson(read), read('package-lock.json') ?? ''),
  );
}

function locked(root: object): object {
  return { lockfileVersion: 3, packages: { '': root } };
}

describe('a lockfile of npm', () => {
  test('that agrees with package.json passes', () => {
    const root = { dependencies: { a: '^1.0.0' }, devDependencies: { b: '2.0.0' } };
    expect(() => check(root, locked(root))).not.toThrow();
  });

  test('may leave out a dependency that is optional too', () => {
    const manifest = { dependencies: { a: '1' }, optionalDependencies: { a: '1' } };
    expect(() => check(manifest, locked({ optionalDependencies: { a: '1' } }))).not.toThrow();
  });

  test('that disagrees is refused with each difference and the command', () => {
    const manifest = { dependencies: { a: '^2.0.0', added: '1.0.0' } };
    const error = errorOf(() =>
      check(manifest, locked({ dependencies: { a: '^1.0.0' }, devDependencies: { old: '3' } })),
    );
    const remedy = expect.stringContaining('`npm install`');
    expect(error).toMatchObject({
      name: 'UserError',
      problems: [
        { message: 'a in dependencies is ^2.0.0 in package.json, but ^1.0.0 in the lockfile.', remedy },
        { message: 'added in dependencies (1.0.0) is not in the lockfile.', remedy },
        { message: 'old in devDependencies (3) is in the lockfile, but no longer in package.json.', remedy },
      ],
    });
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
