import path from 'node:path';
import { graceAfter } from '../action/grace.ts';
import type { Host } from '../action/host.ts';
import { awsCredentials } from '../aws/credentials.ts';
import { describeCluster } from '../aws/eks.ts';
import { tokenSource } from '../aws/eks-token.ts';
import { connect } from '../kube/client.ts';
import type { Kube } from '../kube/kube.ts';
import { readKubeconfig } from '../kube/kubeconfig.ts';
import type { Target } from './target.ts';

/** An open cluster, and the namespace that the kubeconfig's context names (`''` without one). */
export interface Cluster {
  readonly kube: Kube;
  readonly namespace: string;
}

/** What was asked of the cluster when the run is cancelled may be answered for so long; then nothing more is awaited. */
const CANCELLED_MS = 2000;

/** Opens the cluster's API; its credentials are masked first. */
export async function connectTo(target: Target, host: Host): Promise<Cluster> {
  if (target.kind === 'eks') return connectToEks(target, host);
  const { server, namespace, secrets } = await readKubeconfig(
    path.resolve(host.info.workspace, target.path),
    target.context,
  );
  for (const secret of secrets) host.mask(secret);
  return {
    kube: connect({ ...server, proxyEnv: host.env, signal: graceAfter(host.signal, CANCELLED_MS) }),
    namespace: namespace ?? '',
  };
}

// The token lives 14 minutes and the role's session an hour: both are asked for again as long as the deploy runs.
async function connectToEks(target: Target & { kind: 'eks' }, host: Host): Promise<Cluster> {
  const { cluster, region, roleToAssume } = target;
  const credentials = awsCredentials(host, { roleToAssume, region });
  const { endpoint, ca } = await describeCluster(credentials, { region, cluster }, host);
  const token = tokenSource(credentials, { cluster, region }, host);
  const signal = graceAfter(host.signal, CANCELLED_MS);
  const kube = connect({ server: endpoint, ca, token, proxyEnv: host.env, signal });
  return { kube, namespace: '' };
}
