import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, constants, mkdir, rename } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { satisfies } from 'semver';
import { type GoSource, goBuild, hasGo, sumsOf, versionOf } from './go-build.ts';
import type { Missing } from './part.ts';
import {
  type Release,
  type ReleaseOptions,
  ReleaseUnavailable,
  addressOf,
  download,
  isGivenUp,
  isReachable,
} from './release.ts';
import { withScratch } from './scratch.ts';

/** Architectures as Go names them, which release names follow. */
type Arch = 'amd64' | 'arm64';

interface Binary {
  readonly source: GoSource;
  /** Versions, as semver ranges, in which a program that is already installed serves as well. */
  readonly fits: string;
  /** None where the project publishes no program. */
  release?(version: string, arch: Arch): Release;
}

const kubernetes = (name: string): Binary => ({
  source: { module: 'kubernetes', package: `k8s.io/kubernetes/cmd/${name}`, requires: 'k8s.io/kubernetes' },
  fits: '1.36.x',
  release(version, arch) {
    const url = `https://dl.k8s.io/release/${version}/bin/linux/${arch}/${name}`;
    return { url, checksums: `${url}.sha256` };
  },
});

/** The controller of Argo Rollouts, in whose module its manifests lie too. */
export const ARGO_ROLLOUTS = {
  module: 'argo-rollouts',
  package: 'github.com/argoproj/argo-rollouts/cmd/rollouts-controller',
  requires: 'github.com/argoproj/argo-rollouts',
} as const satisfies GoSource;

const binaries = {
  'kube-apiserver': kubernetes('kube-apiserver'),
  'kube-controller-manager': kubernetes('kube-controller-manager'),
  'kube-scheduler': kubernetes('kube-scheduler'),
  kubelet: kubernetes('kubelet'),
  'kube-proxy': kubernetes('kube-proxy'),
  etcd: {
    source: { module: 'etcd', package: '.', requires: 'go.etcd.io/etcd/server/v3' },
    // Older ones lack what the API server streams lists with.
    fits: '>=3.6.0 <4',
    release(version, arch) {
      const [folder, name] = [releases('etcd-io/etcd', version), `etcd-${version}-linux-${arch}`];
      return { url: `${folder}/${name}.tar.gz`, member: `${name}/etcd`, checksums: `${folder}/SHA256SUMS` };
    },
  },
  act: {
    source: { install: 'github.com/nektos/act', version: 'v0.2.89' },
    fits: '^0.2.89',
    release(version, arch) {
      const folder = releases('nektos/act', version);
      const url = `${folder}/act_Linux_${arch === 'amd64' ? 'x86_64' : arch}.tar.gz`;
      return { url, member: 'act', checksums: `${folder}/checksums.txt` };
    },
  },
  buildkitd: {
    source: {
      module: 'buildkit',
      package: 'github.com/moby/buildkit/cmd/buildkitd',
      requires: 'github.com/moby/buildkit',
    },
    fits: '>=0.26.0 <1',
    release(version, arch) {
      const repository = 'moby/buildkit';
      return {
        url: `${releases(repository, version)}/buildkit-${version}.linux-${arch}.tar.gz`,
        member: 'bin/buildkitd',
        checksums: `https://api.github.com/repos/${repository}/releases/tags/${version}`,
      };
    },
  },
  buildx: {
    source: { install: 'github.com/docker/buildx/cmd/buildx', version: 'v0.38.2' },
    fits: '>=0.38.2 <1',
    release(version, arch) {
      const folder = releases('docker/buildx', version);
      return { url: `${folder}/buildx-${version}.linux-${arch}`, checksums: `${folder}/checksums.txt` };
    },
  },
  kwok: {
    source: { install: 'sigs.k8s.io/kwok/cmd/kwok', version: 'v0.8.0' },
    fits: '^0.8.0',
    release(version, arch) {
      const repository = 'kubernetes-sigs/kwok';
      return {
        url: `${releases(repository, version)}/kwok-linux-${arch}`,
        // The project publishes no file of checksums, but GitHub tells the digest of each file of a release.
        checksums: `https://api.github.com/repos/${repository}/releases/tags/${version}`,
      };
    },
  },
  'rollouts-controller': {
    source: ARGO_ROLLOUTS,
    // Its manifests have to be of the same version.
    fits: '1.9.1',
  },
} as const satisfies Record<string, Binary>;

/** Programs the lab runs that Debian does not carry in a fitting version. */
export type BinaryName = keyof typeof binaries;

/** How binaries are looked for; all of it has defaults. */
export interface FindOptions extends Partial<ReleaseOptions> {
  /** Told what takes long, and every 15 s that it still does. */
  readonly progress?: (message: string) => void;
  /** Milliseconds between two such lines. */
  readonly everyMs?: number;
  /** As `process.arch` has it. */
  readonly arch?: string;
}

/**
 * The path of a binary, as {@link findBinaries} finds it.
 * @param cache the lab's cache folder
 */
export async function findBinary(name: BinaryName, cache: string, options: FindOptions = {}): Promise<string> {
  return (await findBinaries([name], cache, options))[name];
}

/**
 * The paths of binaries: each from KUBEBUILDER_ASSETS or PATH in a fitting version, or from the cache; else its
 * project's release, checked; else built from pinned sources, those of one Go module together.
 * @param cache the lab's cache folder
 * @throws Error where a release has a wrong checksum, Go is missing or a build fails
 */
export async function findBinaries<N extends BinaryName>(
  names: readonly N[],
  cache: string,
  options: FindOptions = {},
): Promise<Record<N, string>> {
  const settings = settle(options);
  const paths: Partial<Record<N, string>> = {};
  const toBuild: N[] = [];
  for (const name of names) {
    paths[name] = (await installed(name, cache, settings.env)) ?? (await released(name, cache, settings));
    if (paths[name] === undefined) toBuild.push(name);
  }
  for (const group of byModule(toBuild)) Object.assign(paths, await built(group, cache, settings));
  return paths as Record<N, string>;
}

/**
 * Go, where a binary is neither there nor to be downloaded and this machine could not build it: for a part's `missing`.
 * @param cache the lab's cache folder
 */
export async function missingForBinaries(
  names: readonly BinaryName[],
  cache: string,
  options: FindOptions = {},
): Promise<readonly Missing[]> {
  const settings = settle(options);
  if (await hasGo(settings.env)) return [];
  for (const name of names) {
    if ((await installed(name, cache, settings.env)) !== undefined) continue;
    const release = await releaseOf(name, settings);
    if (release !== undefined && (await isReachable(release, settings))) continue;
    return [{ what: `Go 1.21 or newer, which builds ${name} as no release can be reached`, packages: ['golang-go'] }];
  }
  return [];
}

type Settings = ReleaseOptions & Required<Pick<FindOptions, 'progress'>> & Pick<FindOptions, 'everyMs' | 'arch'>;

function settle({ env = process.env, progress, ...rest }: FindOptions): Settings {
  return { ...rest, env, progress: progress ?? ((message) => void process.stderr.write(`${message}\n`)) };
}

async function installed(name: BinaryName, cache: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const place of [env['KUBEBUILDER_ASSETS'] ?? '', ...(env['PATH'] ?? '').split(delimiter)]) {
    const path = join(place, name);
    if (place !== '' && (await isExecutable(path)) && (await fits(name, path, env))) return path;
  }
  const cached = join(await cacheFolder(name, cache), name);
  return (await isExecutable(cached)) ? cached : undefined;
}

async function fits(name: BinaryName, path: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const ask = name === 'buildx' ? 'version' : '--version';
  const { stdout } = await promisify(execFile)(path, [ask], { env, timeout: 10_000 }).catch(() => ({ stdout: '' }));
  const version = /\bv?(\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1];
  return version !== undefined && satisfies(version, binaries[name].fits, { includePrerelease: true });
}

async function released(name: BinaryName, cache: string, settings: Settings): Promise<string | undefined> {
  const release = await releaseOf(name, settings);
  if (release === undefined || isGivenUp(release, settings)) return undefined;
  try {
    return await withScratch(join(cache, 'bin'), async (work) => {
      settings.progress(`downloads ${addressOf(release.url, settings.env)}`);
      return await keep(name, await download(release, work, settings), cache);
    });
  } catch (error) {
    if (!(error instanceof ReleaseUnavailable)) throw error;
    settings.progress(error.message);
    return undefined;
  }
}

async function built<N extends BinaryName>(
  names: readonly N[],
  cache: string,
  settings: Settings,
): Promise<Partial<Record<N, string>>> {
  return withScratch(join(cache, 'bin'), async (work) => {
    await goBuild(
      names.map((name) => binaries[name].source),
      work,
      settings,
    );
    const paths: Partial<Record<N, string>> = {};
    for (const name of names) paths[name] = await keep(name, join(work, name), cache);
    return paths;
  });
}

/** Renamed into its place, so that another process that looks for it finds all of it or nothing. */
async function keep(name: BinaryName, made: string, cache: string): Promise<string> {
  const folder = await cacheFolder(name, cache);
  await mkdir(folder, { recursive: true });
  await rename(made, join(folder, name));
  return join(folder, name);
}

function byModule<N extends BinaryName>(names: readonly N[]): readonly (readonly N[])[] {
  const groups = Map.groupBy(names, (name) => {
    const { source } = binaries[name];
    return 'module' in source ? source.module : source.install;
  });
  return [...groups.values()];
}

async function releaseOf(name: BinaryName, { arch = process.arch }: Settings): Promise<Release | undefined> {
  if (arch !== 'x64' && arch !== 'arm64') throw new Error(`The lab runs on x64 and arm64, not on ${arch}`);
  const binary: Binary = binaries[name];
  return binary.release?.(await versionOf(binary.source), arch === 'x64' ? 'amd64' : 'arm64');
}

async function cacheFolder(name: BinaryName, cache: string): Promise<string> {
  const { source } = binaries[name];
  const version =
    'install' in source
      ? source.version
      : createHash('sha256')
          .update(await sumsOf(source))
          .digest('hex')
          .slice(0, 12);
  return join(cache, 'bin', `${name}-${version}`);
}

function releases(repository: string, version: string): string {
  return `https://github.com/${repository}/releases/download/${version}`;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
