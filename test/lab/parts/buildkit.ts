import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findBinary, missingForBinaries } from '../binaries.ts';
import { unmountBelow } from '../mounts.ts';
import type { LabFacts, Part } from '../part.ts';
import { isRunning, start, stop } from '../process.ts';
import { NODE } from './base-image.ts';

const run = promisify(execFile);
const BUILDER = 'lab-buildkit';

/**
 * A BuildKit of its own beside the engine's, which in Debian is from 2021: it keeps layers in a registry and builds for
 * several platforms. Docker Hub's images come from the lab's registry, where node:24-slim is put.
 */
export const buildkit: Part<'buildkit'> = {
  name: 'buildkit',
  needs: ['images', 'registry'],
  async missing({ cache }) {
    if (process.getuid?.() !== 0) return [{ what: 'the rights of root for a BuildKit of its own', packages: [] }];
    return missingForBinaries(['buildkitd'], cache);
  },
  async up({ cache, state, facts, progress }) {
    const { images, registry } = needed(facts);
    const env = { ...process.env, DOCKER_HOST: images.dockerHost, DOCKER_CONFIG: images.dockerConfig };
    const address = `unix://${join(state, 'buildkitd.sock')}`;
    if (!(await isRunning(state, 'buildkitd'))) {
      const program = await findBinary('buildkitd', cache, { progress });
      await mkdir(state, { recursive: true });
      const config = join(state, 'buildkitd.toml');
      await writeFile(config, settings(join(state, 'data'), address, registry.host));
      await start(state, 'buildkitd', program, ['--config', config], env);
    }
    await run('docker', ['buildx', 'rm', '--force', BUILDER], { env }).catch(() => undefined);
    await run('docker', ['buildx', 'create', '--name', BUILDER, '--driver', 'remote', address], { env });
    await answers(state, env);
    const base = `${registry.host}/library/${NODE.name}`;
    await run('docker', ['tag', NODE.name, base], { env });
    await run('docker', ['push', '--quiet', base], { env, timeout: 120_000 });
    progress(`builds as ${BUILDER}`);
    return { builder: BUILDER };
  },
  async down({ state }) {
    await stop(state, 'buildkitd', 20_000);
    await unmountBelow(state);
    await rm(state, { recursive: true, force: true });
  },
  async status({ state }) {
    return (await isRunning(state, 'buildkitd')) ? `up as the builder ${BUILDER}` : 'down';
  },
};

function needed({ images, registry }: LabFacts): Required<Pick<LabFacts, 'images' | 'registry'>> {
  if (images === undefined || registry === undefined) throw new Error('BuildKit needs the engine and the registry');
  return { images, registry };
}

function settings(root: string, address: string, registry: string): string {
  return `root = ${JSON.stringify(root)}
[grpc]
  address = [${JSON.stringify(address)}]
[worker.oci]
  enabled = true
[worker.containerd]
  enabled = false
[registry."docker.io"]
  mirrors = [${JSON.stringify(registry)}]
[registry.${JSON.stringify(registry)}]
  http = true
`;
}

async function answers(state: string, env: NodeJS.ProcessEnv): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const asked = run('docker', ['buildx', 'inspect', BUILDER], { env, timeout: 10_000 });
    const answer = await asked.catch(() => ({ stdout: '' }));
    if (/^Status:\s*running/m.test(answer.stdout)) return;
    if (!(await isRunning(state, 'buildkitd'))) break;
    await sleep(200);
  }
  const log = await readFile(join(state, 'buildkitd.log'), 'utf8').catch(() => '');
  throw new Error(`BuildKit does not answer; the end of its log:\n${log.slice(-2000)}`);
}
