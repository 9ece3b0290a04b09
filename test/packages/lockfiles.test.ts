import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { ReadFile } from '../../src/project/project.ts';
import { pathsTo } from '../../src/packages/graph.ts';
import type { PackageSet } from '../../src/packages/package.ts';
import { readPackages } from '../../src/packages/read.ts';

const fixtures = path.join(import.meta.dirname, 'fixtures');

/** The files of a fixture, one of them under the name that its package manager gives it. */
function project(kind: 'node' | 'python', lockfile: string, from = lockfile): ReadFile {
  return (file) => {
    const isLock = /lock|requirements/i.test(file);
    const own = kind === 'python' && lockfile === 'requirements.txt' && file.startsWith('requirements');
    if (isLock && file !== lockfile && !own) return undefined;
    try {
      return readFileSync(path.join(fixtures, kind, file === lockfile ? from : file), 'utf8');
    } catch {
      return undefined;
    }
  };
}

async function packagesOf(kind: 'node' | 'python', lockfile: string, from?: string, member?: string) {
  const read = project(kind, lockfile, from);
  const found = await readPackages(kind === 'node' ? 'npm' : 'pypi', { read, ...(member !== undefined && { member }) });
  if (found === undefined) throw new Error(`nothing was read of ${lockfile}`);
  return found;
}

const names = ({ packages }: PackageSet, dev: boolean): readonly string[] =>
  packages.filter((one) => one.dev === dev).map(({ purl }) => purl.replace(/^pkg:\w+\//, ''));

/** Written by the real managers from the same package.json, on one day. */
const NODE = [
  ['package-lock.json', 'npm3.package-lock.json'],
  ['package-lock.json', 'npm2.package-lock.json'],
  ['pnpm-lock.yaml', 'pnpm7.pnpm-lock.yaml'],
  ['pnpm-lock.yaml', 'pnpm8.pnpm-lock.yaml'],
  ['pnpm-lock.yaml', 'pnpm10.pnpm-lock.yaml'],
  ['yarn.lock', 'yarn1.yarn.lock'],
  ['yarn.lock', 'yarn4.yarn.lock'],
  ['bun.lock', 'bun.lock'],
] as const;

const PRODUCTION = [
  'ansi-regex@5.0.1',
  'debug@4.3.4',
  'emoji-regex@8.0.0',
  'fsevents@2.3.2',
  'is-fullwidth-code-point@3.0.0',
  'ms@2.0.0',
  'ms@2.1.2',
  'string-width@4.2.3',
  'strip-ansi@6.0.1',
];
const DEVELOPING = [
  'balanced-match@1.0.2',
  'brace-expansion@1.1.22',
  'concat-map@0.0.1',
  'fs.realpath@1.0.0',
  'glob@7.2.3',
  'inflight@1.0.6',
  'inherits@2.0.4',
  'minimatch@3.1.5',
  'once@1.4.0',
  'path-is-absolute@1.0.1',
  'rimraf@3.0.2',
  'wrappy@1.0.2',
];

describe('the same project locked by every package manager of Node', () => {
  test.each(NODE)('%s of %s', async (lockfile, from) => {
    const found = await packagesOf('node', lockfile, from);
    // Yarn 4 adds node-gyp, with all that it needs, to what has native code to build.
    const isAdded = from.startsWith('yarn4') ? (name: string) => !PRODUCTION.includes(name) : () => false;
    const production = names(found, false);
    expect(production.filter((name) => !isAdded(name))).toEqual(PRODUCTION);
    expect(production.some((name) => name.startsWith('node-gyp@'))).toBe(from.startsWith('yarn4'));
    expect(names(found, true)).toEqual(DEVELOPING);
    const direct = found.packages.filter((one) => one.direct).map(({ name }) => name);
    expect(direct).toEqual(['debug', 'fsevents', 'ms', 'once', 'rimraf', 'string-width']);
    expect(found.packages.find(({ name }) => name === 'debug')?.dependencies).toEqual(['pkg:npm/ms@2.1.2']);
    expect(pathsTo(found).get('pkg:npm/wrappy@1.0.2')).toEqual(['once', 'wrappy']);
    const hashes = found.packages.find(({ purl }) => purl === 'pkg:npm/debug@4.3.4')?.hashes;
    // Yarn 4's own checksums are of no archive that a registry has.
    const sha512 =
      '3d15851ee494dde0ed4093ef9cd63b25c91eb758f4b793ae3ac1733cfcec7a40f9d9997ca947c520f122b305ea22f1d61951ce817fbb1bfbc234d85e870c5f91';
    expect(hashes).toEqual(from.startsWith('yarn4') ? [] : [{ algorithm: 'sha512', value: sha512 }]);
  });

  test.each(NODE.filter(([, from]) => from !== 'yarn1.yarn.lock'))(
    'of one workspace alone: %s of %s',
    async (lockfile, from) => {
      const found = await packagesOf('node', lockfile, from, 'packages/lib');
      expect(names(found, false)).toEqual(['ms@2.0.0']);
      expect(names(found, true)).toEqual(['once@1.4.0', 'wrappy@1.0.2']);
    },
  );

  test('version 1 of npm, whose tree does not tell what workspaces want for developing', async () => {
    const found = await packagesOf('node', 'package-lock.json', 'npm1.package-lock.json');
    expect(names(found, false)).toEqual([...PRODUCTION, 'once@1.4.0', 'wrappy@1.0.2'].toSorted());
    expect(names(found, true)).toEqual(DEVELOPING.filter((name) => !/^(once|wrappy)@/.test(name)));
  });
});

describe('the same project locked by every package manager of Python', () => {
  test.each(['uv.lock', 'poetry.lock', 'pdm.lock', 'pylock.toml', 'Pipfile.lock', 'requirements.txt'])(
    '%s',
    async (lockfile) => {
      const found = await packagesOf('python', lockfile);
      const all = (dev: boolean): readonly string[] => names(found, dev).map((one) => one.replace(/@.*/, ''));
      const elsewhere = ['Pipfile.lock', 'requirements.txt'].includes(lockfile) ? [] : ['colorama'];
      const runs = ['anyio', 'certifi', 'h11', 'httpcore', 'httpx', 'idna', 'sniffio', 'typing-extensions'];
      // A pylock without a graph does not tell what is for developing.
      const builds = ['build', ...elsewhere, 'packaging', 'pyproject-hooks'];
      expect([...all(false), ...all(true)].toSorted()).toEqual([...runs, ...builds].toSorted());
      expect(all(true)).toEqual(lockfile === 'pylock.toml' ? ['build'] : builds);
      expect(found.packages.find(({ name }) => name === 'httpx')).toMatchObject({ direct: true, dev: false });
      expect(found.packages.find(({ name }) => name === 'h11')?.hashes.length).toBeGreaterThan(0);
      const flat = ['Pipfile.lock', 'pylock.toml'].includes(lockfile);
      expect(pathsTo(found).get(found.packages.find(({ name }) => name === 'h11')?.purl ?? '')).toEqual(
        flat ? undefined : ['httpx', 'httpcore', 'h11'],
      );
    },
  );
});
