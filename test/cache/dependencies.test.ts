import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type DependencyTree, bringDependencies, treeKey } from '../../src/cache/dependencies.ts';
import { TestCache } from './server.ts';

const tree: DependencyTree = {
  folder: 'node_modules',
  everywhere: true,
  runtime: ['24.1.0', 'npm'],
  content: ['lockfile 1'],
  reconciles: false,
};

let service: TestCache;
let folder: string;
beforeEach(async () => {
  service = await TestCache.start();
  folder = mkdtempSync(path.join(tmpdir(), 'project-'));
});
afterEach(() => {
  service.stop();
  rmSync(folder, { recursive: true, force: true });
});

const at = (...names: string[]): string => path.join(folder, ...names);
const wipe = (): void => rmSync(at('node_modules'), { recursive: true, force: true });

/** Stands for a package manager: it writes what a lockfile would name. */
function installer(word = 'lockfile 1') {
  let runs = 0;
  const install = async (): Promise<number> => {
    runs += 1;
    for (const where of ['.', 'packages/web']) {
      mkdirSync(at(where, 'node_modules', 'left', 'pad'), { recursive: true });
      writeFileSync(at(where, 'node_modules', 'left', 'index.js'), `${word}\n`.repeat(500));
    }
    mkdirSync(at('node_modules', '.bin'), { recursive: true });
    rmSync(at('node_modules', '.bin', 'left'), { force: true });
    symlinkSync('../left/index.js', at('node_modules', '.bin', 'left'));
    return 1;
  };
  return { install, runs: () => runs };
}

async function bring(given = tree, manager = installer()) {
  const { lines, host, cache, background } = service.job();
  const { restored } = await bringDependencies(given, folder, { cache, background }, host, manager.install);
  await background.settle(5000);
  return { restored, log: lines.join('\n'), runs: manager.runs() };
}

test('what was installed once is restored, in each package of the workspace, and nothing is installed', async () => {
  expect(await bring()).toMatchObject({ restored: false, runs: 1 });
  wipe();
  rmSync(at('packages/web/node_modules'), { recursive: true });
  expect(await bring()).toMatchObject({ restored: true, runs: 0 });
  for (const where of ['.', 'packages/web']) {
    expect(readFileSync(at(where, 'node_modules/left/index.js'), 'utf8')).toContain('lockfile 1');
  }
  expect(readFileSync(at('node_modules/.bin/left'), 'utf8')).toContain('lockfile 1');
});

test('a project without dependencies is not installed again either', async () => {
  const nothing = { install: async () => 1, runs: () => 1 };
  expect(await bring(tree, nothing)).toMatchObject({ restored: false });
  expect(await bring(tree, nothing)).toMatchObject({ restored: true });
});

test('what lay there before does not stay beside what is restored', async () => {
  await bring();
  mkdirSync(at('node_modules/stale'));
  expect(await bring()).toMatchObject({ restored: true });
  expect(existsSync(at('node_modules/stale'))).toBe(false);
});

test.each([
  ['another lockfile', { content: ['lockfile 2'] }],
  ['another version of Node', { runtime: ['26.0.0', 'npm'] }],
])('%s is installed anew', async (_what, other) => {
  await bring();
  expect(await bring({ ...tree, ...other })).toMatchObject({ restored: false, runs: 1 });
  expect(treeKey({ ...tree, ...other }).key).not.toBe(treeKey(tree).key);
});

test('a manager that mends an older tree gets one, of the same runtime only', async () => {
  await bring();
  wipe();
  const next = { ...tree, content: ['lockfile 2'], reconciles: true };
  const seen: boolean[] = [];
  const looks = { install: async () => (seen.push(existsSync(at('node_modules/left'))), 1), runs: () => 1 };
  expect(await bring(next, looks)).toMatchObject({ restored: false });
  wipe();
  await bring({ ...next, runtime: ['26.0.0', 'npm'] }, looks);
  expect(seen).toEqual([true, false]);
});

describe('a cache that fails never fails the build', () => {
  test.each(['cut', 'garbled', 'unavailable', 'reset'])('a download that is %s', async (kind) => {
    await bring();
    wipe();
    await service.control.faults({ kind, on: 'GET /blobs' });
    const left: boolean[] = [];
    const { install, runs } = installer();
    const clean = async () => (left.push(existsSync(at('node_modules'))), install());
    const again = await bring(tree, { install: clean, runs });
    expect(again).toMatchObject({ restored: false, runs: 1 });
    expect(again.log).toContain('not from the cache, as');
    // Nothing of what came half stays for the install to find.
    expect(left).toEqual([false]);
  });

  test.each(['reset', 'slow', 'unavailable'])('an upload that meets %s', async (kind) => {
    await service.control.faults({ kind, on: 'PUT /blobs', ms: 9000 });
    const { log } = await bring();
    expect(log).toContain('not saved in the cache, as a cache entry cannot be uploaded');
  });

  test('an install that fails is told, and saves nothing', async () => {
    const fails = { install: async () => Promise.reject(new Error('no such package')), runs: () => 0 };
    await expect(bring(tree, fails)).rejects.toThrow('no such package');
    expect((await service.control.requests()).map(({ name }) => name)).not.toContain('PUT /blobs/cache/');
  });
});

describe('an archive from elsewhere', () => {
  /** Saves an entry under the tree's key as nobody but an attacker would. */
  async function plant(head: unknown, members: readonly string[]): Promise<void> {
    const evil = mkdtempSync(path.join(tmpdir(), 'evil-'));
    for (const member of members) {
      mkdirSync(path.join(evil, path.dirname(member)), { recursive: true });
      writeFileSync(path.join(evil, member), treeKey(tree).key);
    }
    const tar = `tar -cf - -C ${evil} . | zstd -q`;
    const archive = execFileSync('sh', ['-c', tar]);
    await service
      .job()
      .cache.save(treeKey(tree).key, Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), archive]));
    rmSync(evil, { recursive: true });
  }

  test('writes nothing but its folders', async () => {
    await plant({ folders: ['node_modules'] }, ['node_modules/.delivery-actions', 'src/server.js', '.npmrc']);
    expect(await bring()).toMatchObject({ restored: true });
    expect(existsSync(at('src'))).toBe(false);
    expect(existsSync(at('.npmrc'))).toBe(false);
  });

  test.each([
    ['../node_modules'],
    ['/tmp/node_modules'],
    ['src'],
    ['a/../node_modules'],
    ['node_modules/x/node_modules'],
  ])('that names %s is refused', async (name) => {
    await plant({ folders: ['node_modules', name] }, ['node_modules/.delivery-actions']);
    expect((await bring()).log).toContain('the entry holds other folders than node_modules');
  });

  test('is refused where a link of the checkout leads out of the project', async () => {
    const outside = mkdtempSync(path.join(tmpdir(), 'outside-'));
    symlinkSync(outside, at('packages'));
    await plant({ folders: ['node_modules', 'packages/node_modules'] }, ['packages/node_modules/x']);
    const broken = { install: async () => 1, runs: () => 1 };
    expect((await bring(tree, broken)).log).toContain('packages/node_modules leads out of the project');
    expect(existsSync(path.join(outside, 'node_modules'))).toBe(false);
    rmSync(outside, { recursive: true });
  });

  test('that is of another tree than its key says is not used', async () => {
    await plant({ folders: ['node_modules'] }, ['node_modules/left/index.js']);
    expect((await bring()).log).toContain('the entry holds another tree than its key says');
  });
});
