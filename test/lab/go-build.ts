import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const modules = join(import.meta.dirname, 'go');
/** From this version on, Go fetches by itself the newer one that a module wants. */
const OLDEST_GO = { major: 1, minor: 21 };

/** Where a program's source is: in a module pinned with all its dependencies in this repository, or at a version. */
export type GoSource =
  | {
      readonly module: 'kubernetes' | 'etcd' | 'buildkit' | 'argo-rollouts';
      readonly package: string;
      /** The requirement in the module's go.mod whose version is the program's. */
      readonly requires: string;
    }
  | { readonly install: string; readonly version: string };

/** What a build needs from those who want it. */
export interface BuildOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly progress: (message: string) => void;
  /** Milliseconds between two lines that say it still builds. */
  readonly everyMs?: number;
}

/** The version of the program that the source makes, such as `v1.36.3`. */
export async function versionOf(source: GoSource): Promise<string> {
  if ('install' in source) return source.version;
  const text = await readFile(join(modules, source.module, 'go.mod'), 'utf8');
  const version = text.split('\n').map((line) =>
    line
      .replace(/^\s*require\s/, '')
      .trim()
      .split(' '),
  );
  const found = version.find(([path]) => path === source.requires)?.[1];
  if (found === undefined) throw new Error(`go.mod of ${source.module} does not require ${source.requires}`);
  return found;
}

/** The sums of all that goes into a program of a module in this repository. */
export async function sumsOf(source: Extract<GoSource, { module: string }>): Promise<Buffer> {
  return readFile(join(modules, source.module, 'go.sum'));
}

/** The folder of the sources of what a module in this repository requires, downloaded where it is not there yet. */
export async function sourceFolder({ module, requires }: Extract<GoSource, { module: string }>): Promise<string> {
  const options = { cwd: join(modules, module), timeout: 10 * 60_000 };
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', requires], options);
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}

/** Whether a Go is on PATH that can build all of this. */
export async function hasGo(env: NodeJS.ProcessEnv): Promise<boolean> {
  const { stdout } = await promisify(execFile)('go', ['version'], { env, timeout: 30_000 }).catch(() => ({
    stdout: '',
  }));
  const [, major, minor] = /\bgo(\d+)\.(\d+)/.exec(stdout) ?? [];
  return Number(major) > OLDEST_GO.major || (Number(major) === OLDEST_GO.major && Number(minor) >= OLDEST_GO.minor);
}

/**
 * Builds programs of one module, or one program at a version, into a folder. Several of one module share one build:
 * most of what they are made of is the same.
 * @throws Error with the compiler's last lines
 */
export async function goBuild(sources: readonly GoSource[], folder: string, options: BuildOptions): Promise<void> {
  const [first] = sources;
  if (first === undefined) return;
  const names = sources.map((source) => ('install' in source ? basename(source.install) : programOf(source)));
  const version = await versionOf(first);
  options.progress(`builds ${names.join(', ')} ${version} from source by Go: takes minutes, once`);
  if ('install' in first) {
    return go(['install', `${first.install}@${version}`], names, {
      ...options,
      env: { ...options.env, GOBIN: folder },
    });
  }
  const packages = sources.flatMap((source) => ('install' in source ? [] : [source.package]));
  const flags = ['-trimpath', '-ldflags', ['-s', '-w', ...stamp(first, version)].join(' ')];
  await go(['build', ...flags, '-o', `${folder}/`, ...packages], names, options, join(modules, first.module));
}

/** `go build` calls the program of a module's own package after the module. */
function programOf(source: Extract<GoSource, { module: string }>): string {
  return source.package === '.' ? source.module : basename(source.package);
}

/** Kubernetes takes its version from the linker; without it the API server calls itself v0.0.0. */
function stamp(source: GoSource, version: string): readonly string[] {
  if (!('module' in source) || source.module !== 'kubernetes') return [];
  const [major, minor] = version.replace('v', '').split('.');
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor };
  return Object.entries(values).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
}

async function go(
  args: readonly string[],
  names: readonly string[],
  { env, progress, everyMs = 15_000 }: BuildOptions,
  cwd?: string,
): Promise<void> {
  const began = Date.now();
  const ticker = setInterval(() => {
    progress(`still builds ${names.join(', ')}: ${Math.round((Date.now() - began) / 1000)} s`);
  }, everyMs);
  const running = promisify(execFile)('go', args, {
    env,
    ...(cwd === undefined ? {} : { cwd }),
    timeout: 40 * 60_000,
    maxBuffer: 16 * 1024 * 1024,
  });
  // Go removes its own temporary files when it is interrupted, not when it is killed.
  const interrupt = (): void => void running.child.kill('SIGINT');
  process.once('exit', interrupt);
  try {
    await running;
  } catch (error) {
    throw new Error(`Go can't build ${names.join(', ')}: ${wordsOf(error)}`, { cause: error });
  } finally {
    process.off('exit', interrupt);
    clearInterval(ticker);
  }
}

function wordsOf(error: unknown): string {
  const { stderr, code, message } = error as { stderr?: string; code?: unknown; message?: string };
  if (code === 'ENOENT') return 'there is no go on PATH';
  const last = (stderr ?? '').trim().split('\n').slice(-10).join('\n');
  return last === '' ? (message ?? 'for an unknown reason') : last;
}
