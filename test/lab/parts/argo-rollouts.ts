import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { connect } from '../../../src/kube/client.ts';
import type { Kube, KubeObject } from '../../../src/kube/kube.ts';
import { readKubeconfig } from '../../../src/kube/kubeconfig.ts';
import { ARGO_ROLLOUTS, findBinary, missingForBinaries } from '../binaries.ts';
import { sourceFolder, versionOf } from '../go-build.ts';
import type { LabFacts, Part } from '../part.ts';
import { freePorts } from '../ports.ts';
import { isRunning, start, stop } from '../process.ts';
import { until } from './cluster/api.ts';

const CONTROLLER = 'rollouts-controller';

/** The controller of Argo Rollouts on this machine, as the cluster's administrator, and its kinds in the cluster. */
export const argoRollouts: Part<'argo-rollouts'> = {
  name: 'argo-rollouts',
  needs: ['cluster'],
  missing: async ({ cache }) => missingForBinaries([CONTROLLER], cache),
  async up({ cache, state, facts, progress }) {
    const { cluster } = facts;
    if (cluster === undefined) throw new Error('Argo Rollouts needs the cluster');
    const version = await versionOf(ARGO_ROLLOUTS);
    if (await isRunning(state, CONTROLLER)) return { version };
    const program = await findBinary(CONTROLLER, cache, { progress });
    const { server } = await readKubeconfig(cluster.kubeconfig);
    await applyKinds(connect({ ...server, proxyEnv: {} }));
    const [health = 0, metrics = 0] = await freePorts(2);
    await start(state, CONTROLLER, program, [
      `--kubeconfig=${cluster.kubeconfig}`,
      `--healthzPort=${health}`,
      `--metricsPort=${metrics}`,
      '--leader-elect=false',
    ]);
    await until('The controller of Argo Rollouts does not serve', state, CONTROLLER, async () => {
      const answer = await fetch(`http://127.0.0.1:${health}/healthz`, { signal: AbortSignal.timeout(1000) });
      return answer.ok;
    });
    progress(`controls Rollouts, ${version}`);
    return { version };
  },
  async down({ state }) {
    await stop(state, CONTROLLER, 5000);
    await rm(state, { recursive: true, force: true });
  },
  async status({ state, facts }: { state: string; facts: Readonly<LabFacts> }) {
    return (await isRunning(state, CONTROLLER)) ? `up, ${facts['argo-rollouts']?.version ?? ''}` : 'down';
  },
};

/** The kinds as the module of the controller has them, and the namespace that it looks for its settings in. */
async function applyKinds(kube: Kube): Promise<void> {
  const folder = join(await sourceFolder(ARGO_ROLLOUTS), 'manifests', 'crds');
  const files = (await readdir(folder)).filter((name) => name.endsWith('-crd.yaml'));
  const kinds = await Promise.all(
    files.map(async (name) => load(await readFile(join(folder, name), 'utf8')) as KubeObject),
  );
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'argo-rollouts' } };
  for (const object of [namespace, ...kinds]) await kube.apply(object, { fieldManager: 'lab', force: true });
}
