import { execFile } from 'node:child_process';
import { access, mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findBinary, missingForBinaries } from '../binaries.ts';
import { unmountBelow } from '../mounts.ts';
import type { LabContext, LabFacts, Part } from '../part.ts';
import { isRunning, start, stop } from '../process.ts';
import { NODE, bringBaseImage } from './base-image.ts';
import { bridgeName, bringBridge, removeBridge } from './bridge.ts';
import { missingForUsersEngine, usersEngine } from './images-engine.ts';

const run = promisify(execFile);

const PROGRAMS = [
  { path: '/usr/sbin/dockerd', what: 'a Docker engine', packages: ['docker.io'] },
  { path: '/usr/sbin/debootstrap', what: 'debootstrap, which makes base images', packages: ['debootstrap'] },
] as const;

/**
 * Image builds: a Docker engine of our own with buildx and `node:24-slim`. It stands beside any other engine of the
 * machine and makes no firewall rules: its containers reach this machine over a bridge of their own, and nothing else.
 * Without root an engine that the user may use already takes its place; it keeps what is built, and node:24-slim.
 */
export const images: Part<'images'> = {
  name: 'images',
  needs: [],
  async missing({ cache }) {
    if (!isRoot()) {
      const engine = await missingForUsersEngine(cache);
      return engine.length > 0 ? engine : missingForBinaries(['buildx'], cache);
    }
    const found = await Promise.all(PROGRAMS.map(async ({ path }) => exists(path)));
    const missing = PROGRAMS.filter((_, index) => found[index] !== true);
    return [...missing, ...(await missingForBinaries(['buildx'], cache))];
  },
  async up(context) {
    if (!isRoot()) return upWithUsersEngine(context);
    const bridge = await bringBridge(bridgeName(context.state));
    const facts = { ...settingsOf(context.state), address: bridge.address };
    const env = { ...process.env, DOCKER_HOST: facts.dockerHost, DOCKER_CONFIG: facts.dockerConfig };
    if (!(await isRunning(context.state, 'dockerd'))) await startEngine(context, facts, env);
    await answers(context.state, env);
    await bringBaseImage(NODE, env, context);
    context.progress('builds images');
    return facts;
  },
  async down({ state }) {
    if (!isRoot()) return rm(state, { recursive: true, force: true });
    await stop(state, 'dockerd', 20_000);
    await unmountBelow(state);
    await removeBridge(bridgeName(state));
    await rm(state, { recursive: true, force: true });
  },
  async status({ state, facts }) {
    if (!isRoot()) return facts.images === undefined ? 'down' : `up on ${facts.images.dockerHost}, an engine of yours`;
    return (await isRunning(state, 'dockerd')) ? `up on ${settingsOf(state).dockerHost}` : 'down';
  },
};

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

async function upWithUsersEngine(context: LabContext): Promise<NonNullable<LabFacts['images']>> {
  const { dockerConfig } = settingsOf(context.state);
  const facts = { ...(await usersEngine()), dockerConfig };
  await installBuildx(context, dockerConfig);
  await bringBaseImage(NODE, { ...process.env, DOCKER_HOST: facts.dockerHost, DOCKER_CONFIG: dockerConfig }, context);
  context.progress(`builds images with the engine at ${facts.dockerHost}`);
  return facts;
}

/** In a folder of our own, so that the user's settings of docker stay as they are. */
async function installBuildx({ cache, progress }: LabContext, dockerConfig: string): Promise<void> {
  const plugins = join(dockerConfig, 'cli-plugins');
  await mkdir(plugins, { recursive: true });
  const buildx = await findBinary('buildx', cache, { progress });
  await rm(join(plugins, 'docker-buildx'), { force: true });
  await symlink(buildx, join(plugins, 'docker-buildx'));
}

function settingsOf(state: string): Pick<NonNullable<LabFacts['images']>, 'dockerHost' | 'dockerConfig'> {
  return { dockerHost: `unix://${join(state, 'docker.sock')}`, dockerConfig: join(state, 'config') };
}

async function startEngine(
  context: LabContext,
  { address, dockerHost, dockerConfig }: NonNullable<LabFacts['images']>,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const { state } = context;
  await installBuildx(context, dockerConfig);
  const folders = ['data-root', 'exec-root'].map((name) => `--${name}=${join(state, name)}`);
  const network = [
    `--bridge=${bridgeName(state)}`,
    ...['iptables', 'ip6tables', 'ip-masq', 'ip-forward', 'userland-proxy'].map((name) => `--${name}=false`),
  ];
  // Containers reach no nameserver: one that refuses at once spares each look-up the wait for an answer.
  const dns = `--dns=${address}`;
  const pidfile = `--pidfile=${join(state, 'docker.pid')}`;
  await start(state, 'dockerd', PROGRAMS[0].path, [...folders, ...network, dns, pidfile, `--host=${dockerHost}`], env);
}

async function answers(state: string, env: NodeJS.ProcessEnv): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const answer = await run('docker', ['version'], { env, timeout: 5000 }).catch(() => undefined);
    if (answer !== undefined) return;
    if (!(await isRunning(state, 'dockerd'))) break;
    await sleep(200);
  }
  const log = await readFile(join(state, 'dockerd.log'), 'utf8').catch(() => '');
  throw new Error(`The Docker engine does not answer; the end of its log:\n${log.slice(-2000)}`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
