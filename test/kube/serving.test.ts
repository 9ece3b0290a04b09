import { expect, test } from '@jest/globals';
import type { Kube, KubeObject } from '../../src/kube/kube.ts';
import { countPods } from '../../src/kube/serving.ts';

const REVISION = 'deployment.kubernetes.io/revision';
const ready = { conditions: [{ type: 'Ready', status: 'True' }] };
const owned = (uid: string, owner: string, more: Partial<KubeObject['metadata']> = {}): KubeObject['metadata'] => ({
  name: uid,
  namespace: 'shop',
  uid,
  ownerReferences: [{ apiVersion: 'apps/v1', kind: 'x', name: owner, uid: owner }],
  ...more,
});

test('a pod that is being ended is not counted, although it is ready until it is gone', async () => {
  const workload: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api', namespace: 'shop', uid: 'api', generation: 2, annotations: { [REVISION]: '2' } },
    spec: { replicas: 2 },
    status: { observedGeneration: 2 },
  };
  const set = (revision: string): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: owned(`set-${revision}`, 'api', { annotations: { [REVISION]: revision } }),
  });
  const pod = (name: string, owner: string, ended = false): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: owned(name, owner, ended ? { deletionTimestamp: '2026-11-24T00:00:00Z' } : {}),
    status: ready,
  });
  const pods = [pod('a', 'set-2'), pod('b', 'set-2'), pod('c', 'set-1', true), pod('d', 'set-2', true)];
  const kube: Partial<Kube> = {
    get: async () => workload,
    list: async ({ kind }) => (kind === 'Pod' ? pods : [set('1'), set('2')]),
  };
  const { kind, apiVersion } = workload;
  const counts = await countPods(kube as Kube, { apiVersion, kind, namespace: 'shop', name: 'api' }, async (ask) =>
    ask(),
  );
  expect(counts).toEqual({ wanted: 2, current: 2, other: 0 });
});
