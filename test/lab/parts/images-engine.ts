import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Missing } from '../part.ts';
import { NODE, canBringBaseImage } from './base-image.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 10_000;

/** A Docker engine that this user may use already. */
export interface UsersEngine {
  /** `unix:///…` */
  readonly dockerHost: string;
  /** This machine's address on the engine's own network. */
  readonly address: string;
}

/** Where the docker program looks by itself: DOCKER_HOST, or the default socket. */
const hostOf = ({ DOCKER_HOST }: NodeJS.ProcessEnv): string =>
  DOCKER_HOST === undefined || DOCKER_HOST === '' ? 'unix:///var/run/docker.sock' : DOCKER_HOST;

/**
 * What is missing of an engine for an ordinary user; nothing where one of this machine answers and has or gets a base
 * image.
 * @param cache the lab's cache folder
 */
export async function missingForUsersEngine(
  cache: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<readonly Missing[]> {
  const host = hostOf(env);
  const need = 'a Docker engine of this machine that this user may use, as an own one needs root';
  if (!host.startsWith('unix://')) return [{ what: `${need}: DOCKER_HOST=${host} is no socket`, packages: [] }];
  const named = { ...env, DOCKER_HOST: host };
  const answer = await run('docker', ['version'], { env: named, timeout: TIMEOUT_MS }).catch(() => undefined);
  if (answer === undefined) return [{ what: `${need}: none answers at ${host}`, packages: [] }];
  if (await canBringBaseImage(NODE, named, cache)) return [];
  return [
    {
      what: `${NODE.name} in the Docker engine at ${host}: it cannot be pulled, and making it needs root`,
      packages: [],
    },
  ];
}

/** The engine that {@link missingForUsersEngine} found. @throws Error when it does not answer */
export async function usersEngine(env: NodeJS.ProcessEnv = process.env): Promise<UsersEngine> {
  const dockerHost = hostOf(env);
  const format = '--format={{range .IPAM.Config}}{{.Gateway}}{{end}}';
  const { stdout } = await run('docker', ['network', 'inspect', 'bridge', format], {
    env: { ...env, DOCKER_HOST: dockerHost },
    timeout: TIMEOUT_MS,
  });
  return { dockerHost, address: stdout.trim() };
}
