import { beforeAll, describe, expect, test } from '@jest/globals';
import { connect } from '../../src/kube/client.ts';
import { readKubeconfig } from '../../src/kube/kubeconfig.ts';
import type { Kube, KubeObject } from '../../src/kube/kube.ts';
import { openLab } from './lab.ts';
import { freshNamespace } from './namespace.ts';
import type { LabFacts } from './part.ts';

let cluster: NonNullable<LabFacts['cluster']>;
let kube: Kube;

// A machine that never built Kubernetes builds it first.
beforeAll(async () => {
  const facts = await openLab('cluster');
  if (facts.cluster === undefined) throw new Error('the lab gave no cluster');
  cluster = facts.cluster;
  const { server } = await readKubeconfig(cluster.kubeconfig, '');
  kube = connect({ ...server, proxyEnv: {} });
}, 30 * 60_000);

const apply = async (object: KubeObject): Promise<KubeObject> => kube.apply(object, { fieldManager: 'test' });

describe('the cluster', () => {
  test('runs what a namespace sends to the simulated node, without an image that exists', async () => {
    const namespace = await freshNamespace(cluster, { simulated: true });
    const containers = [{ name: 'main', image: 'lab.invalid/nothing' }];
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'one', namespace }, spec: { containers } };
    await apply(pod);
    const live = await ready(pod);
    expect(live).toMatchObject({ spec: { nodeName: 'simulated' } });
  }, 60_000);

  test('says whether its pods are real', async () => {
    const nodes = await kube.list({ apiVersion: 'v1', kind: 'Node' });
    const names = nodes.map(({ metadata }) => metadata.name).toSorted();
    expect(names).toEqual(cluster.simulated ? ['simulated'] : ['real', 'simulated']);
  });
});

async function ready(object: KubeObject): Promise<KubeObject> {
  const { apiVersion, kind, metadata } = object;
  const signal = AbortSignal.timeout(30_000);
  for await (const event of kube.watch({ apiVersion, kind, namespace: metadata.namespace ?? '' }, signal)) {
    if (event.type === 'SYNCED' || event.object.metadata.name !== metadata.name) continue;
    const status = event.object['status'] as { conditions?: { type: string; status: string }[] } | undefined;
    if (status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True')) return event.object;
  }
  throw new Error(`${kind}/${metadata.name} did not turn ready`);
}
