import { randomBytes } from 'node:crypto';
import { type ClusterFacts, call } from './parts/cluster/api.ts';
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
  const name = `test-${randomBytes(4).toString('hex')}`;
  const metadata = { name, annotations: simulated ? ON_SIMULATED_NODE : {} };
  const made = await call(facts, 'POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata });
  if (made.status !== 201) throw new Error(`The API server made no namespace: ${made.body.slice(0, 500)}`);
  return name;
}
