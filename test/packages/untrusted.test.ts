import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { UserError } from '../../src/action/errors.ts';
import { packageUrl } from '../../src/packages/package.ts';
import { readPackages, whyNoPackages } from '../../src/packages/read.ts';

const fixtures = path.join(import.meta.dirname, 'fixtures');

/** Every lockfile of the fixtures, under the name that its manager gives it. */
const lockfiles = (['node', 'python'] as const).flatMap((kind) =>
  readdirSync(path.join(fixtures, kind)).flatMap((file) => {
    const [name] =
      /(?:npm-shrinkwrap\.json|package-lock\.json|pnpm-lock\.yaml|[\w-]+\.lock|pylock\.toml|requirements\.txt)$/.exec(
        file,
      ) ?? [];
    return name === undefined
      ? []
      : [
          {
            ecosystem: kind === 'node' ? ('npm' as const) : ('pypi' as const),
            name,
            file: path.join(fixtures, kind, file),
          },
        ];
  }),
);

async function read(ecosystem: 'npm' | 'pypi', files: Readonly<Record<string, string>>) {
  return readPackages(ecosystem, { read: (file) => (Object.hasOwn(files, file) ? files[file] : undefined) });
}

/** A small generator of numbers, so that a failure comes again. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('lockfiles from outside', () => {
  test.each(lockfiles)('$name of $file, damaged in 200 ways, is read or refused', async ({ ecosystem, name, file }) => {
    const text = readFileSync(file, 'utf8');
    const next = numbers(text.length);
    const pieces = [
      '',
      '{',
      ']',
      '"',
      '\n',
      '  - ',
      ': null',
      '[[package]]',
      '\u0000',
      '__proto__',
      'null',
      '1e999',
      '../',
    ];
    for (let round = 0; round < 200; round += 1) {
      const [at, length] = [Math.floor(next() * text.length), Math.floor(next() * 40)];
      const piece = pieces[Math.floor(next() * pieces.length)] ?? '';
      const damaged = text.slice(0, at) + piece + text.slice(at + length);
      try {
        for (const one of (await read(ecosystem, { [name]: damaged }))?.packages ?? []) {
          expect(one.purl).toMatch(/^pkg:(npm|pypi)\/[\w.~%:/+-]+@[\w.~%+:-]+$/);
        }
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
      }
    }
  });

  test.each([
    ['package-lock.json', '[]'],
    [
      'package-lock.json',
      '{"lockfileVersion": 3, "packages": {"": 7, "node_modules/a": null, "node_modules/b": {"version": 5}}}',
    ],
    ['pnpm-lock.yaml', 'packages: [1, 2]\nimporters: {a: 3}'],
    ['pnpm-lock.yaml', 'a: &a [*a]'],
    ['yarn.lock', '<<<<<<< HEAD\n  version "1"\n'],
    ['yarn.lock', '__metadata: 7\n"a@npm:1": null\n'],
    ['bun.lock', '{"packages": {"a": [], "b": [7], "c": ["c@1", null, 3]}}'],
    ['npm-shrinkwrap.json', '{"dependencies": {"a": {"version": "1.0.0", "requires": true, "dependencies": 7}}}'],
  ])('%s that holds %s gives nothing wrong', async (name, text) => {
    const found = await read('npm', { [name]: text }).catch((error: unknown) => {
      if (error instanceof UserError) return { packages: [] };
      throw error;
    });
    expect(found?.packages.length).toBeLessThan(2);
  });

  test('commas before brackets and comments of bun.lock are taken, in texts they stay', async () => {
    const text =
      '{ // ,]\n "packages": {"a": ["a@1.0.0", "", {"dependencies": {"@s/b": "// ,}",},}, /* ] */ "",], "a/@s/b": ["@s/b@2.0.0"], "@s/b": ["@s/b@1.0.0"],},}';
    const found = await read('npm', { 'bun.lock': text });
    expect(found?.packages.find(({ name }) => name === 'a')?.dependencies).toEqual(['pkg:npm/%40s/b@2.0.0']);
    await expect(read('npm', { 'bun.lock': `{"a": "${'x'.repeat(100_000)}` })).rejects.toThrow('is not JSON');
  });

  test('a tree of version 1 that is nested without end ends', async () => {
    let text = '{}';
    for (let depth = 0; depth < 2000; depth += 1) text = `{"a": {"version": "1.0.${depth}", "dependencies": ${text}}}`;
    const found = await read('npm', { 'package-lock.json': `{"lockfileVersion": 1, "dependencies": ${text}}` });
    expect(found?.packages.length).toBe(101);
  });

  test('names that no registry has are left out of the packages', async () => {
    const packages = {
      'node_modules/a b': { version: '1.0.0' },
      'node_modules/ok': { version: '1.0.0\n::error::' },
      'node_modules/fine': { version: '1.0.0' },
    };
    const found = await read('npm', { 'package-lock.json': JSON.stringify({ lockfileVersion: 3, packages }) });
    expect(found?.packages.map(({ name }) => name)).toEqual(['fine']);
    expect(found?.open).toEqual(['ok']);
  });

  test('an archive address loses its password and token', async () => {
    const entry = { version: '1.0.0', resolved: 'https://user:secret@npm.example.com/a/-/a-1.0.0.tgz?token=secret' };
    const lock = { lockfileVersion: 3, packages: { 'node_modules/a': entry } };
    const found = await read('npm', { 'package-lock.json': JSON.stringify(lock) });
    expect(found?.packages[0]?.source).toBe('https://npm.example.com/a/-/a-1.0.0.tgz');
  });

  test('requirements without versions are open, and includes stay inside', async () => {
    const found = await read('pypi', {
      'requirements.txt':
        '-r base.txt\n-r ../../etc/passwd\n-r requirements.txt\nDjango>=4 # why\nFlask[async]==3.0.0 ; python_version > "3.8"\n--index-url https://x\n',
      'base.txt': 'Jinja2 == 3.1.4\n',
    });
    expect(found?.packages.map(({ purl }) => purl)).toEqual(['pkg:pypi/flask@3.0.0', 'pkg:pypi/jinja2@3.1.4']);
    expect(found?.open).toEqual(['django']);
  });

  test('bun.lockb is named with what to do', async () => {
    const files = { 'bun.lockb': '\u0000' };
    expect(await read('npm', files)).toBeUndefined();
    expect(whyNoPackages('npm', (file) => (file === 'bun.lockb' ? '\u0000' : undefined))).toContain(
      '--save-text-lockfile',
    );
  });
});

test.each([
  ['npm', '@babel/core', '7.0.0', 'pkg:npm/%40babel/core@7.0.0'],
  ['npm', 'a', '1.0.0+build.1', 'pkg:npm/a@1.0.0%2Bbuild.1'],
  ['pypi', 'zope-interface', '7!1.0', 'pkg:pypi/zope-interface@7%211.0'],
] as const)('package URL of %s %s %s', (ecosystem, name, version, purl) => {
  expect(packageUrl(ecosystem, name, version)).toBe(purl);
});

describe('lockfiles of 5 MB that are made to be slow', () => {
  const size = 5_000_000;
  const many = (count: number, make: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => make(index)).join('\n');
  const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`z${index}`, '1']));
  const bun = (packages: object): string => JSON.stringify({ lockfileVersion: 1, packages });
  const npm = (key: string, dependencies: object): string =>
    JSON.stringify({ lockfileVersion: 3, packages: { '': {}, [key]: { version: '1.0.0', dependencies } } });

  test.each([
    ['yarn.lock', 'carriage returns', `a@1:\n  ${'a'.repeat(size)}\rb\rc\n`],
    ['yarn.lock', 'one name', `${many(size / 20, (index) => `a@${index}:\n  v "1"`)}\n`],
    ['yarn.lock', 'edges', `${many(size / 60, (index) => `a@${index}:\n  version "1"\n  dependencies:\n    a x`)}\n`],
    [
      'bun.lock',
      'ids',
      bun({ a: [`${'@workspace:'.repeat(size / 11)}\n`], b: ['b@1', '', { dependencies: { a: '1' } }] }),
    ],
    [
      'bun.lock',
      'depth',
      bun({
        [Array(size / 2)
          .fill('a')
          .join('/')]: ['x@1', '', { dependencies: wide }],
      }),
    ],
    ['package-lock.json', 'depth', npm(Array(5000).fill('node_modules/a').join('/'), wide)],
  ])('%s by %s is read or refused within 15 s', async (name, _, text) => {
    const began = performance.now();
    const answer: unknown = await read('npm', { [name]: text, 'package.json': '{}' }).catch((error: unknown) => error);
    expect(answer instanceof Error && !(answer instanceof UserError)).toBe(false);
    expect(performance.now() - began).toBeLessThan(15_000);
  });
});
