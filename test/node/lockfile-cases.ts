/** A project and its lockfile, in step. */
export const PROJECT = {
  name: 'shop',
  version: '1.0.0',
  dependencies: { words: '^2.1.0' },
  devDependencies: { lint: '^2.0.0' },
  optionalDependencies: { fast: '^4.0.0' },
} as const;
export const VERSIONS = { words: '2.1.3', lint: '2.0.5', fast: '4.0.0', other: '1.0.2' } as const;

/** The lockfile of {@link PROJECT} as npm writes it where it leaves out addresses; `other` is not in it. */
export const LOCKED = {
  name: 'shop',
  version: '1.0.0',
  lockfileVersion: 3,
  requires: true,
  packages: {
    '': PROJECT,
    'node_modules/words': { version: VERSIONS.words },
    'node_modules/lint': { version: VERSIONS.lint, dev: true },
    'node_modules/fast': { version: VERSIONS.fast, optional: true },
  },
};

/** What `npm ci` takes with that lockfile. */
export const agreeing: Readonly<Record<string, object>> = {
  'the same package.json': PROJECT,
  'a wider range that the locked version is in': { ...PROJECT, dependencies: { words: '^2.0.0' } },
  'a dependency that is gone': { ...PROJECT, devDependencies: {} },
  'a dependency of another kind': { ...PROJECT, dependencies: { words: '2', lint: '2' }, devDependencies: {} },
  'a tag in place of a range': { ...PROJECT, dependencies: { words: 'latest' } },
  'an alias of the same package': { ...PROJECT, dependencies: { words: 'npm:words@^2.1.0' } },
  'an optional peer that is not installed': {
    ...PROJECT,
    peerDependencies: { other: '1' },
    peerDependenciesMeta: { other: { optional: true } },
  },
  'an optional dependency that is a plain one too': {
    ...PROJECT,
    dependencies: { words: '^2.1.0', fast: '^1.0.0' },
  },
  'an override in its own words': { ...PROJECT, overrides: { words: '$words' } },
};

/** What `npm ci` refuses, and what this action says of it. */
export const disagreeing: Readonly<Record<string, { readonly manifest: object; readonly said: string }>> = {
  'a range that the locked version is not in': {
    manifest: { ...PROJECT, dependencies: { words: '^1.0.0' } },
    said: 'words in dependencies is ^1.0.0 in package.json, but 2.1.3 in the lockfile.',
  },
  'a dependency that is not locked': {
    manifest: { ...PROJECT, dependencies: { words: '^2.1.0', other: '^1.0.0' } },
    said: 'other in dependencies (^1.0.0) is not in the lockfile.',
  },
  'an optional dependency that is not locked': {
    manifest: { ...PROJECT, optionalDependencies: { fast: '^4.0.0', other: '^1.0.0' } },
    said: 'other in optionalDependencies (^1.0.0) is not in the lockfile.',
  },
  'a development dependency in another range': {
    manifest: { ...PROJECT, devDependencies: { lint: '^1.0.0' } },
    said: 'lint in devDependencies is ^1.0.0 in package.json, but 2.0.5 in the lockfile.',
  },
};
