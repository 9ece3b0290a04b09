import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { localExec } from '../../src/action/exec.ts';
import type { Host } from '../../src/action/host.ts';
import { openProject } from '../../src/project/project.ts';
import { type Installed, installProject } from '../../src/python/install.ts';
import { type Interpreter, providePython } from '../../src/python/interpreter.ts';
import { type PythonProject, detectProject } from '../../src/python/project.ts';
import { type Program, type PythonHost, provideTool, provideUv } from '../../src/python/uv.ts';
import { pythonRange } from '../../src/python/version.ts';
import type { ReadFile } from '../../src/project/project.ts';
import { cache } from '../lab/cache.ts';

const run = promisify(execFile);
const FIXTURES = path.join(import.meta.dirname, '..', 'fixtures', 'python');

/** A host of this machine whose log is kept; tools are brought once into the lab's cache, as a runner keeps its own. */
export function realHost(env: Readonly<Record<string, string | undefined>> = {}): {
  host: PythonHost & Host;
  lines: string[];
} {
  const lines: string[] = [];
  const all = { ...process.env, RUNNER_TOOL_CACHE: path.join(cache, 'tool-cache'), ...env };
  const signal = new AbortController().signal;
  const write = (line: string): void => void lines.push(line);
  const host = {
    env: all,
    signal,
    info: { temp: tmpdir() },
    exec: localExec(all, signal),
    clock: { now: Date.now, sleep: async (ms: number) => sleep(ms) },
    log: {
      info: write,
      debug: write,
      warning: write,
      error: write,
      group: async <T>(title: string, body: () => Promise<T>): Promise<T> => {
        write(`## ${title}`);
        return body();
      },
    },
  };
  return { host: host as unknown as PythonHost & Host, lines };
}

/** A fixture in a temporary folder, locked by its own tool. */
export interface RealProject {
  readonly directory: string;
  readonly read: ReadFile;
  readonly project: PythonProject;
  readonly uv: Program;
  readonly python: Interpreter;
  readonly host: PythonHost & Host;
  /** What was logged since. */
  readonly lines: readonly string[];
  readonly install: () => Promise<Installed>;
}

/** Copies a fixture, has the real tool write its lockfile, lets `use` work with it, and removes it. */
export async function withFixture<T>(
  name: string,
  use: (real: RealProject) => Promise<T>,
  files: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<T> {
  const { host, lines } = realHost(env);
  const directory = await mkdtemp(path.join(tmpdir(), `python ${name} ü-`));
  try {
    await cp(path.join(FIXTURES, name), directory, { recursive: true });
    const uv = await provideUv(host);
    await lock(name, directory, uv, host);
    for (const [file, text] of Object.entries(files)) await writeFile(path.join(directory, file), text);
    const { read } = openProject('.', directory);
    const project = detectProject(read);
    const python = await providePython(pythonRange(read), uv, host);
    const install = async () => installProject({ project, directory, python, uv }, host);
    return await use({ directory, read, project, uv, python, host, lines, install });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Lockfiles name the index that they were made with, so they are made here, by the index of this machine. */
async function lock(name: string, directory: string, uv: Program, host: PythonHost): Promise<void> {
  const locking: Readonly<Record<string, readonly string[]>> = {
    uv: ['lock'],
    'uv-workspace': ['lock'],
    poetry: ['lock', '--no-interaction'],
    pipenv: ['lock'],
  };
  const args = locking[name];
  if (args === undefined) return;
  if (name === 'poetry') await nameIndex(directory);
  const tool = name === 'poetry' || name === 'pipenv' ? await provideTool(name, uv, host) : uv;
  await run(tool.path, args, { cwd: directory, env: { ...process.env, PIPENV_IGNORE_VIRTUALENVS: '1' } });
}

/** Poetry asks its default index by another way than the usual one, which a mirror need not have. */
async function nameIndex(directory: string): Promise<void> {
  const { stdout } = await run('python3', [
    '-c',
    'from pip._internal.models.index import PyPI; print(PyPI.simple_url)',
  ]);
  const source = `\n[[tool.poetry.source]]\nname = "index"\nurl = "${stdout.trim()}/"\npriority = "primary"\n`;
  await writeFile(path.join(directory, 'pyproject.toml'), source, { flag: 'a' });
}

/** What is installed beside pip in an environment or an interpreter, by name. */
export async function packagesOf(
  python: string,
  { uv, host }: Pick<RealProject, 'uv' | 'host'>,
): Promise<readonly string[]> {
  const { stdout } = await host.exec.ask(uv.path, ['pip', 'list', '--format', 'json', '--python', python]);
  return (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name).filter((name) => name !== 'pip');
}
