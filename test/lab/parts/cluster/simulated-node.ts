import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { start } from '../../process.ts';
import { type ClusterFacts, call, nodeReady } from './api.ts';
import { kwokConfig } from './stages.ts';

/** The node that kwok plays: pods on it turn Ready but run nothing. */
export const SIMULATED_NODE = 'simulated';

/**
 * Annotations of a namespace whose pods go to the simulated node, so that tests may deploy images that do not exist or
 * more pods than a machine holds. Without a real node every pod goes there.
 */
export const ON_SIMULATED_NODE = {
  'scheduler.alpha.kubernetes.io/node-selector': `kubernetes.io/hostname=${SIMULATED_NODE}`,
  'scheduler.alpha.kubernetes.io/defaultTolerations': JSON.stringify([{ key: 'simulated', operator: 'Exists' }]),
};

/** Adds the simulated node. @param alone no real node stands beside it, so it takes every pod */
export async function startSimulatedNode(
  { state, kwok, alone }: { readonly state: string; readonly kwok: string; readonly alone: boolean },
  facts: ClusterFacts,
): Promise<void> {
  const config = join(state, 'kwok.yaml');
  await writeFile(config, kwokConfig());
  const mark = { 'lab/simulated': 'true' };
  await start(state, 'kwok', kwok, [
    `--kubeconfig=${facts.kubeconfig}`,
    '--manage-all-nodes=false',
    '--manage-nodes-with-annotation-selector=lab/simulated=true',
    '--node-lease-duration-seconds=40',
    `--config=${config}`,
  ]);
  const size = { cpu: '8', memory: '16Gi', pods: '1000' };
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: SIMULATED_NODE,
      labels: { 'kubernetes.io/hostname': SIMULATED_NODE },
      annotations: mark,
    },
    spec: alone ? {} : { taints: [{ key: 'simulated', effect: 'NoSchedule' }] },
    status: { capacity: size, allocatable: size },
  };
  const made = await call(facts, 'POST', '/api/v1/nodes', node);
  if (made.status !== 201) throw new Error(`The API server took no node: ${made.body.slice(0, 500)}`);
  await nodeReady(facts, state, SIMULATED_NODE, 'kwok');
}
