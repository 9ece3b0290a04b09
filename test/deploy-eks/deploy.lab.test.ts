import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openLab } from '../lab/lab.ts';
import { freshNamespace } from '../lab/namespace.ts';

const root = path.resolve(import.meta.dirname, '../..');
const bundle = path.join(root, 'dist/deploy-eks/index.js');
const image = (digit: string): string => `tracking-api=registry.example/tracking-api@sha256:${digit.repeat(64)}`;
let kubeconfig = '';
let folder = '';
let namespace = '';

// A machine that never built Kubernetes builds it first.
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'deploy-eks-lab-'));
  const { cluster } = await openLab('cluster');
  if (!cluster) throw new Error('the lab gave no cluster');
  kubeconfig = cluster.kubeconfig;
  namespace = await freshNamespace(cluster, { simulated: true });
}, 30 * 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the example is checked without a change, deployed until it serves, and left alone the second time', () => {
  const given = { manifests: 'k8s', images: image('a'), namespace };
  expect(deploy({ ...given, 'dry-run': 'true' }).outputs).toContain('\nchecked\n');

  const first = deploy(given);
  expect(first.log).toContain('created    Deployment/tracking-api');
  expect(first.summary).toContain('### ✅ tracking-api is deployed and serving');
  expect(first.exitCode).toBe(0);

  const again = deploy(given);
  expect(again.log).toContain('unchanged  Deployment/tracking-api');
  expect(again.outputs).toContain('\nunchanged\n');
}, 60_000);

test('a release that never serves is taken back, and the summary says so', () => {
  const { exitCode, outputs, summary } = deploy({
    manifests: 'k8s',
    images: image('b'),
    namespace,
    timeout: '5s',
    ...impossible(),
  });
  expect(exitCode).toBe(1);
  expect(outputs).toContain('\nrolled-back\n');
  expect(summary).toContain('the old version is still serving');
  expect(summary).toMatch(/Deployment\/tracking-api restored and serving after/);
}, 60_000);

/** The example's Deployment asking for more processors than the node has: no pod of it can be placed. */
function impossible(): { readonly workspace: string } {
  const source = readFileSync(path.join(root, 'examples/tracking-api/k8s/deployment.yaml'), 'utf8');
  const greedy = source.replace('cpu: 20m', 'cpu: 900');
  expect(greedy).not.toBe(source);
  writeFileSync(path.join(folder, 'k8s.yaml'), greedy);
  return { workspace: folder };
}

function deploy({ workspace, ...inputs }: Readonly<Record<string, string>>) {
  const files = { output: path.join(folder, 'output'), summary: path.join(folder, 'summary') };
  for (const file of Object.values(files)) writeFileSync(file, '');
  const given = Object.entries({ ...inputs, kubeconfig, ...(workspace ? { manifests: 'k8s.yaml' } : {}) });
  const { status, stdout } = spawnSync(process.execPath, [bundle], {
    encoding: 'utf8',
    timeout: 50_000,
    env: {
      ...Object.fromEntries(given.map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
      GITHUB_WORKSPACE: workspace ?? path.join(root, 'examples/tracking-api'),
      GITHUB_OUTPUT: files.output,
      GITHUB_STEP_SUMMARY: files.summary,
    },
  });
  return {
    exitCode: status,
    log: stdout,
    outputs: readFileSync(files.output, 'utf8'),
    summary: readFileSync(files.summary, 'utf8'),
  };
}
