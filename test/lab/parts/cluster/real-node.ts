import { execFile } from 'node:child_process';
import { access, mkdir, readFile, readdir, readlink, rm, rmdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { unmountBelow } from '../../mounts.ts';
import { freePorts } from '../../ports.ts';
import { isRunning, start, stop } from '../../process.ts';
import { type ClusterFacts, nodeReady } from './api.ts';
import { runtimeOf, startRuntime, stopRuntime } from './container-runtime.ts';
import { type NodeNetwork, enter, networkOf, removeNetwork } from './network.ts';

export const REAL_NODE = 'real';

/** Settings of the kernel that kubelet changes for the whole machine; `down` puts them back. */
const SYSCTLS = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
];

/** kubelet's socket for device plugins stands here whatever its folders are. */
const DEVICE_PLUGINS = '/var/lib/kubelet/device-plugins';

export interface RealNode {
  readonly state: string;
  readonly kubelet: string;
  readonly kubeProxy: string;
  readonly network: NodeNetwork;
  /** By which the API server signs in. */
  readonly clientCertificate: string;
}

/** Starts containerd, kubelet and kube-proxy in the node's network: real pods, Services and logs. */
export async function startRealNode(given: RealNode, facts: ClusterFacts): Promise<void> {
  const { state, network, kubelet, kubeProxy } = given;
  await keepSysctls(state);
  await startRuntime(state, network);
  const [port = 0, healthPort = 0, metricsPort = 0, proxyHealthPort = 0] = await freePorts(4, network.host);
  const config = join(state, 'kubelet.json');
  await writeFile(config, JSON.stringify(await kubeletSettings(given, port, healthPort)));
  const [program, args] = enter(network, kubelet, [
    `--config=${config}`,
    `--kubeconfig=${facts.kubeconfig}`,
    `--root-dir=${join(state, 'kubelet')}`,
    `--cert-dir=${join(state, 'kubelet-certificates')}`,
    `--hostname-override=${REAL_NODE}`,
    `--node-ip=${network.node}`,
  ]);
  await start(state, 'kubelet', program, args);
  const proxyConfig = join(state, 'kube-proxy.json');
  await writeFile(proxyConfig, JSON.stringify(proxySettings(facts, network, metricsPort, proxyHealthPort)));
  const [proxy, proxyArgs] = enter(network, kubeProxy, [`--config=${proxyConfig}`]);
  await start(state, 'kube-proxy', proxy, proxyArgs);
  await nodeReady(facts, state, REAL_NODE, 'kubelet');
}

/** The first file that a real node has: before its network and its processes. */
const CLIENT_KEY = 'kubelet-client.key';

/**
 * Whether this machine is a node of another cluster: a second kubelet would take over its device plugins. A socket that
 * nobody listens on any more is left of a kubelet that was killed.
 */
export async function isNodeAlready(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(join(DEVICE_PLUGINS, 'kubelet.sock'));
    socket.once('connect', () => void socket.destroy());
    socket.once('error', () => resolve(false));
    socket.once('close', (hadError) => resolve(!hadError));
  });
}

export async function realNodeRuns(state: string): Promise<boolean> {
  const running = await Promise.all(
    ['containerd', 'kubelet', 'kube-proxy'].map(async (name) => isRunning(state, name)),
  );
  return running.every(Boolean);
}

/**
 * Leaves no process, mount, interface, cgroup, link or setting of the kernel behind. Where this lab began no node, it
 * touches nothing: the machine's kubelet may be another's.
 */
export async function removeRealNode(state: string): Promise<void> {
  if (!(await exists(join(state, CLIENT_KEY)))) return;
  for (const name of ['kubelet', 'kube-proxy']) await stop(state, name);
  await stopRuntime(state);
  await unmountBelow(state);
  const network = networkOf(state);
  await removeNetwork(network);
  for (const folder of await cgroupRoots(network)) await removeCgroup(folder);
  await removeLogLinks(state);
  await removeTraces(network);
  await restoreSysctls(state);
}

/** A certificate that signs itself: the only client that the kubelet trusts. */
export async function makeClientCertificate(state: string): Promise<{ certificate: string; key: string }> {
  const [certificate, key] = [join(state, 'kubelet-client.crt'), join(state, CLIENT_KEY)];
  await mkdir(state, { recursive: true, mode: 0o700 });
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'];
  const subject = ['-subj', '/O=system:masters/CN=lab', '-addext', 'extendedKeyUsage=clientAuth'];
  await promisify(execFile)('openssl', ['req', '-x509', ...kind, ...subject, '-out', certificate, '-keyout', key]);
  return { certificate, key };
}

async function kubeletSettings({ state, network, clientCertificate }: RealNode, port: number, healthzPort: number) {
  const roots = await cgroupRoots(network);
  for (const folder of roots) await mkdir(folder, { recursive: true });
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: network.node,
    port,
    healthzPort,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: false },
      x509: { clientCAFile: clientCertificate },
    },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${runtimeOf(state).socket}`,
    podLogsDir: join(state, 'pod-logs'),
    volumePluginDir: join(state, 'volume-plugins'),
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${network.namespace}`,
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    // A test machine's disk may be nearly full.
    evictionHard: {
      'memory.available': '0%',
      'nodefs.available': '0%',
      'nodefs.inodesFree': '0%',
      'imagefs.available': '0%',
    },
    imageGCHighThresholdPercent: 100,
    // Pods that ask for more than a second of nothing: the lab wants to see ends soon.
    nodeStatusUpdateFrequency: '2s',
    syncFrequency: '10s',
  };
}

function proxySettings(facts: ClusterFacts, network: NodeNetwork, metricsPort: number, healthPort: number): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig: facts.kubeconfig },
    hostnameOverride: REAL_NODE,
    mode: 'iptables',
    clusterCIDR: network.pods,
    // What belongs to the whole machine and not to the network namespace is left alone.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    healthzBindAddress: `${network.node}:${healthPort}`,
    metricsBindAddress: `${network.node}:${metricsPort}`,
  };
}

/** One for each controller of cgroup v1, a single one of v2. */
async function cgroupRoots({ namespace }: NodeNetwork): Promise<readonly string[]> {
  const root = '/sys/fs/cgroup';
  const entries = await readdir(root);
  if (entries.includes('cgroup.controllers')) return [join(root, namespace)];
  return entries.map((controller) => join(root, controller, namespace));
}

/** Ends what still runs in a cgroup and removes it with all below it. */
async function removeCgroup(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeCgroup(join(folder, entry.name));
  await rmdir(folder).catch(() => undefined);
}

/** kubelet links each container's log at this place, whatever its folders are. */
async function removeLogLinks(state: string): Promise<void> {
  const folder = '/var/log/containers';
  for (const name of await readdir(folder).catch(() => [])) {
    const target = await readlink(join(folder, name)).catch(() => '');
    if (target.startsWith(`${state}/`)) await rm(join(folder, name), { force: true });
  }
}

/** What containerd, the network plugins and kubelet write at fixed places. A folder that others use too stays. */
async function removeTraces({ namespace }: NodeNetwork): Promise<void> {
  await rm(`/run/${namespace}`, { recursive: true, force: true });
  const results = '/var/lib/cni/results';
  for (const name of await readdir(results).catch(() => [])) {
    if (name.startsWith(`${namespace}-`)) await rm(join(results, name), { force: true });
  }
  for (const name of ['kubelet.sock', 'DEPRECATION']) await rm(join(DEVICE_PLUGINS, name), { force: true });
  const folders = [results, '/var/lib/cni', '/run/containerd/s', '/run/containerd'];
  const kubelet = [DEVICE_PLUGINS, '/var/lib/kubelet', '/var/log/containers'];
  for (const folder of [...folders, ...kubelet]) await rmdir(folder).catch(() => undefined);
}

async function keepSysctls(state: string): Promise<void> {
  const values = SYSCTLS.map(async (name) => [name, (await readFile(`/proc/sys/${name}`, 'utf8')).trim()]);
  await writeFile(join(state, 'sysctls.json'), JSON.stringify(Object.fromEntries(await Promise.all(values))));
}

async function restoreSysctls(state: string): Promise<void> {
  const text = await readFile(join(state, 'sysctls.json'), 'utf8').catch(() => '{}');
  for (const [name, value] of Object.entries(JSON.parse(text) as Record<string, string>)) {
    await writeFile(`/proc/sys/${name}`, value).catch(() => undefined);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
