// deliver-web.yml run by a real workflow runner. Stand-ins take the place of the bundles and of GitHub's artifacts, since
// what is tried is what the workflow makes of them: who deploys what, in which order, and what stops it.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runWorkflow } from '../lab/act.ts';
import { findBinary } from '../lab/binaries.ts';
import { cache } from '../lab/cache.ts';
import { copyProduct, environmentVariables } from '../lab/product.ts';

const root = path.resolve(import.meta.dirname, '../..');
let folder = '';
let act = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'deliver-web-'));
  act = await findBinary('act', cache);
  await copyProduct(root, path.join(folder, 'product'));
  for (const action of ['build-node', 'deploy-web']) {
    const bundle = path.join(folder, 'product', 'dist', action);
    await rm(bundle, { recursive: true, force: true });
    await mkdir(bundle, { recursive: true });
    await cp(path.join(import.meta.dirname, 'stand-in.mjs'), path.join(bundle, 'index.js'));
  }
  await writeFile(path.join(folder, 'product', 'package.json'), '{"type":"module"}');
}, 10 * 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const sameRepository = { number: 7, pull_request: { number: 7, head: { repo: { full_name: 'acme/shop' } } } };
const fork = { number: 7, pull_request: { number: 7, head: { repo: { full_name: 'mallory/shop' } } } };

describe('a push to the default branch', () => {
  test('is built once, and deployed to one environment after the other with its own settings', async () => {
    const { exitCode, ran } = await deliver('push', { ref: 'refs/heads/main' });
    expect(exitCode).toBe(0);
    expect(ran).toEqual([
      expect.not.objectContaining({ bucket: expect.anything() }),
      ...['staging', 'production'].map((environment) =>
        expect.objectContaining({
          environment,
          action: 'deploy',
          site: 'site',
          bucket: `web-${environment}`,
          config: `SITE: ${environment}`,
        }),
      ),
    ]);
  });

  test('stops at the first environment that fails', async () => {
    const { exitCode, ran } = await deliver('push', { ref: 'refs/heads/main' }, { STAND_IN_FAILS: 'staging' });
    expect(exitCode).toBe(1);
    expect(ran.map(({ environment }) => environment)).toEqual([undefined, 'staging']);
  });

  test('is not deployed from another branch', async () => {
    const { ran } = await deliver('push', { ref: 'refs/heads/feature' });
    expect(ran.map(({ environment }) => environment)).toEqual([undefined]);
  });
});

describe('a pull request', () => {
  test('gets a preview', async () => {
    const { exitCode, ran } = await deliver('pull_request', { action: 'opened', ...sameRepository });
    expect(exitCode).toBe(0);
    expect(ran.slice(1)).toEqual([expect.objectContaining({ environment: 'preview', action: 'deploy' })]);
  });

  test('that is closed has it removed, and builds nothing', async () => {
    const { ran } = await deliver('pull_request', { action: 'closed', ...sameRepository });
    expect(ran).toEqual([expect.objectContaining({ environment: 'preview', action: 'remove' })]);
  });

  test.each(['opened', 'closed'])('of a fork that is %s reaches no environment', async (action) => {
    const { ran } = await deliver('pull_request', { action, ...fork });
    expect(ran.filter(({ bucket }) => bucket !== undefined)).toEqual([]);
  });
});

/** A caller's run of the template, and what each action was given, in order. */
async function deliver(event: string, payload: object, env: Readonly<Record<string, string>> = {}) {
  const run = await mkdtemp(path.join(folder, 'run-'));
  const record = path.join(run, 'record');
  await writeFile(record, '');
  const workflow = '.github/workflows/deliver.yml';
  await mkdir(path.join(run, 'caller', '.github', 'workflows'), { recursive: true });
  await cp(path.join(root, 'workflows', 'web-app.yml'), path.join(run, 'caller', workflow));
  const variables = ['staging', 'production', 'preview'].map((name) =>
    environmentVariables(name, { BUCKET: `web-${name}`, CONFIG: `SITE: ${name}` }),
  );
  const { exitCode } = await runWorkflow({
    act,
    nodeBin: path.dirname(process.execPath),
    repository: path.join(run, 'caller'),
    product: path.join(folder, 'product'),
    workflow,
    event,
    payload: { repository: { default_branch: 'main' }, ...payload },
    env: { STAND_IN_RECORD: record, ...env },
    vars: Object.assign({ AWS_REGION: 'eu-central-1' }, ...variables) as Record<string, string>,
  });
  const lines = (await readFile(record, 'utf8')).split('\n').filter((line) => line !== '');
  return { exitCode, ran: lines.map((line) => JSON.parse(line) as Record<string, string>) };
}
