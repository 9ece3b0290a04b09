// deliver-node.yml and deliver-python.yml run by a real workflow runner. Stand-ins take the place of the two bundles, since what is tried is
// what the workflow makes of them: the order, what stops it and what it hands on.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runWorkflow } from '../lab/act.ts';
import { findBinary } from '../lab/binaries.ts';
import { cache } from '../lab/cache.ts';
import { copyProduct } from '../lab/product.ts';

const root = path.resolve(import.meta.dirname, '../..');
const digest = `sha256:${'a'.repeat(64)}`;
const ecr = '123456789012.dkr.ecr.eu-central-1.amazonaws.com';

let folder = '';
let act = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'deliver-'));
  act = await findBinary('act', cache);
  await copyProduct(root, path.join(folder, 'product'));
  for (const action of ['build-node', 'build-python', 'deploy-eks', 'migrate-db']) {
    const bundle = path.join(folder, 'product', 'dist', action);
    await rm(bundle, { recursive: true, force: true });
    await mkdir(bundle);
    await cp(path.join(import.meta.dirname, 'stand-in.mjs'), path.join(bundle, 'index.js'));
  }
  await writeFile(path.join(folder, 'product', 'package.json'), '{"type":"module"}');
}, 10 * 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a push to the default branch', () => {
  test('is built, then deployed by digest to one environment after the other', async () => {
    const { exitCode, ran } = await deliver({});
    expect(exitCode).toBe(0);
    expect(ran).toEqual([
      expect.objectContaining({ image: 'tracking-api', push: 'true', region: 'eu-central-1' }),
      ...['staging', 'production'].map((environment) =>
        expect.objectContaining({ environment, images: `tracking-api=${ecr}/tracking-api@${digest}` }),
      ),
    ]);
  });

  test('is built by its own language, then deployed in the same way', async () => {
    const { ran } = await deliver({ template: 'python-service.yml' });
    expect(ran.map(({ image, images, environment }) => [environment, image ?? images])).toEqual([
      [undefined, 'routing-service'],
      ['staging', `routing-service=${ecr}/routing-service@${digest}`],
      ['production', `routing-service=${ecr}/routing-service@${digest}`],
    ]);
  });

  test('stops at the first environment that fails', async () => {
    const { exitCode, ran } = await deliver({
      environments: '["dev", "test", "staging", "production"]',
      env: { STAND_IN_FAILS: 'test' },
    });
    expect(exitCode).toBe(1);
    expect(ran.map(({ environment }) => environment)).toEqual([undefined, 'dev', 'test']);
  });

  test('with migrations applies before each deployment what the running version does not mind, and the rest after it', async () => {
    const { exitCode, ran } = await deliver({ migrations: 'db/migrations' });
    expect(exitCode).toBe(0);
    const migrated = (phase: string) => [`plan ${phase}`, `apply ${phase}`];
    expect(ran.slice(1).map(({ mode, phase, environment }) => (mode ? `${mode} ${phase}` : environment))).toEqual(
      ['staging', 'production'].flatMap((one) => [...migrated('expand'), one, ...migrated('contract')]),
    );
    expect(ran[2]).toMatchObject({ directory: 'db/migrations', 'expect-risk': 'none' });
  });

  test('with migrations stops at the first environment that fails', async () => {
    const { exitCode, ran } = await deliver({ migrations: 'db', env: { STAND_IN_FAILS: 'staging' } });
    expect(exitCode).toBe(1);
    expect(ran.map(({ environment }) => environment).filter(Boolean)).toEqual(['staging']);
    expect(ran.at(-1)).toMatchObject({ environment: 'staging' });
  });

  test('asks those who answer for the database where the risk is high', async () => {
    const { jobs } = await deliver({
      migrations: 'db',
      environments: '["production"]',
      env: { STAND_IN_RISK: 'high' },
    });
    const asked = jobs.filter((job) => job.endsWith('ask those who answer for the database: success'));
    expect(asked).toHaveLength(2);
    const none = await deliver({ migrations: 'db', environments: '["production"]' });
    expect(none.jobs.filter((job) => /ask those who answer/.test(job) && job.endsWith('success'))).toEqual([]);
  });

  test('gets the registry from a variable when GitHub masks the name of the image', async () => {
    const { ran } = await deliver({ env: { STAND_IN_MASKED: '1' }, vars: { REGISTRY: 'registry.example.com' } });
    expect(ran[1]).toMatchObject({ images: `tracking-api=registry.example.com/tracking-api@${digest}` });
  });

  test('names that variable when it is missing', async () => {
    const { ran } = await deliver({ env: { STAND_IN_MASKED: '1' } });
    expect(ran[1]).toMatchObject({ images: `tracking-api=(set the variable REGISTRY)/tracking-api@${digest}` });
  });
});

test.each([
  ['a pull request', { event: 'pull_request', ref: 'refs/pull/7/merge' }],
  ['a push to another branch', { ref: 'refs/heads/feature' }],
  ['a pull request whose scripts forge an output', { event: 'pull_request', env: { STAND_IN_FORGED: '1' } }],
])('%s is built, and neither pushed nor deployed', async (_, given) => {
  const { exitCode, ran } = await deliver(given);
  expect(exitCode).toBe(0);
  expect(ran).toEqual([expect.objectContaining({ push: 'false' })]);
});

test.each(['staging, production', '[]', '["a", "b", "c", "d", "e"]', 'production'])(
  'the list of environments %s is refused before anything runs',
  async (environments) => {
    const { exitCode, ran, jobs } = await deliver({ environments });
    expect({ exitCode, ran }).toEqual({ exitCode: 1, ran: [] });
    // What a step writes in its last millisecond act may lose, so the job's name stands for its message.
    expect(jobs).toEqual([expect.stringContaining('check the list of environments')]);
  },
);

interface Given {
  readonly template?: string;
  readonly event?: string;
  readonly ref?: string;
  readonly environments?: string;
  readonly migrations?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly vars?: Readonly<Record<string, string>>;
}

/** A caller's run of the template, and what each action was given, in order. What it outputs act does not hand up two levels. */
async function deliver({
  event = 'push',
  ref = 'refs/heads/main',
  template = 'node-service.yml',
  ...given
}: Given): Promise<{
  exitCode: number;
  jobs: readonly string[];
  ran: readonly Readonly<Record<string, string>>[];
}> {
  const { environments, migrations, env, vars } = given;
  const run = await mkdtemp(path.join(folder, 'run-'));
  const record = path.join(run, 'record');
  await writeFile(record, '');
  const text = await readFile(path.join(root, 'workflows', template), 'utf8');
  const chosen = environments === undefined ? text : text.replace(/(environments: ).*/, `$1'${environments}'`);
  await mkdir(path.join(run, 'caller', '.github', 'workflows'), { recursive: true });
  const whole = migrations === undefined ? chosen : `${chosen.trimEnd()}\n      migrations: ${migrations}\n`;
  await mkdir(path.join(run, 'caller', migrations ?? ''), { recursive: true });
  await writeFile(path.join(run, 'caller', '.github/workflows/deliver.yml'), whole);
  const { exitCode, jobs } = await runWorkflow({
    act,
    nodeBin: path.dirname(process.execPath),
    repository: path.join(run, 'caller'),
    product: path.join(folder, 'product'),
    workflow: '.github/workflows/deliver.yml',
    event,
    payload: { ref, repository: { default_branch: 'main' } },
    env: { STAND_IN_RECORD: record, ...env },
    vars: { AWS_REGION: 'eu-central-1', EKS_CLUSTER: 'shop', ...vars },
  });
  const lines = (await readFile(record, 'utf8')).split('\n').filter((line) => line !== '');
  const ran = lines.map((line) => JSON.parse(line) as Record<string, string>);
  return { exitCode, jobs: jobs.map(({ name, result }) => `${name}: ${result}`), ran };
}
