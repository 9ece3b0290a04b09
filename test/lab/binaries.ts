import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, constants, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const modules = join(import.meta.dirname, 'go');

/** Where a binary's source is: a module pinned in this repository, or a package at a version. */
type Source =
  | { readonly module: 'kubernetes' | 'etcd'; readonly package: string }
  | { readonly install: string; readonly version: string };

const kubernetes = (name: string): Source => ({
  module: 'kubernetes',
  package: `k8s.io/kubernetes/cmd/${name}`,
});

const sources = {
  'kube-apiserver': kubernetes('kube-apiserver'),
  'kube-controller-manager': kubernetes('kube-controller-manager'),
  'kube-scheduler': kubernetes('kube-scheduler'),
  kubelet: kubernetes('kubelet'),
  'kube-proxy': kubernetes('kube-proxy'),
  etcd: { module: 'etcd', package: '.' },
  act: { install: 'github.com/nektos/act', version: 'v0.2.89' },
  buildx: { install: 'github.com/docker/buildx/cmd/buildx', version: 'v0.38.2' },
  kwok: { install: 'sigs.k8s.io/kwok/cmd/kwok', version: 'v0.8.0' },
} as const satisfies Record<string, Source>;

/** Programs the lab runs that Debian does not carry in a fitting version. */
export type BinaryName = keyof typeof sources;

/**
 * The path of a binary: from KUBEBUILDER_ASSETS, PATH or the cache, else built by Go into the cache.
 * @param cache the lab's cache folder
 * @throws Error where Go is missing or the build fails
 */
export async function findBinary(
  name: BinaryName,
  cache: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const source: Source = sources[name];
  const version = await versionOf(source);
  const folder = join(cache, 'bin', `${name}-${version}`);
  const places = [env['KUBEBUILDER_ASSETS'] ?? '', ...(env['PATH'] ?? '').split(delimiter), folder];
  for (const place of places) {
    const path = join(place, name);
    if (place !== '' && (await isExecutable(path))) return path;
  }
  await build(name, source, folder, env);
  return join(folder, name);
}

async function versionOf(source: Source): Promise<string> {
  if ('install' in source) return source.version;
  const sums = await readFile(join(modules, source.module, 'go.sum'));
  return createHash('sha256').update(sums).digest('hex').slice(0, 12);
}

async function build(name: BinaryName, source: Source, folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  await mkdir(folder, { recursive: true });
  const work = await mkdtemp(join(folder, 'build-'));
  const built = join(work, name);
  const options = { timeout: 30 * 60_000, maxBuffer: 16 * 1024 * 1024 };
  try {
    if ('module' in source) {
      const args = ['build', '-trimpath', '-ldflags', '-s -w', '-o', built, source.package];
      await run('go', args, { ...options, cwd: join(modules, source.module), env });
    } else {
      const args = ['install', `${source.install}@${source.version}`];
      await run('go', args, { ...options, env: { ...env, GOBIN: work } });
    }
    await rename(built, join(folder, name));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
