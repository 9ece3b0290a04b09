import { execFile } from 'node:child_process';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isRunning, start, stop } from '../../process.ts';
import { type NodeNetwork, enter } from './network.ts';

const run = promisify(execFile);
const CONTAINERD = '/usr/bin/containerd';
const RUNC = '/usr/sbin/runc';
const CNI = '/usr/lib/cni';
/** The image of the container that holds a pod's namespaces. */
const PAUSE = 'lab.invalid/pause:1';

/** What a real node is made of, with the Debian packages that bring it. */
export const RUNTIME_PROGRAMS = [
  { path: CONTAINERD, what: 'containerd', packages: ['containerd'] },
  { path: RUNC, what: 'runc', packages: ['runc'] },
  { path: join(CNI, 'bridge'), what: 'the network plugins of containers', packages: ['containernetworking-plugins'] },
  { path: '/usr/sbin/iptables', what: 'iptables', packages: ['iptables'] },
  { path: '/usr/sbin/ip', what: 'ip', packages: ['iproute2'] },
  { path: '/usr/bin/openssl', what: 'openssl', packages: ['openssl'] },
] as const;

/** Where a container runtime of a lab keeps what others have to know. */
export function runtimeOf(state: string): { readonly socket: string; readonly registryHosts: string } {
  return { socket: join(state, 'containerd.sock'), registryHosts: join(state, 'certs.d') };
}

/** Starts a containerd of our own in the node's network; it stands beside any other of the machine. */
export async function startRuntime(state: string, network: NodeNetwork): Promise<void> {
  const { socket, registryHosts } = runtimeOf(state);
  const cni = join(state, 'cni');
  for (const folder of [cni, registryHosts]) await mkdir(folder, { recursive: true });
  await writeFile(join(cni, '10-lab.conflist'), JSON.stringify(networkPlugins(network)));
  const config = join(state, 'containerd.toml');
  await writeFile(config, settings(state, cni));
  const [program, args] = enter(network, CONTAINERD, ['--config', config]);
  await start(state, 'containerd', program, args);
  const deadline = Date.now() + 30_000;
  while (!(await answers(socket))) {
    if (Date.now() > deadline || !(await isRunning(state, 'containerd'))) {
      throw new Error(`containerd does not answer; its log is ${join(state, 'containerd.log')}`);
    }
    await sleep(100);
  }
  await importPause(state, socket);
}

/** Ends every container, then containerd itself: shims would outlive it. */
export async function stopRuntime(state: string): Promise<void> {
  const { socket } = runtimeOf(state);
  if (await isRunning(state, 'containerd')) {
    const tasks = (await ctr(socket, ['tasks', 'list', '--quiet']).catch(() => '')).split('\n').filter(Boolean);
    await Promise.all(tasks.map(async (id) => ctr(socket, ['tasks', 'delete', '--force', id]).catch(() => '')));
  }
  await stop(state, 'containerd');
}

/** Lets the node pull images of the registry `name` from `mirror`; see containerd's documentation on hosts.toml. */
export async function redirectPulls(registryHosts: string, name: string, mirror: string): Promise<void> {
  await mkdir(join(registryHosts, name), { recursive: true });
  const text = `server = ${JSON.stringify(mirror)}\n[host.${JSON.stringify(mirror)}]\n  capabilities = ["pull", "resolve"]\n`;
  await writeFile(join(registryHosts, name, 'hosts.toml'), text);
}

function settings(state: string, cni: string): string {
  const { socket, registryHosts } = runtimeOf(state);
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  const runc = `${cri}.containerd.runtimes.runc`;
  const sections: Readonly<Record<string, Readonly<Record<string, string | boolean>>>> = {
    grpc: { address: socket },
    // Without it the sandbox of a pod fails where the machine forbids lowering oom_score_adj.
    [cri]: { restrict_oom_score_adj: true, sandbox_image: PAUSE, netns_mounts_under_state_dir: true },
    [`${cri}.cni`]: { bin_dir: CNI, conf_dir: cni },
    [`${cri}.registry`]: { config_path: registryHosts },
    [runc]: { runtime_type: 'io.containerd.runc.v2' },
    [`${runc}.options`]: { BinaryName: RUNC, Root: join(state, 'runc') },
  };
  const top = [
    'version = 2',
    `root = ${JSON.stringify(join(state, 'containerd'))}`,
    `state = ${JSON.stringify(join(state, 'containerd-run'))}`,
  ];
  const rest = Object.entries(sections).map(([name, values]) =>
    [`[${name}]`, ...Object.entries(values).map(([key, value]) => `${key} = ${JSON.stringify(value)}`)].join('\n'),
  );
  return `${[...top, ...rest].join('\n')}\n`;
}

function networkPlugins({ pods, namespace }: NodeNetwork): object {
  const ipam = {
    type: 'host-local',
    ranges: [[{ subnet: pods }]],
    routes: [{ dst: '0.0.0.0/0' }],
    dataDir: `/run/${namespace}`,
  };
  return {
    cniVersion: '1.0.0',
    name: namespace,
    plugins: [
      { type: 'bridge', bridge: 'pods', isGateway: true, hairpinMode: true, ipam },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

/**
 * Makes the pause image of this machine's own `sleep`, as no registry needs to be reached for it: a program and the
 * libraries it is linked to, in the archive form of `docker save`.
 */
async function importPause(state: string, socket: string): Promise<void> {
  const work = join(state, 'pause');
  const root = join(work, 'root');
  const { stdout } = await run('ldd', ['/bin/sleep']);
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path);
  for (const path of ['/bin/sleep', ...libraries]) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await copyFile(path, join(root, path));
  }
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const config = {
    architecture,
    os: 'linux',
    config: { Entrypoint: ['/bin/sleep', 'infinity'] },
    rootfs: { type: 'layers', diff_ids: [] as string[] },
  };
  await run('tar', ['--create', '--file', join(work, 'layer.tar'), '--directory', root, '.']);
  const { stdout: sum } = await run('sha256sum', [join(work, 'layer.tar')]);
  config.rootfs.diff_ids.push(`sha256:${sum.split(' ')[0]}`);
  await writeFile(join(work, 'config.json'), JSON.stringify(config));
  const manifest = [{ Config: 'config.json', RepoTags: [PAUSE], Layers: ['layer.tar'] }];
  await writeFile(join(work, 'manifest.json'), JSON.stringify(manifest));
  const parts = ['manifest.json', 'config.json', 'layer.tar'];
  await run('tar', ['--create', '--file', join(work, 'image.tar'), '--directory', work, ...parts]);
  await ctr(socket, ['images', 'import', join(work, 'image.tar')]);
  await rm(work, { recursive: true });
}

async function answers(socket: string): Promise<boolean> {
  return ctr(socket, ['version']).then(
    () => true,
    () => false,
  );
}

async function ctr(socket: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run('ctr', ['--address', socket, '--namespace', 'k8s.io', ...args], { timeout: 60_000 });
  return stdout;
}
