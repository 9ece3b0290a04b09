import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { connect } from '../../src/kube/client.ts';
import type { Kube, KubeObject } from '../../src/kube/kube.ts';
import { readKubeconfig } from '../../src/kube/kubeconfig.ts';
import { openLab } from '../lab/lab.ts';
import { freshNamespace } from '../lab/namespace.ts';
import type { LabFacts } from '../lab/part.ts';
import { type Ended, start } from './action.ts';

const SOURCE = path.resolve(import.meta.dirname, '../../examples/tracking-api/k8s');
const manifest = (file: string): string => readFileSync(path.join(SOURCE, file), 'utf8');
const image = (digit: string): string => `tracking-api=registry.example/tracking-api@sha256:${digit.repeat(64)}`;
const REF = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'tracking-api' };
let kubeconfig = '';
let cluster: NonNullable<LabFacts['cluster']>;
let folder = '';
let kube: Kube;
let namespace = '';

// A machine that never built Kubernetes builds it first.
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'deploy-eks-lab-'));
  const facts = await openLab('cluster');
  if (!facts.cluster) throw new Error('the lab gave no cluster');
  cluster = facts.cluster;
  kubeconfig = cluster.kubeconfig;
  kube = connect((await readKubeconfig(kubeconfig)).server);
}, 30 * 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  // Images that nobody built: the pods only have to turn ready.
  namespace = await freshNamespace(cluster, { simulated: true });
});

/** Puts manifests into the workspace in place of those that were there. */
function write(files: Readonly<Record<string, string>>): void {
  rmSync(folder, { recursive: true, force: true });
  folder = mkdtempSync(path.join(tmpdir(), 'deploy-eks-lab-'));
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(folder, file), text);
}

const EXAMPLE = ['config.yaml', 'deployment.yaml', 'service.yaml'];
const example = (change: (text: string) => string = (text) => text): Record<string, string> =>
  Object.fromEntries(EXAMPLE.map((file) => [file, change(manifest(file))]));
/** No pod of it can be placed: it asks for more processors than the node has. */
const greedy = (text: string): string => text.replace('cpu: 20m', 'cpu: 900');

const begin = (inputs: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) =>
  start({ manifests: '.', images: image('a'), namespace, kubeconfig, ...inputs }, { workspace: folder, env });
const deploy = async (inputs: Readonly<Record<string, string>> = {}, env = {}): Promise<Ended> =>
  begin(inputs, env).ended;
async function live(): Promise<KubeObject> {
  const found = await kube.get({ ...REF, namespace });
  if (!found) throw new Error('there is no tracking-api');
  return found;
}
const revisionOf = ({ metadata }: KubeObject): string | undefined =>
  metadata.annotations?.['deployment.kubernetes.io/revision'];
const changesIn = ({ outputs }: Ended): Record<string, string> =>
  Object.fromEntries(
    (JSON.parse(outputs['deployed'] ?? '[]') as { kind: string; change: string }[]).map((o) => [o.kind, o.change]),
  );

test('the example is deployed until it serves, and another commit alone restarts nothing', async () => {
  write(example());
  const first = await deploy({}, { GITHUB_SHA: 'a'.repeat(40) });
  expect(first.log).toContain('created    Deployment/tracking-api');
  expect(first.summary).toContain('### ✅ tracking-api is deployed and serving');
  expect(first.summary).toMatch(/Deployment\/tracking-api` \| 2 new pods \| 2 new pods \| (serving after|in place)/);
  expect(first.exitCode).toBe(0);
  const before = await live();

  const again = await deploy({}, { GITHUB_SHA: 'b'.repeat(40) });
  expect(again.outputs['verdict']).toBe('unchanged');
  const after = await live();
  expect(revisionOf(after)).toBe(revisionOf(before));
  expect(after.metadata.annotations?.['delivery-actions/commit']).toBe('b'.repeat(40));
}, 60_000);

test('a dry run tells what is new, what would change and what would not, and changes nothing', async () => {
  write(example());
  const fresh = await deploy({ 'dry-run': 'true' });
  expect(changesIn(fresh)).toEqual({ ConfigMap: 'created', Deployment: 'created', Service: 'created' });
  expect(await kube.get({ ...REF, namespace })).toBeUndefined();

  await deploy();
  const before = await live();
  const secret =
    'apiVersion: v1\nkind: Secret\nmetadata: {name: tracking-db}\nstringData: {password: very-secret-word}\n';
  write({ ...example((text) => text.replace('memory: 256Mi', 'memory: 512Mi')), 'secret.yaml': secret });
  const plan = await deploy({ 'dry-run': 'true', images: image('b') }, { GITHUB_SHA: 'c'.repeat(40) });
  expect(plan.exitCode).toBe(0);
  expect(plan.outputs['verdict']).toBe('checked');
  expect(changesIn(plan)).toEqual({
    ConfigMap: 'unchanged',
    Deployment: 'configured',
    Secret: 'created',
    Service: 'unchanged',
  });
  expect(plan.summary).toContain('would alter 2 of 4 objects and restart tracking-api (2 pods, a few at a time)');
  expect(plan.summary).toContain(
    '| \\~ | `Deployment/tracking-api` | image `sha256:aaaaaaaa…` → `sha256:bbbbbbbb…`, memory limit `256Mi` → `512Mi` |',
  );
  expect(plan.summary).toContain('`Secret/tracking-db` | new');
  expect(plan.summary + plan.log).not.toContain('very-secret-word');
  expect((await live()).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
}, 60_000);

test('a release that never serves is taken back with its configuration, and the summary says so', async () => {
  write(example());
  await deploy({}, { GITHUB_SHA: 'a'.repeat(40) });
  write(example((text) => greedy(text).replace("DRAIN_MS: '3000'", "DRAIN_MS: '9'")));
  const { exitCode, outputs, summary } = await deploy({ images: image('b'), timeout: '5s' });
  expect(exitCode).toBe(1);
  expect(outputs['verdict']).toBe('rolled-back');
  expect(summary).toContain('not deployed — the old version (`aaaaaaa`) is still serving');
  expect(summary).toContain('**Why:** No node has room for the pod');
  expect(summary).toMatch(/Deployment\/tracking-api` \| 2 new pods \| 2 old pods \| rolled back after \d+ s/);
  expect(summary).toMatch(/ConfigMap\/tracking-api` \| changed \| restored \|.*DRAIN\\_MS `9` → `3000`/);
  const config = await kube.get({ apiVersion: 'v1', kind: 'ConfigMap', name: 'tracking-api', namespace });
  expect(config?.['data']).toMatchObject({ DRAIN_MS: '3000' });
}, 60_000);

test('what was put back can be taken away by the next deploy, as if the failed one had not been', async () => {
  const withLabel = (text: string): string => text.replace('  labels:\n', '  labels:\n    tier: web\n');
  write(example(withLabel));
  await deploy();
  write(example(greedy));
  expect((await deploy({ timeout: '5s' })).outputs['verdict']).toBe('rolled-back');
  expect((await live()).metadata.labels).toHaveProperty('tier', 'web');
  write(example());
  expect((await deploy()).exitCode).toBe(0);
  expect((await live()).metadata.labels).not.toHaveProperty('tier');
}, 60_000);

test('a rollback leaves what someone else changed meanwhile, and says who and what', async () => {
  write(example());
  await deploy();
  write(example(greedy));
  const run = begin({ images: image('b'), timeout: '6s' });
  await run.said('configured Deployment/tracking-api');
  const byHand = [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'by-hand:1' }];
  await kube.patch({ ...REF, namespace }, byHand, { fieldManager: 'kubectl-set' });
  const { outputs, summary } = await run.ended;
  expect(outputs['verdict']).toBe('failed');
  expect(summary).toMatch(/not rolled back: kubectl-set changed spec\/template\/spec\/containers\/api\/image since/);
  expect(summary).toContain('what failed was left in place');
  expect(JSON.stringify(await live())).toContain('by-hand:1');
}, 60_000);

test('a new workload beside a restored one is left where it is, and said so', async () => {
  write(example());
  await deploy();
  const worker = greedy(manifest('deployment.yaml'))
    .replaceAll('tracking-api', 'worker')
    .replace('image: worker', 'image: tracking-api');
  write({ ...example(), 'worker.yaml': worker });
  const { outputs, summary } = await deploy({ images: image('b'), timeout: '6s' });
  expect(outputs['verdict']).toBe('rolled-back');
  expect(summary).toContain('### ❌ worker was not deployed');
  expect(summary).toMatch(/Deployment\/worker`.*new in this deploy, so there is nothing to go back to: left as it is/);
  expect(summary).not.toContain('is still serving');
}, 60_000);

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s while waiting ends within 5 s and says what was applied',
  async (signal) => {
    write(example());
    await deploy({}, { GITHUB_SHA: 'a'.repeat(40) });
    write(example(greedy));
    const run = begin({ images: image('b') });
    await run.said('0/2 new pods ready');
    const started = Date.now();
    run.child.kill(signal);
    const { exitCode, outputs, summary, log } = await run.ended;
    expect(Date.now() - started).toBeLessThan(5000);
    expect(exitCode).toBe(1);
    expect(outputs['verdict']).toBe('cancelled');
    expect(summary).toContain('### 🛑 The deploy of tracking-api was cancelled with 3 of 3 objects applied');
    expect(summary).toMatch(/Deployment\/tracking-api` \| 2 new pods \| 2 old pods, 0 new \| applied, not awaited/);
    expect(summary).toContain(
      'run the deploy of the previous commit aaaaaaa, or: kubectl rollout undo deployment/tracking-api',
    );
    expect(log).toContain('3 of 3 objects were applied');
  },
  60_000,
);
