import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A network namespace with a link to this machine: what a real node has instead of a machine of its own. */
export interface NodeNetwork {
  /** Name of the network namespace. */
  readonly namespace: string;
  /** This machine's end of the link: the API server listens here. */
  readonly host: string;
  /** The node's end, where NodePorts answer. */
  readonly node: string;
  /** Addresses of pods, in CIDR form. */
  readonly pods: string;
}

/** The network of the lab whose cluster has this state folder; two labs of one machine get different ones. */
export function networkOf(state: string): NodeNetwork {
  const digest = createHash('sha256').update(state).digest();
  const third = digest.readUInt8(0);
  return {
    namespace: `lab-${digest.toString('hex').slice(0, 8)}`,
    host: `10.197.${third}.1`,
    node: `10.197.${third}.2`,
    pods: `10.198.${third}.0/24`,
  };
}

/** Makes the namespace and the link. All rules of the firewall that a node needs stay inside it. */
export async function makeNetwork(network: NodeNetwork): Promise<void> {
  const { namespace, host, node, pods } = network;
  const link = linkOf(network);
  await removeNetwork(network);
  await run('ip', ['netns', 'add', namespace]);
  await run('ip', ['link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace]);
  await run('ip', ['address', 'add', `${host}/30`, 'dev', link]);
  await run('ip', ['link', 'set', link, 'up']);
  await inNamespace(network, 'ip', ['link', 'set', 'lo', 'up']);
  await inNamespace(network, 'ip', ['address', 'add', `${node}/30`, 'dev', 'eth0']);
  await inNamespace(network, 'ip', ['link', 'set', 'eth0', 'up']);
  await inNamespace(network, 'ip', ['route', 'add', 'default', 'via', host]);
  // So that pods reach the API server and get answers.
  await run('ip', ['route', 'replace', pods, 'via', node, 'dev', link]);
}

/** Removes the namespace and with it the link, its routes and every rule in it. */
export async function removeNetwork(network: NodeNetwork): Promise<void> {
  await run('ip', ['link', 'delete', linkOf(network)]).catch(() => undefined);
  await run('ip', ['netns', 'delete', network.namespace]).catch(() => undefined);
}

/**
 * Program and arguments that run `command` inside the namespace. Only the network is another one: `ip netns exec` would
 * also hide the mounts that kubelet and containerd must see of each other.
 */
export function enter({ namespace }: NodeNetwork, command: string, args: readonly string[]): [string, string[]] {
  return ['nsenter', [`--net=/run/netns/${namespace}`, '--', command, ...args]];
}

async function inNamespace(network: NodeNetwork, command: string, args: readonly string[]): Promise<void> {
  const [program, all] = enter(network, command, args);
  await run(program, all);
}

/** At most 15 characters, as Linux allows. */
function linkOf({ namespace }: NodeNetwork): string {
  return `v${namespace}`;
}
