import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { type Bench, type Runner, run } from './runner.ts';

/** The scripts that a workflow names one after the other, as far as the project has them. */
const SCRIPTS = ['lint', 'test', 'build'];

/**
 * What a team writes with the usual actions, by the plain commands that these run: setup-node brings ~/.npm back, then
 * `npm ci`, the scripts, and docker/build-push-action with its cache in the registry. What their actions take to start,
 * and to download the archive, is left out in their favour.
 */
export async function chain(
  bench: Bench,
  runner: Runner,
  npmCache: string,
  dockerfile: 'Dockerfile.usual' | 'Dockerfile.ours',
): Promise<void> {
  const npm = path.join(runner.home, '.npm');
  mkdirSync(npm, { recursive: true });
  await run('tar', ['--zstd', '-xf', npmCache, '-C', npm], runner);
  await run('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline'], runner);
  for (const script of SCRIPTS) if (bench.scripts.includes(script)) await run('npm', ['run', script], runner);
  const name = `${bench.registry}/${dockerfile.toLowerCase().replace('.', '-')}/${bench.name}`;
  const cache = `type=registry,ref=${name}:cache`;
  const keep = ['--cache-from', cache, '--cache-to', `${cache},mode=max,image-manifest=true`];
  const args = ['buildx', 'build', '--builder', bench.builder, '--push', '--provenance=false', '-t', `${name}:main`];
  await run('docker', [...args, ...keep, '-f', path.join(bench.folder, dockerfile), '.'], runner);
}
