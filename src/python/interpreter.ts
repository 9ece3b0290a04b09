import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../action/errors.ts';
import { isObject } from '../project/json.ts';
import { type Program, type PythonHost, UV_ENV, toolFolder } from './uv.ts';
import { type PythonRange, inRange, newestIn } from './version.ts';

/** A Python that the project can run with. */
export type Interpreter = Program;

/** What a Python says of itself: its version, its path outside any virtual environment, and which Python it is. */
const SELF =
  'import sys; print(sys.version.split()[0], sys.implementation.name, getattr(sys, "_base_executable", sys.executable))';

/**
 * Finds a Python in the range: the one that a step with actions/setup-python chose, else the newest of PATH and the
 * runner's tool cache, else the newest that uv has or can download.
 * @throws UserError when there is none, with what is there
 */
export async function providePython(range: PythonRange, uv: Program, host: PythonHost): Promise<Interpreter> {
  const onPath = await pathInterpreters(host);
  const chosen = host.env['pythonLocation'] === undefined ? undefined : onPath[0];
  if (chosen !== undefined && inRange(chosen.version, range)) return { ...chosen, from: 'actions/setup-python' };
  const present = [...onPath, ...(await cachedInterpreters(host))];
  return (
    newestOf(present, range) ?? newestOf(await managed(uv, host), range) ?? (await download(range, uv, host, present))
  );
}

function newestOf(interpreters: readonly Interpreter[], range: PythonRange): Interpreter | undefined {
  const newest = newestIn(
    interpreters.map(({ version }) => version),
    range,
  );
  return interpreters.find(({ version }) => version === newest);
}

async function pathInterpreters({ exec }: PythonHost): Promise<readonly Interpreter[]> {
  const answers = await Promise.all(
    ['python3', 'python'].map(async (name) => exec.ask(name, ['-c', SELF]).catch(() => ({ exitCode: 1, stdout: '' }))),
  );
  return answers.flatMap(({ exitCode, stdout }) => {
    const [, version, kind, file] = /^(\S+) (\S+) (.+)$/m.exec(stdout) ?? [];
    if (exitCode !== 0 || version === undefined || kind !== 'cpython' || file === undefined) return [];
    return [{ path: file, version, from: 'PATH' }];
  });
}

/** The tool cache keeps `Python/<version>/<architecture>`, complete where a file `<architecture>.complete` is beside it. */
async function cachedInterpreters(host: PythonHost): Promise<readonly Interpreter[]> {
  const folder = path.join(toolFolder(host), 'Python');
  const versions = await readdir(folder).catch(() => []);
  const found = await Promise.all(
    versions.map(async (version) => {
      const home = path.join(folder, version, process.arch);
      const file = path.join(home, 'bin', 'python3');
      return (await isFile(`${home}.complete`)) && (await isFile(file))
        ? [{ path: file, version, from: "the runner's tool cache" }]
        : [];
    }),
  );
  return found.flat();
}

async function isFile(file: string): Promise<boolean> {
  return stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function managed(uv: Program, host: PythonHost): Promise<readonly Interpreter[]> {
  const listed = await listPythons(uv, ['--only-installed'], host);
  return listed.flatMap(({ version, path: file }) => (file === undefined ? [] : [{ version, path: file, from: 'uv' }]));
}

async function download(
  range: PythonRange,
  uv: Program,
  host: PythonHost,
  present: readonly Interpreter[],
): Promise<Interpreter> {
  const known = (await listPythons(uv, ['--only-downloads', '--all-versions'], host)).map(({ version }) => version);
  const version = newestIn(known, range);
  const there = [...new Set(present.map((one) => one.version))].join(', ') || 'none';
  if (version === undefined) {
    throw new UserError(`There is no Python for ${range.reason}; on the runner there is: ${there}.`, {
      remedy: 'Name a version that exists, or use a runner image that has this one.',
    });
  }
  const { exitCode, stderr } = await host.log.group(`bringing Python ${version}`, async () =>
    host.exec.run(uv.path, ['python', 'install', '--no-bin', version], {
      env: UV_ENV,
      timeout: 10 * 60_000,
      onLine: (line) => host.log.info(line),
    }),
  );
  const brought = exitCode === 0 ? newestOf(await managed(uv, host), range) : undefined;
  if (brought !== undefined) return { ...brought, from: 'uv, downloaded' };
  const said = stderr.trim().split('\n').slice(-4).join('\n');
  throw new UserError(
    `Python ${version}, the newest for ${range.reason}, cannot be downloaded; on the runner there is: ${there}.\n${said}`,
    {
      remedy:
        'Use a runner image that has this Python, add a step with actions/setup-python before this one, or name a mirror in UV_PYTHON_INSTALL_MIRROR.',
    },
  );
}

interface Listed {
  readonly version: string;
  readonly path?: string;
}

/** What `uv python list` gives: only CPython with the lock on its interpreter, as packages are built for that. */
async function listPythons(uv: Program, options: readonly string[], host: PythonHost): Promise<readonly Listed[]> {
  const { stdout } = await host.exec.ask(uv.path, ['python', 'list', ...options, '--output-format', 'json']);
  let list: unknown;
  try {
    list = JSON.parse(stdout);
  } catch {
    return [];
  }
  if (!Array.isArray(list)) return [];
  return list.filter(isObject).flatMap((one) => {
    const { version, path: file, implementation, variant } = one;
    if (typeof version !== 'string' || implementation !== 'cpython' || (variant ?? 'default') !== 'default') return [];
    return [{ version, ...(typeof file === 'string' && { path: file }) }];
  });
}
