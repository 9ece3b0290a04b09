import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type BinaryName, findBinaries, missingForBinaries } from '../binaries.ts';
import type { LabContext, Part } from '../part.ts';
import { freePorts } from '../ports.ts';
import { isRunning, start, stop } from '../process.ts';
import type { ClusterFacts } from './cluster/api.ts';
import { RUNTIME_PROGRAMS, redirectPulls, runtimeOf } from './cluster/container-runtime.ts';
import { CONTROL_PLANE, startControlPlane } from './cluster/control-plane.ts';
import { makeNetwork, networkOf } from './cluster/network.ts';
import {
  isNodeAlready,
  makeClientCertificate,
  realNodeRuns,
  removeRealNode,
  startRealNode,
} from './cluster/real-node.ts';
import { startSimulatedNode } from './cluster/simulated-node.ts';
import { isNamed, namedCluster, namedKubeconfig } from './named-cluster.ts';

const binaries = [...CONTROL_PLANE, 'kwok', 'kubelet', 'kube-proxy'] as const satisfies readonly BinaryName[];
type Paths = Readonly<Record<(typeof binaries)[number], string>>;

/**
 * A real Kubernetes: control plane on this machine; as root on Linux a real node in a network namespace of its own
 * (containerd, kubelet, kube-proxy: real pods, Services, logs); and beside it a node simulated by kwok, for pods that
 * shall turn Ready without running anything. Without root the simulated node is the only one.
 */
export const cluster: Part<'cluster'> = {
  name: 'cluster',
  needs: ['registry'],
  async missing({ cache, facts }) {
    if (namedKubeconfig(facts) !== undefined) return [];
    const needed = canBeReal() ? RUNTIME_PROGRAMS : [];
    const found = await Promise.all(needed.map(async ({ path }) => exists(path)));
    const missing = needed.filter((_, index) => found[index] !== true);
    return [...missing, ...(await missingForBinaries(binaries, cache))];
  },
  async up(context) {
    const named = namedKubeconfig(context.facts);
    if (named !== undefined) return upNamed(context, named);
    const known = context.facts.cluster;
    if (known !== undefined && (await allRun(context.state, known))) return known;
    await clear(context.state);
    const paths = await findBinaries(binaries, context.cache, { progress: context.progress });
    const against = await againstReal();
    const facts =
      against === undefined ? await startReal(context, paths) : await startSimulated(context, paths, against);
    context.progress(`serves on ${facts.endpoint}`);
    return facts;
  },
  async down({ state }) {
    await clear(state);
  },
  async status({ state, facts }) {
    const known = facts.cluster;
    if (known !== undefined && isNamed(known)) return `up on ${known.endpoint}, the cluster of ${known.kubeconfig}`;
    if (known === undefined || !(await allRun(state, known))) return 'down';
    return `up on ${known.endpoint}, ${known.simulated ? 'its node simulated' : 'with real pods'}`;
  },
};

/** The user's cluster in place of the lab's own; what it runs on is not the lab's to end. */
async function upNamed(
  { state, facts: { cluster: known }, progress }: LabContext,
  file: string,
): Promise<ClusterFacts> {
  if (known !== undefined && !isNamed(known)) await clear(state);
  const facts = await namedCluster(file, state);
  progress(`uses the cluster of ${file}`);
  return facts;
}

/** A real node needs Linux and root; `LAB_NODE=simulated` does without. */
function canBeReal(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0 && process.env['LAB_NODE'] !== 'simulated';
}

/** Why the node can't be a real one; `undefined` when it can. */
async function againstReal(): Promise<string | undefined> {
  if (!canBeReal()) return 'a real one needs root on Linux, without LAB_NODE=simulated';
  return (await isNodeAlready()) ? 'a kubelet runs on this machine already, and there can be only one' : undefined;
}

async function startReal(context: LabContext, paths: Paths): Promise<ClusterFacts> {
  const { state, facts: others } = context;
  const network = networkOf(state);
  const kubeletClient = await makeClientCertificate(state);
  await makeNetwork(network);
  context.progress('starts the control plane and a real node');
  const registryMirror = await relayRegistry(state, network.host, others);
  const registryHosts = runtimeOf(state).registryHosts;
  const plane = await startControlPlane({ state, paths, address: network.host, kubeletClient });
  const facts = { ...plane, simulated: false, nodeAddress: network.node, registryHosts, registryMirror };
  const { certificate: clientCertificate } = kubeletClient;
  const { kubelet, 'kube-proxy': kubeProxy } = paths;
  await Promise.all([
    startRealNode({ state, network, kubelet, kubeProxy, clientCertificate }, facts),
    startSimulatedNode({ state, kwok: paths.kwok, alone: false }, facts),
  ]);
  await redirectPulls(registryHosts, others.registry?.host ?? '', registryMirror);
  return facts;
}

async function startSimulated(context: LabContext, paths: Paths, against: string): Promise<ClusterFacts> {
  context.progress(`starts a simulated node, on which pods run nothing: ${against}`);
  const { state } = context;
  const facts = { ...(await startControlPlane({ state, paths, address: '127.0.0.1' })), simulated: true };
  await startSimulatedNode({ state, kwok: paths.kwok, alone: true }, facts);
  return facts;
}

/** The registry listens on loopback, which is another one inside the node's network. */
async function relayRegistry(state: string, host: string, { registry }: LabContext['facts']): Promise<string> {
  const [port = 0] = await freePorts(1, host);
  const script = join(import.meta.dirname, 'cluster', 'relay.ts');
  const target = registry?.host.split(':')[1] ?? '';
  await start(state, 'registry-relay', process.execPath, [script, host, String(port), target]);
  return `http://${host}:${port}`;
}

async function allRun(state: string, { simulated }: ClusterFacts): Promise<boolean> {
  const running = await Promise.all([...CONTROL_PLANE, 'kwok'].map(async (name) => isRunning(state, name)));
  return running.every(Boolean) && (simulated || (await realNodeRuns(state)));
}

async function clear(state: string): Promise<void> {
  if (process.getuid?.() === 0) await removeRealNode(state);
  // The API server would wait for its watches to end, and there is nothing that it could lose.
  for (const name of ['kwok', 'registry-relay', ...CONTROL_PLANE.toReversed()]) await stop(state, name, 1000);
  await rm(state, { recursive: true, force: true });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
