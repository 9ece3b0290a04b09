import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { messageOf } from '../../../src/action/errors.ts';
import { openTransport } from '../../../src/kube/http.ts';
import { readKubeconfig } from '../../../src/kube/kubeconfig.ts';
import type { LabFacts } from '../part.ts';
import type { ClusterFacts } from './cluster/api.ts';

/** The kubeconfig of the cluster that the user names in place of the lab's own, and until `down` the one named before. */
export function namedKubeconfig({ cluster }: LabFacts, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const file = env['LAB_KUBECONFIG'];
  if (file) return resolve(file);
  return cluster !== undefined && isNamed(cluster) ? cluster.kubeconfig : undefined;
}

/** Whether this is a cluster of the user's, which asks none of the lab's parts who a token is from. */
export function isNamed(cluster: ClusterFacts): boolean {
  return cluster.webhookPort === undefined;
}

/**
 * A cluster of the user's, found serving; nothing in it is changed.
 * @param state folder of the part, for the CA's certificate
 * @throws Error that names the file, and what is wrong with it or with the server
 */
export async function namedCluster(file: string, state: string): Promise<ClusterFacts> {
  const { server } = await readKubeconfig(file);
  if (server.ca === undefined) {
    throw new Error(`kubeconfig ${file}: has no certificate-authority, by which the lab knows the cluster's server`);
  }
  // Anyone may read the version, but a server answers 401 to credentials that it does not know.
  const call = { method: 'GET', path: '/version', idempotent: true } as const;
  await openTransport({ ...server, attempts: 1, timeout: 5000, proxyEnv: process.env })
    .send(call)
    .catch((error: unknown) => {
      throw new Error(`kubeconfig ${file}: ${server.server} does not serve its user: ${messageOf(error)}`);
    });
  const caFile = join(state, 'ca.crt');
  await mkdir(state, { recursive: true, mode: 0o700 });
  await writeFile(caFile, server.ca);
  return { endpoint: server.server, caFile, kubeconfig: file, name: 'named', simulated: false };
}
