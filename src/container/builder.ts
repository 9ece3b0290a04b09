import { randomBytes } from 'node:crypto';
import { stripControls } from '../action/log.ts';
import type { Host } from '../action/host.ts';

/** What a build uses in place of docker's own builder. */
export interface Builder {
  /** Absent for the one that docker uses by itself. */
  readonly name?: string;
  /** Whether it can keep its layers in a registry. */
  readonly exportsCache: boolean;
}

/** What a build asks of its builder beyond a plain build. */
export interface BuilderNeeds {
  readonly exportsCache: boolean;
  readonly platforms: readonly string[];
  /** Host of the registry that the image goes to; empty where it goes nowhere. */
  readonly registry: string;
}

type BuilderHost = Pick<Host, 'exec' | 'log' | 'signal'>;

const ASK_MS = 15_000;
/** It pulls an image of BuildKit of about 100 MB. */
const BOOT_MS = 120_000;
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::|$)/;

/**
 * Lends `use` a builder that can do what the build needs: the one that is set up where it can, else one of its own for
 * this build (`docker-container`, https://docs.docker.com/build/builders/drivers/), which is removed afterwards. Where
 * that one does not start, the build goes on with docker's own, and a line in the log says so.
 */
export async function withBuilder<T>(
  needs: BuilderNeeds,
  dockerConfig: string,
  host: BuilderHost,
  use: (builder: Builder) => Promise<T>,
): Promise<T> {
  const env = { DOCKER_CONFIG: dockerConfig };
  if (!needs.exportsCache && needs.platforms.length < 2) return use({ exportsCache: false });
  if (await isCapable(env, host)) return use({ exportsCache: true });
  const name = `delivery-actions-${randomBytes(4).toString('hex')}`;
  try {
    const made = await start(name, needs.registry, env, host);
    return await use(made ? { name, exportsCache: true } : { exportsCache: false });
  } finally {
    // Asked even where the job was cancelled meanwhile.
    await host.exec.ask('docker', ['buildx', 'rm', '--force', name], { env }).catch(() => undefined);
  }
}

/** Docker's own builder can do it only where docker keeps images in containerd's store. */
async function isCapable(env: Readonly<Record<string, string>>, host: BuilderHost): Promise<boolean> {
  const ask = async (...args: readonly string[]): Promise<string> => {
    const answer = await host.exec.run('docker', args, { env, timeout: ASK_MS }).catch(() => undefined);
    return answer?.exitCode === 0 ? answer.stdout : '';
  };
  const driver = /^Driver:\s*(\S+)/m.exec(await ask('buildx', 'inspect'))?.[1];
  // Without an answer the build itself says best what is wrong.
  if (driver !== 'docker') return driver !== undefined;
  return (await ask('info', '--format', '{{json .DriverStatus}}')).includes('io.containerd.snapshotter');
}

async function start(
  name: string,
  registry: string,
  env: Readonly<Record<string, string>>,
  { exec, log, signal }: BuilderHost,
): Promise<boolean> {
  // Its own network does not reach a registry that listens on this machine alone.
  const network = LOOPBACK.test(registry) ? ['--driver-opt=network=host'] : [];
  const steps = [
    ['buildx', 'create', `--name=${name}`, '--driver=docker-container', ...network],
    ['buildx', 'inspect', '--bootstrap', name],
  ];
  for (const args of steps) {
    const { exitCode, stderr } = await exec.run('docker', args, { env, timeout: BOOT_MS });
    signal.throwIfAborted();
    if (exitCode === 0) continue;
    const why = stripControls(stderr).trim().split('\n').at(-1) ?? '';
    log.info(`BuildKit of its own does not start, so layers are not kept in the registry: ${why.slice(0, 300)}`);
    return false;
  }
  return true;
}
