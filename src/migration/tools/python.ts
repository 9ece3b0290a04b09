import { environmentOf } from '../address.ts';
import { type Files, nearest, within } from '../files.ts';
import type { Address, Command, Found } from '../tool.ts';

const RUN: Readonly<Record<string, readonly string[]>> = {
  'uv.lock': ['uv', 'run', '--no-sync'],
  'poetry.lock': ['poetry', 'run'],
  'pdm.lock': ['pdm', 'run'],
  'Pipfile.lock': ['pipenv', 'run'],
};
const ENVIRONMENTS = ['.venv', 'venv'];

/** How programs of a Python project are started: the manager's lockfile, or the folder of its environment. */
export function pythonRunner(files: Files, folder: string): string {
  const lock = Object.keys(RUN).find((name) => nearest(files, folder, [name]) !== undefined);
  // What an environment holds is none of the repository's files, but this one tells that it is there.
  return lock ?? ENVIRONMENTS.find((name) => files.read(within(folder, `${name}/pyvenv.cfg`)) !== undefined) ?? '';
}

/** A program of the project's own environment; where nothing manages one, that of PATH. */
export function pythonCommand(found: Found, address: Address, program: string, args: readonly string[]): Command {
  const { runner = '' } = found.settings;
  const { project: cwd } = found;
  const env = environmentOf(address, found);
  if (ENVIRONMENTS.includes(runner)) return { program: `./${runner}/bin/${program}`, args, cwd, env };
  const [manager, ...before] = RUN[runner] ?? [];
  if (manager === undefined) return { program, args, cwd, env };
  return { program: manager, args: [...before, program, ...args], cwd, env };
}
