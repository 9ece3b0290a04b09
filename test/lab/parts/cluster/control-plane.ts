import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '../../ports.ts';
import { start } from '../../process.ts';
import { type ClusterFacts, call, kubeconfig, secretFile, until } from './api.ts';

/** In the order they start; they end in the opposite one. */
export const CONTROL_PLANE = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;

export interface ControlPlane {
  readonly state: string;
  readonly paths: Readonly<Record<(typeof CONTROL_PLANE)[number], string>>;
  /** Where the API server listens: loopback, or the host's end of the link to a real node. */
  readonly address: string;
  /** Certificate and key by which the API server signs in to the kubelet of a real node. */
  readonly kubeletClient?: { readonly certificate: string; readonly key: string };
}

/** Starts etcd, the API server, the controllers and the scheduler, and waits until the API server serves. */
export async function startControlPlane(given: ControlPlane): Promise<Omit<ClusterFacts, 'simulated'>> {
  const { state, paths, address, kubeletClient } = given;
  const [client = 0, peer = 0, port = 0, webhookPort = 0] = await freePorts(4, address);
  const endpoint = `https://${address}:${port}`;
  const certificates = join(state, 'certificates');
  const caFile = join(certificates, 'apiserver.crt');
  const config = join(state, 'kubeconfig');
  const adminToken = randomBytes(32).toString('hex');
  const facts = { endpoint, caFile, kubeconfig: config, adminToken, name: 'lab', webhookPort };
  const key = join(state, 'service-accounts.key');
  const tokens = join(state, 'tokens.csv');
  const webhook = join(state, 'webhook');
  await mkdir(state, { recursive: true, mode: 0o700 });
  await secretFile(key, rsaKey());
  await secretFile(tokens, `${adminToken},admin,1,"system:masters"\n`);
  await secretFile(config, kubeconfig({ server: endpoint, 'certificate-authority': caFile }, { token: adminToken }));
  await secretFile(webhook, kubeconfig({ server: `http://127.0.0.1:${webhookPort}/` }, {}));

  const etcd = `http://127.0.0.1:${client}`;
  await start(state, 'etcd', paths.etcd, [
    `--data-dir=${join(state, 'etcd')}`,
    '--unsafe-no-fsync',
    `--listen-client-urls=${etcd}`,
    `--advertise-client-urls=${etcd}`,
    `--listen-peer-urls=http://127.0.0.1:${peer}`,
  ]);
  await start(state, 'kube-apiserver', paths['kube-apiserver'], [
    `--etcd-servers=${etcd}`,
    `--secure-port=${port}`,
    `--bind-address=${address}`,
    `--advertise-address=${address}`,
    `--cert-dir=${certificates}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    `--token-auth-file=${tokens}`,
    `--authentication-token-webhook-config-file=${webhook}`,
    '--authentication-token-webhook-version=v1',
    // The webhook's word is kept this long, so that a token's end shows (the server itself keeps it for 10 s).
    '--authentication-token-webhook-cache-ttl=1s',
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.96.0.0/16',
    // A namespace's annotations say on which nodes its pods go: by them tests choose simulated ones.
    '--enable-admission-plugins=PodNodeSelector,PodTolerationRestriction',
    // Without it, logs are asked for by the node's name, which nobody resolves.
    '--kubelet-preferred-address-types=InternalIP',
    ...(kubeletClient === undefined
      ? []
      : [`--kubelet-client-certificate=${kubeletClient.certificate}`, `--kubelet-client-key=${kubeletClient.key}`]),
  ]);
  await until('The API server is not ready', state, 'kube-apiserver', async () => {
    return (await call(facts, 'GET', '/readyz')).status === 200;
  });
  const shared = [`--kubeconfig=${config}`, '--leader-elect=false', '--secure-port=0'];
  await start(state, 'kube-controller-manager', paths['kube-controller-manager'], [
    ...shared,
    `--service-account-private-key-file=${key}`,
  ]);
  await start(state, 'kube-scheduler', paths['kube-scheduler'], shared);
  return facts;
}

function rsaKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
