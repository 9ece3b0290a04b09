import { connect } from '../../src/kube/client.ts';
import { readKubeconfig } from '../../src/kube/kubeconfig.ts';
import type { Kube } from '../../src/kube/kube.ts';
import { SURROUNDINGS, trafficRights } from '../../src/traffic/rights.ts';
import type { RoutedKind } from '../../src/traffic/traffic.ts';
import { clusterOf, tokenOf } from '../deadman/guard.ts';
import type { LabFacts } from '../lab/part.ts';

/** A client with the rights that a kind of traffic says it needs in a namespace, and no others. */
export async function deployerOf(admin: Kube, facts: LabFacts, namespace: string, kind: RoutedKind): Promise<Kube> {
  const metadata = { name: 'deployer', namespace };
  const group = 'rbac.authorization.k8s.io';
  const rules = [...trafficRights(kind), ...SURROUNDINGS].map(({ group: apiGroup, resource, verbs }) => ({
    apiGroups: [apiGroup],
    resources: [resource],
    verbs,
  }));
  await admin.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  await admin.create({ apiVersion: `${group}/v1`, kind: 'Role', metadata, rules });
  await admin.create({
    apiVersion: `${group}/v1`,
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: group, kind: 'Role', name: 'deployer' },
    subjects: [{ kind: 'ServiceAccount', name: 'deployer', namespace }],
  });
  const cluster = clusterOf(facts);
  const token = await tokenOf(cluster, namespace, 'deployer');
  const { server } = await readKubeconfig(cluster.kubeconfig, '');
  return connect({ ...server, token: async () => token, proxyEnv: {} });
}
