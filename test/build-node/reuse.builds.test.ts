import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, cpSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { controlOf } from '../lab/control.ts';
import { openLab } from '../lab/lab.ts';
import type { LabFacts } from '../lab/part.ts';
import { describeWith } from '../lab/needs.ts';
import { runtimeToken } from '../lab/parts/cache-token.ts';
import { type BundleRun, Workspace } from './workspace.ts';

const example = path.resolve(import.meta.dirname, '../../examples/tracking-api');
const service = `reuse-${randomBytes(4).toString('hex')}/tracking-api`;
const describe = await describeWith('images');
let facts: LabFacts;
let shop: Workspace;
beforeAll(async () => {
  facts = await openLab('images', 'registry', 'cache');
}, 20 * 60_000);
beforeEach(() => {
  shop = new Workspace();
  cpSync(example, shop.folder, { recursive: true, filter: (file) => !file.endsWith('junit.xml') });
  git('init', '-q');
  git('add', '.');
  git('commit', '-q', '-m', 'Start');
});
afterEach(() => shop.remove());

function git(...args: readonly string[]): void {
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.example', ...args], { cwd: shop.folder });
}

/** A build on a fresh checkout, by a job of a branch that reads the default branch's cache too. */
async function build(branch: string, inputs: Readonly<Record<string, string>> = {}): Promise<BundleRun> {
  git('clean', '-qfdx');
  const { images, registry, cache } = facts;
  const scopes = [...new Set([branch, 'main'])].map((one) => ({
    Scope: `refs/heads/${service}/${one}`,
    Permission: one === branch ? 3 : 1,
  }));
  const env = {
    DOCKER_HOST: images?.dockerHost,
    DOCKER_CONFIG: images?.dockerConfig,
    ACTIONS_RESULTS_URL: cache?.url,
    ACTIONS_RUNTIME_TOKEN: runtimeToken(cache?.secret ?? '', scopes),
    ACTIONS_CACHE_SERVICE_V2: 'true',
  };
  return shop.start({ image: service, registry: registry?.host ?? '', ...inputs }, env).ended;
}

const DONE = 'nothing is installed or run';

describe('a build of what was built before', () => {
  test('installs and runs nothing, and gives the same image and test results', async () => {
    const first = await build('main');
    expect(first.exitCode).toBe(0);
    expect(first.outputs['tests']).toBeTruthy();
    const again = await build('feature');
    expect(again.log).toContain(DONE);
    expect(again.outputs).toEqual({ ...first.outputs, reused: 'true' });
    expect(again.summary).toMatch(/\| test \| passed before \([0-9a-f]{7}\): \d+ passed \| — \|/);
    for (const made of ['node_modules', 'junit.xml']) expect(existsSync(path.join(shop.folder, made))).toBe(false);

    // An image that is gone has to be built again; what passed is still known.
    const elsewhere = await build('main', { image: `${service}-elsewhere` });
    expect(elsewhere.log).not.toContain(DONE);
    expect(elsewhere.log).toContain('test: passed before');
    expect(elsewhere.outputs['reused']).toBe('false');

    appendFileSync(path.join(shop.folder, 'src/api.js'), '\n// changed\n');
    git('commit', '-qam', 'Change');
    const changed = await build('main');
    expect(changed.log).not.toContain('passed before');
    expect(changed.outputs['digest']).not.toBe(first.outputs['digest']);

    // What a branch has kept, the default branch does not see.
    mkdirSync(path.join(shop.folder, 'docs'));
    appendFileSync(path.join(shop.folder, 'docs/new.md'), 'new');
    git('add', '.');
    git('commit', '-qm', 'Change again');
    await build('feature');
    expect((await build('main')).log).not.toContain('passed before');
  }, 240_000);

  test('goes on without a cache that fails in the middle', async () => {
    appendFileSync(path.join(shop.folder, 'src/api.js'), '\n// never seen before\n');
    git('commit', '-qam', 'Change');
    await controlOf(facts.cache?.control ?? '').faults({ kind: 'reset', on: 'PUT /blobs', times: 99 });
    const { exitCode, log } = await build('main', { image: `${service}-alone` });
    await controlOf(facts.cache?.control ?? '').faults();
    expect(exitCode).toBe(0);
    expect(log).toContain('what passed is not kept');
  }, 120_000);
});
