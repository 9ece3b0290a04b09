import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { connect } from '../../src/kube/client.ts';
import type { Kube, KubeObject } from '../../src/kube/kube.ts';
import { readKubeconfig } from '../../src/kube/kubeconfig.ts';
import { openLab } from '../lab/lab.ts';
import { freshNamespace } from '../lab/namespace.ts';
import type { LabFacts } from '../lab/part.ts';
import { ON_SIMULATED_NODE } from '../lab/parts/cluster/simulated-node.ts';
import { type Ended, start } from './action.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'deploy-eks-refusals-'));
let cluster: NonNullable<LabFacts['cluster']>;
let kube: Kube;
let namespace = '';

// A machine that never built Kubernetes builds it first.
beforeAll(async () => {
  const facts = await openLab('cluster');
  if (!facts.cluster) throw new Error('the lab gave no cluster');
  cluster = facts.cluster;
  kube = connect((await readKubeconfig(cluster.kubeconfig)).server);
}, 30 * 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  namespace = await freshNamespace(cluster, { simulated: true });
});

async function deploy(objects: readonly object[], inputs: Readonly<Record<string, string>> = {}): Promise<Ended> {
  writeFileSync(path.join(folder, 'all.yaml'), objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  const { kubeconfig } = cluster;
  return start({ manifests: 'all.yaml', namespace, kubeconfig, timeout: '30s', ...inputs }, { workspace: folder })
    .ended;
}

const web = (version: string, { cpu = '100m', nodeSelector = {} } = {}): object => {
  const container = { name: 'web', image: `registry.example/web:${version}`, resources: { requests: { cpu } } };
  const labels = { app: 'web' };
  const template = { metadata: { labels }, spec: { nodeSelector, containers: [container] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: { replicas: 1, progressDeadlineSeconds: 5, selector: { matchLabels: labels }, template },
  };
};
const job = (version: string): object => {
  const container = { name: 'a', image: `registry.example/a:${version}`, env: [{ name: 'KEY', value: 'hunter2' }] };
  const template = { spec: { restartPolicy: 'Never', containers: [container] } };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate' }, spec: { template } };
};

describe('the version that mends a failed one serves, although the Deployment still complains of that', () => {
  test('when its pods were refused', async () => {
    const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q' } };
    const limited = { ...quota, spec: { hard: { 'requests.cpu': '1' } } };
    expect((await deploy([limited, web('1')])).outputs['verdict']).toBe('deployed');
    const refused = await deploy([limited, web('2', { cpu: '2' })], { 'on-failure': 'leave' });
    expect(refused.summary).toContain('**Why:** The cluster refuses to create the pods');
    expect((await deploy([limited, web('3')])).outputs['verdict']).toBe('deployed');
  }, 90_000);

  test('when its time was up, and it is the one before', async () => {
    await deploy([web('1')]);
    const stuck = web('2', { nodeSelector: { nowhere: 'x' } });
    expect((await deploy([stuck], { 'on-failure': 'leave' })).outputs['verdict']).toBe('failed');
    expect((await deploy([web('1')])).outputs['verdict']).toBe('deployed');
  }, 90_000);
});

describe('what the cluster refuses is told at its line with what to do, and without what it quotes', () => {
  test('a Job that is applied with another image', async () => {
    await deploy([job('1')], { timeout: '5s' });
    const { log, outputs } = await deploy([web('1'), job('2')]);
    expect(log).toMatch(/file=all\.yaml,line=3::.*Job\/migrate: .*field is immutable.*a Job never changes/);
    expect(log).not.toContain('hunter2');
    expect(outputs['verdict']).toBeUndefined();
  }, 60_000);

  test('a Secret whose value is a number', async () => {
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { pin: 98_765_432 } };
    const { log } = await deploy([secret]);
    expect(log).toMatch(/stringData\.pin: expected string, got something else.*between quotes/);
    expect(log).not.toContain('98765432');
  }, 60_000);
});

test('a namespace and what is in it come in one deploy', async () => {
  const name = `${namespace}-own`;
  const own: KubeObject = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, annotations: ON_SIMULATED_NODE },
  };
  expect((await deploy([own, web('1')], { namespace: name })).outputs['verdict']).toBe('deployed');
  expect(await kube.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: name, name: 'web' })).toBeDefined();
}, 60_000);

test('an autoscaler without metrics keeps no deploy waiting, and a number of pods beside it is a warning', async () => {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
  const metadata = { name: 'web' };
  const scaler = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata };
  const { log, outputs } = await deploy([web('1'), { ...scaler, spec: { scaleTargetRef, maxReplicas: 3 } }]);
  expect(log).toMatch(/::warning file=all\.yaml,line=1::.*Deployment\/web states spec\.replicas/);
  expect(outputs['verdict']).toBe('deployed');
}, 60_000);
