import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../action/errors.ts';
import type { Host, RunInfo } from '../action/host.ts';
import { compareVersions, parseVersion } from './pep440.ts';
import { TOOLS, type ToolName, UV } from './pins.ts';

/** What the functions that bring programs use of the machine. */
export type PythonHost = Pick<Host, 'env' | 'exec' | 'log' | 'info' | 'signal' | 'clock'>;

/** What says where tools are kept. */
export interface ToolPlace {
  readonly env: Host['env'];
  readonly info: Pick<RunInfo, 'temp'>;
}

/** A program that can be run. */
export interface Program {
  /** Its name on PATH, or its absolute path. */
  readonly path: string;
  readonly version: string;
  /** Where it came from, as a phrase for the log. */
  readonly from: string;
}

/**
 * Brings uv: the one on PATH, else the runner's tool cache, else its wheel by pip from the index that the environment
 * names, checked by SHA-256 and kept in the tool cache.
 * @throws UserError when none is there and it cannot be had
 */
export async function provideUv(host: PythonHost): Promise<Program> {
  const onPath = await programAt('uv', UV.oldest, host);
  if (onPath !== undefined) return { ...onPath, from: 'PATH' };
  const folder = path.join(toolFolder(host), 'uv', UV.version, process.arch);
  const binary = path.join(folder, 'bin', 'uv');
  const kept = await programAt(binary, UV.version, host);
  if (kept !== undefined) return { ...kept, from: "the runner's tool cache" };
  host.log.info(`bringing uv ${UV.version}`);
  await installByPip(folder, host);
  const brought = await programAt(binary, UV.version, host);
  if (brought !== undefined) return { ...brought, from: 'the package index, checked by its SHA-256' };
  throw noUv('it was installed, but does not run', undefined);
}

/**
 * Brings a tool: the one on PATH where it is not too old, else the pinned version in an environment of its own, kept in
 * the tool cache.
 * @throws UserError when it cannot be had
 */
export async function provideTool(name: ToolName, uv: Program, host: PythonHost): Promise<Program> {
  const { version, oldest, with: held = [] } = TOOLS[name];
  const onPath = await programAt(name, oldest, host);
  if (onPath !== undefined) return { ...onPath, from: 'PATH' };
  const folder = path.dirname(toolBin(name, host));
  const binary = path.join(toolBin(name, host), name);
  const kept = await programAt(binary, version, host);
  if (kept !== undefined) return { ...kept, from: "the runner's tool cache" };
  const env = { ...UV_ENV, UV_TOOL_DIR: path.join(folder, 'tools'), UV_TOOL_BIN_DIR: path.join(folder, 'bin') };
  const { exitCode, stderr } = await host.log.group(`bringing ${name} ${version}`, async () =>
    host.exec.run(
      uv.path,
      ['tool', 'install', '--force', `${name}==${version}`, ...held.flatMap((one) => ['--with', one])],
      {
        env: { ...env, UV_PYTHON: undefined },
        onLine: (line) => host.log.info(line),
      },
    ),
  );
  const brought = exitCode === 0 ? await programAt(binary, version, host) : undefined;
  if (brought !== undefined) return { ...brought, from: 'the package index' };
  throw new UserError(
    `${name} ${version} cannot be installed by uv:\n${stderr.trim().split('\n').slice(-10).join('\n')}`,
    {
      remedy: `Run the job again where the index did not answer, or install ${name} in a step before this one.`,
    },
  );
}

/** The folder that a tool's program is brought to, to be put on PATH before it is. */
export function toolBin(name: ToolName, host: ToolPlace): string {
  return path.join(toolFolder(host), 'delivery-actions-python', `${name}-${TOOLS[name].version}`, 'bin');
}

/** How uv and what it starts behave in a job: no bars of progress, and a silent server is waited for a minute at most. */
export const UV_ENV: Readonly<Record<string, string>> = {
  UV_NO_PROGRESS: '1',
  UV_HTTP_TIMEOUT: '60',
  // Named here once more, since a warning about hard links between file systems says nothing that a user can mend.
  UV_LINK_MODE: 'copy',
};

/** The program's version when it runs and is not older than asked. */
async function programAt(
  program: string,
  oldest: string,
  { exec }: PythonHost,
): Promise<Omit<Program, 'from'> | undefined> {
  if (path.isAbsolute(program) && !(await isExecutable(program))) return undefined;
  const silent = { exitCode: 1, stdout: '', stderr: '' };
  const { exitCode, stdout, stderr } = await exec.ask(program, ['--version']).catch(() => silent);
  // nox tells its version on stderr.
  const version = /\d+(?:\.\d+)+\S*/.exec(`${stdout}\n${stderr}`)?.[0];
  const [found, wanted] = [parseVersion(version?.replace(/[,)]$/, '') ?? ''), parseVersion(oldest)];
  if (exitCode !== 0 || version === undefined || found === undefined || wanted === undefined) return undefined;
  return compareVersions(found, wanted) < 0 ? undefined : { path: program, version };
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Where the runner keeps tools between jobs; `AGENT_TOOLSDIRECTORY` is the older name. */
export function toolFolder({ env, info }: ToolPlace): string {
  return env['RUNNER_TOOL_CACHE'] || env['AGENT_TOOLSDIRECTORY'] || path.join(info.temp, 'tools');
}

/**
 * pip knows the platform's wheel, the index and its credentials; it takes only what has one of the hashes. The folder
 * is moved into its place when it is whole, so that a job that is cancelled leaves no half of it.
 */
async function installByPip(folder: string, host: PythonHost): Promise<void> {
  const draft = `${folder}.${randomUUID()}`;
  await mkdir(draft, { recursive: true });
  try {
    const list = path.join(draft, 'uv.txt');
    const hashes = UV.sha256.map((hash) => `--hash=sha256:${hash}`);
    await writeFile(list, `uv==${UV.version} ${hashes.join(' ')}\n`);
    const index = host.env['UV_DEFAULT_INDEX'] || host.env['UV_INDEX_URL'];
    const options = ['--no-deps', '--only-binary=:all:', '--require-hashes', '--disable-pip-version-check', '--quiet'];
    const { exitCode, stdout, stderr } = await host.exec.run(
      'python3',
      ['-m', 'pip', 'install', ...options, '--target', draft, '--requirement', list],
      // By the environment, as an address may hold a token.
      {
        env: { ...(index !== undefined && index !== '' && { PIP_INDEX_URL: index }), PIP_USER: undefined },
        timeout: 5 * 60_000,
      },
    );
    if (exitCode !== 0) throw noUv(`${stdout}\n${stderr}`.trim().split('\n').slice(-5).join('\n'), undefined);
    await rm(folder, { recursive: true, force: true });
    await rename(draft, folder);
  } catch (error) {
    host.signal.throwIfAborted();
    throw error instanceof UserError && error.message.startsWith('uv ') ? error : noUv('there is no python3', error);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

function noUv(why: string, cause: unknown): UserError {
  return new UserError(`uv ${UV.version} cannot be had: ${why}`, {
    remedy:
      'Use a runner image with python3 and pip that reaches the package index (or one named in PIP_INDEX_URL), or add a step with astral-sh/setup-uv before this one.',
    cause,
  });
}
