import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { textAt } from '../../src/kube/fields.ts';
import type { Kube } from '../../src/kube/kube.ts';
import type { LabFacts } from '../lab/part.ts';
import { type ClusterFacts, call } from '../lab/parts/cluster/api.ts';

/** A guard that runs as a process of this machine in place of its pod. */
export interface RunningGuard {
  readonly child: ChildProcess;
  readonly said: () => string;
  /** Its exit code. */
  readonly ended: Promise<number | null>;
}

/** @throws Error where the lab has no cluster */
export function clusterOf({ cluster }: LabFacts): ClusterFacts {
  if (!cluster) throw new Error('the lab gave no cluster');
  return cluster;
}

/** Runs what the Job of the guard of tracking-api would run, as its service account. */
export async function runGuard(place: {
  readonly kube: Kube;
  readonly cluster: ClusterFacts;
  readonly namespace: string;
  readonly folder: string;
}): Promise<RunningGuard> {
  const { kube, cluster, namespace, folder } = place;
  const name = 'tracking-api-deadman';
  const kept = await kube.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name });
  for (const file of ['guard.mjs', 'plan.json']) {
    await writeFile(path.join(folder, file), textAt(kept, 'data', file));
  }
  await writeFile(path.join(folder, 'token'), await tokenOf(cluster, namespace, name));
  const { hostname, port } = new URL(cluster.endpoint);
  const child = spawn(process.execPath, [path.join(folder, 'guard.mjs'), path.join(folder, 'plan.json')], {
    env: {
      SERVICE_ACCOUNT_FOLDER: folder,
      KUBERNETES_SERVICE_HOST: hostname,
      KUBERNETES_SERVICE_PORT: port,
      NODE_EXTRA_CA_CERTS: cluster.caFile,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (said += data.toString()));
  return { child, said: () => said, ended: new Promise((resolve) => void child.once('close', resolve)) };
}

/** A token of a service account, as its pods get one. */
export async function tokenOf(cluster: ClusterFacts, namespace: string, account: string): Promise<string> {
  const at = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
  const wanted = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const { body } = await call(cluster, 'POST', at, wanted);
  return (JSON.parse(body) as { status: { token: string } }).status.token;
}
