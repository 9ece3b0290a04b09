import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type BinaryName, findBinary } from '../binaries.ts';
import type { LabContext, LabFacts, Part } from '../part.ts';
import { isRunning, start, stop } from '../process.ts';

type ClusterFacts = NonNullable<LabFacts['cluster']>;

/** In the order they start; they end in the opposite one. */
const programs = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kwok',
] as const satisfies readonly BinaryName[];

const kwokModule = 'sigs.k8s.io/kwok@v0.8.0';
const stages = [
  'node/fast/node-initialize.yaml',
  'node/heartbeat-with-lease/node-heartbeat-with-lease.yaml',
  'pod/fast/pod-ready.yaml',
  'pod/fast/pod-complete.yaml',
  'pod/fast/pod-delete.yaml',
];

/** A real Kubernetes control plane on loopback with one node simulated by kwok: pods turn Ready but run nothing. */
export const cluster: Part<'cluster'> = {
  name: 'cluster',
  needs: [],
  async missing() {
    const found = await promisify(execFile)('go', ['version']).then(
      () => true,
      () => false,
    );
    return found ? [] : [{ what: 'Go, which builds the control plane', packages: ['golang-go'] }];
  },
  async up(context) {
    const known = context.facts.cluster;
    if (known !== undefined && (await allRun(context.state))) {
      await nodeReady(known, context.state);
      return known;
    }
    await clear(context.state);
    const paths = await findAll(context);
    const facts = await startControlPlane(context, paths);
    await startNode(context, facts, paths.kwok);
    context.progress(`serves on ${facts.endpoint}`);
    return facts;
  },
  async down(context) {
    await clear(context.state);
  },
  async status(context) {
    const running = await allRun(context.state);
    return running ? `up on ${context.facts.cluster?.endpoint ?? 'an unknown port'}, its node simulated` : 'down';
  },
};

async function allRun(state: string): Promise<boolean> {
  const running = await Promise.all(programs.map(async (name) => isRunning(state, name)));
  return running.every(Boolean);
}

async function clear(state: string): Promise<void> {
  for (const name of programs.toReversed()) await stop(state, name);
  await rm(state, { recursive: true, force: true });
}

async function findAll(context: LabContext): Promise<Record<(typeof programs)[number], string>> {
  const find = async (name: BinaryName): Promise<string> => {
    context.progress(`finds or builds ${name}`);
    return findBinary(name, context.cache);
  };
  // One after the other: two builds of Kubernetes at once need more memory than a small machine has.
  return {
    etcd: await find('etcd'),
    'kube-apiserver': await find('kube-apiserver'),
    'kube-controller-manager': await find('kube-controller-manager'),
    'kube-scheduler': await find('kube-scheduler'),
    kwok: await find('kwok'),
  };
}

async function startControlPlane(
  { state }: LabContext,
  paths: Record<(typeof programs)[number], string>,
): Promise<ClusterFacts> {
  const [client, peer, port, webhookPort] = await freePorts(4);
  if (webhookPort === undefined) throw new Error('No free ports');
  const endpoint = `https://127.0.0.1:${port}`;
  const certificates = join(state, 'certificates');
  const caFile = join(certificates, 'apiserver.crt');
  const kubeconfig = join(state, 'kubeconfig');
  const adminToken = randomBytes(32).toString('hex');
  const facts = { endpoint, caFile, kubeconfig, adminToken, name: 'lab', simulated: true, webhookPort };
  const key = join(state, 'service-accounts.key');
  const tokens = join(state, 'tokens.csv');
  const webhook = join(state, 'webhook');
  await mkdir(state, { recursive: true, mode: 0o700 });
  await secret(key, rsaKey());
  await secret(tokens, `${adminToken},admin,1,"system:masters"\n`);
  await secret(kubeconfig, config({ server: endpoint, 'certificate-authority': caFile }, { token: adminToken }));
  await secret(webhook, config({ server: `http://127.0.0.1:${webhookPort}/` }, {}));

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
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
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
  ]);
  await until('The API server is not ready', state, 'kube-apiserver', async () => {
    return (await call(facts, 'GET', '/readyz')).status === 200;
  });
  const shared = [`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--secure-port=0'];
  await start(state, 'kube-controller-manager', paths['kube-controller-manager'], [
    ...shared,
    `--service-account-private-key-file=${key}`,
  ]);
  await start(state, 'kube-scheduler', paths['kube-scheduler'], shared);
  return facts;
}

async function startNode({ state }: LabContext, facts: ClusterFacts, kwok: string): Promise<void> {
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', kwokModule], { timeout: 300_000 });
  const folder: unknown = (JSON.parse(stdout) as { Dir?: unknown }).Dir;
  if (typeof folder !== 'string') throw new Error(`Go did not say where ${kwokModule} is`);
  await start(state, 'kwok', kwok, [
    `--kubeconfig=${facts.kubeconfig}`,
    '--manage-all-nodes=true',
    '--node-lease-duration-seconds=40',
    ...stages.map((stage) => `--config=${join(folder, 'kustomize/stage', stage)}`),
  ]);
  const size = { cpu: '8', memory: '16Gi', pods: '110' };
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n1' },
    status: { capacity: size, allocatable: size },
  };
  const made = await call(facts, 'POST', '/api/v1/nodes', node);
  if (made.status !== 201) throw new Error(`The API server took no node: ${made.body.slice(0, 500)}`);
  await nodeReady(facts, state);
}

async function nodeReady(facts: ClusterFacts, state: string): Promise<void> {
  await until('The node is not ready', state, 'kwok', async () => {
    const { status, body } = await call(facts, 'GET', '/api/v1/nodes/n1');
    if (status !== 200) return false;
    const node = JSON.parse(body) as {
      spec?: { taints?: { key: string }[] };
      status?: { conditions?: { type: string; status: string }[] };
    };
    const ready = node.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True');
    // The taint goes a moment after the node turns Ready; until then no pod is placed.
    const tainted = node.spec?.taints?.some((taint) => taint.key === 'node.kubernetes.io/not-ready');
    return ready === true && tainted !== true;
  });
}

async function until(fault: string, state: string, name: string, done: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    if (await done().catch(() => false)) return;
    if (!(await isRunning(state, name))) break;
    await sleep(200);
  }
  const log = await readFile(join(state, `${name}.log`), 'utf8').catch(() => '');
  throw new Error(`${fault}; the end of ${name}'s log:\n${log.slice(-2000)}`);
}

/** One request with the administrator's token over the server's own certificate. */
async function call(
  facts: ClusterFacts,
  method: string,
  path: string,
  content?: unknown,
): Promise<{ status: number; body: string }> {
  const ca = await readFile(facts.caFile);
  const headers = { authorization: `Bearer ${facts.adminToken}`, 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(5000);
    const sent = request(new URL(path, facts.endpoint), { method, ca, headers, signal, agent: false }, (answer) => {
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => (body += chunk));
      answer.once('error', reject);
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body }));
    });
    sent.once('error', reject);
    sent.end(content === undefined ? undefined : JSON.stringify(content));
  });
}

/** A kubeconfig, which may be written as JSON. */
function config(server: Record<string, string>, user: Record<string, string>): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'lab', cluster: server }],
    users: [{ name: 'lab', user }],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'lab', namespace: 'default' } }],
    'current-context': 'lab',
  });
}

function rsaKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

async function secret(path: string, content: string): Promise<void> {
  await writeFile(path, content, { mode: 0o600 });
}

/** Ports free at this moment, all different: each is held until the last is known. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      async (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            if (address === null || typeof address === 'string') reject(new Error('No free port'));
            else resolve(address.port);
          });
        }),
    ),
  );
  for (const server of servers) server.close();
  return ports;
}
