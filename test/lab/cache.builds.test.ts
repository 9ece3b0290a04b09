import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { restoreCache, saveCache } from '@actions/cache';
import { controlOf } from './control.ts';
import { openLab } from './lab.ts';
import { runtimeToken } from './parts/cache-token.ts';

const { cache } = await openLab('cache');
if (!cache) throw new Error('the lab gave no cache');
const control = controlOf(cache.control);
const before = { ...process.env };
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lab-cache-'));
  mkdirSync(path.join(folder, 'tree'));
  Object.assign(process.env, { RUNNER_TEMP: folder, GITHUB_WORKSPACE: folder, ACTIONS_RESULTS_URL: cache.url });
  process.env['ACTIONS_CACHE_SERVICE_V2'] = 'true';
});
afterEach(async () => control.faults());
afterAll(() => {
  rmSync(folder, { recursive: true });
  process.env = before;
});

function onBranch(...branches: readonly string[]): void {
  const scopes = branches.map((branch, at) => ({ Scope: `refs/heads/${branch}`, Permission: at === 0 ? 3 : 1 }));
  process.env['ACTIONS_RUNTIME_TOKEN'] = runtimeToken(cache?.secret ?? '', scopes);
}

test("GitHub's own client saves and restores, and a branch sees the default branch's entries but not the reverse", async () => {
  const file = path.join(folder, 'tree', 'one.txt');
  const key = `lab-${Date.now()}`;
  onBranch('main');
  writeFileSync(file, 'from main');
  await saveCache([path.join(folder, 'tree')], `${key}-1`);
  onBranch('feature', 'main');
  writeFileSync(file, 'from feature');
  await saveCache([path.join(folder, 'tree')], `${key}-2`);
  rmSync(file);
  expect(await restoreCache([path.join(folder, 'tree')], `${key}-1`)).toBe(`${key}-1`);
  expect(readFileSync(file, 'utf8')).toBe('from main');
  expect(await restoreCache([path.join(folder, 'tree')], `${key}-3`, [`${key}-`])).toBe(`${key}-2`);
  expect(readFileSync(file, 'utf8')).toBe('from feature');
  onBranch('main');
  expect(await restoreCache([path.join(folder, 'tree')], `${key}-2`)).toBeUndefined();
  // An entry never changes.
  expect(await saveCache([path.join(folder, 'tree')], `${key}-1`)).toBe(-1);
});
