import { randomBytes } from 'node:crypto';
import { connect } from '../../src/kube/client.ts';
import { readKubeconfig } from '../../src/kube/kubeconfig.ts';
import type { ClusterFacts } from './parts/cluster/api.ts';
import { isNamed } from './parts/named-cluster.ts';
import { ON_SIMULATED_NODE } from './parts/cluster/simulated-node.ts';

/**
 * A fresh namespace of the lab's cluster. With `simulated` its pods go to the simulated node: they turn Ready at once,
 * whatever their image is.
 * @returns its name
 */
export async function freshNamespace(
  facts: ClusterFacts,
  { simulated = false }: { readonly simulated?: boolean } = {},
): Promise<string> {
  if (simulated && isNamed(facts)) {
    throw new Error(`The cluster of ${facts.kubeconfig} has no simulated node`);
  }
  const name = `test-${randomBytes(4).toString('hex')}`;
  const metadata = { name, annotations: simulated ? ON_SIMULATED_NODE : {} };
  const { server } = await readKubeconfig(facts.kubeconfig);
  await connect({ ...server, proxyEnv: {} }).create({ apiVersion: 'v1', kind: 'Namespace', metadata });
  return name;
}
