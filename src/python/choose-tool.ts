import { UserError } from '../action/errors.ts';
import type { ReadFile } from '../project/project.ts';
import type { Pyproject } from './pyproject.ts';
import type { Requirements } from './requirements.ts';
import { has } from './toml.ts';

/**
 * What installs a project: its package manager, `pip` and `pip-tools` for requirements files (the latter's are
 * compiled), `pylock` for the lockfile of PEP 751, `pep517` for a project without a lockfile that any builder builds.
 */
export type PythonTool = 'uv' | 'poetry' | 'pdm' | 'pipenv' | 'hatch' | 'pip-tools' | 'pip' | 'pylock' | 'pep517';

/** A workspace of uv. */
export interface Workspace {
  /** Relative to the project's folder, such as `.` or `../..`. */
  readonly root: string;
  /** Globs of the members' folders, relative to the root. */
  readonly members: readonly string[];
  readonly exclude: readonly string[];
}

/** A tool, what pins its versions, and why it is the one. */
export interface Candidate {
  readonly tool: PythonTool;
  readonly lockfile?: string;
  readonly reason: string;
}

/** What the choice stands on. */
export interface Evidence {
  readonly read: ReadFile;
  readonly pyproject: Pyproject;
  readonly workspace: Workspace | undefined;
  readonly requirements: Requirements | undefined;
  /** Whether setup.py is there, or setup.cfg with metadata. */
  readonly isSetup: boolean;
}

type Locking = 'uv' | 'poetry' | 'pdm' | 'pipenv';

const LOCKFILES: Readonly<Record<Locking, string>> = {
  uv: 'uv.lock',
  poetry: 'poetry.lock',
  pdm: 'pdm.lock',
  pipenv: 'Pipfile.lock',
};
const LOCK_COMMANDS: Readonly<Record<Locking, string>> = {
  uv: 'uv lock',
  poetry: 'poetry lock',
  pdm: 'pdm lock',
  pipenv: 'pipenv lock',
};
const LOCKING = Object.keys(LOCKFILES) as Locking[];

/**
 * The tool that installs a project. A lockfile decides; of several, the one whose tool the project names.
 * @throws UserError when several lockfiles are left, a tool's lockfile is missing, or nothing is there to install
 */
export function chooseTool(evidence: Evidence): Candidate {
  return byLockfile(evidence) ?? byRequirements(evidence) ?? withoutLockfile(evidence);
}

function byLockfile({ read, pyproject, workspace }: Evidence): Candidate | undefined {
  const found = LOCKING.filter((tool) => read(LOCKFILES[tool]) !== undefined);
  const [first, ...others] = found;
  const files = found.map((tool) => LOCKFILES[tool]);
  const named = LOCKING.flatMap((tool) => {
    const by = namedBy(tool, read, pyproject);
    return by === undefined || !found.includes(tool) ? [] : [{ tool, by }];
  });
  if (first === undefined) {
    if (workspace !== undefined && workspace.root !== '.') {
      const lockfile = `${workspace.root}/uv.lock`;
      return { tool: 'uv', lockfile, reason: `the lockfile ${lockfile} of the workspace` };
    }
    // An export for other tools: whoever has a lockfile of its own beside it installs by that.
    if (read('pylock.toml') === undefined) return undefined;
    return { tool: 'pylock', lockfile: 'pylock.toml', reason: 'the lockfile pylock.toml' };
  }
  if (others.length === 0) return { tool: first, lockfile: LOCKFILES[first], reason: `the lockfile ${files[0]}` };
  const [only, ...more] = named;
  if (only === undefined || more.length > 0) throw severalLockfiles(files, named);
  const rest = files.filter((file) => file !== LOCKFILES[only.tool]).join(' and ');
  const reason = `${only.by}, so that ${LOCKFILES[only.tool]} counts and ${rest} does not`;
  return { tool: only.tool, lockfile: LOCKFILES[only.tool], reason };
}

/** Where the project says itself that it is of a tool. */
function namedBy(tool: Locking, read: ReadFile, { table, backend = '' }: Pyproject): string | undefined {
  if (tool === 'pipenv') return read('Pipfile') === undefined ? undefined : 'the Pipfile';
  if (has(table, 'tool', tool)) return `[tool.${tool}] in pyproject.toml`;
  const backends = { uv: 'uv_build', poetry: 'poetry.core', pdm: 'pdm.backend' };
  return backend.startsWith(backends[tool]) ? `the build backend ${backend} in pyproject.toml` : undefined;
}

function byRequirements({ read, pyproject, requirements }: Evidence): Candidate | undefined {
  if (requirements === undefined || requirements.files.length === 0) {
    const source = ['requirements.in', 'requirements/base.in'].find((file) => read(file) !== undefined);
    if (source !== undefined && !isBuilt(pyproject)) throw notCompiled(source);
    return undefined;
  }
  const [file = ''] = requirements.files;
  const { compiled } = requirements;
  if (compiled === undefined) return { tool: 'pip', lockfile: file, reason: `${file}, as there is no lockfile` };
  return { tool: 'pip-tools', lockfile: compiled, reason: `${compiled}, which is compiled` };
}

function withoutLockfile({ read, pyproject, isSetup, workspace }: Evidence): Candidate {
  const { table, backend, name } = pyproject;
  if (has(table, 'tool', 'hatch', 'envs') || read('hatch.toml') !== undefined) {
    const file = has(table, 'tool', 'hatch', 'envs') ? '[tool.hatch.envs] in pyproject.toml' : 'hatch.toml';
    return { tool: 'hatch', reason: `the environments of ${file}` };
  }
  // What these say in tables of their own, no other tool can install.
  const own: readonly (readonly [Locking, boolean, string])[] = [
    ['pipenv', read('Pipfile') !== undefined, 'Pipfile'],
    ['poetry', has(table, 'tool', 'poetry', 'dependencies') || has(table, 'tool', 'poetry', 'group'), 'pyproject.toml'],
    ['pdm', has(table, 'tool', 'pdm', 'dev-dependencies'), 'pyproject.toml'],
    ['uv', workspace !== undefined, 'pyproject.toml'],
  ];
  for (const [tool, needed, file] of own) if (needed) throw missingLockfile(tool, file);
  if (isBuilt(pyproject)) {
    const by = backend === undefined ? '' : `, built by ${backend}`;
    return { tool: 'pep517', reason: `pyproject.toml without a lockfile${by}` };
  }
  if (isSetup) return { tool: 'pep517', reason: `${read('setup.py') === undefined ? 'setup.cfg' : 'setup.py'} alone` };
  throw new UserError(
    name === undefined ? 'There is no Python project in the directory.' : 'pyproject.toml names no dependencies.',
    {
      remedy:
        'Set the input `directory` to the folder that has pyproject.toml with [project], requirements.txt, Pipfile, setup.py or setup.cfg.',
    },
  );
}

/** Whether pyproject.toml describes a project; many only configure tools. */
function isBuilt({ table, backend }: Pyproject): boolean {
  return has(table, 'project') || backend !== undefined;
}

function severalLockfiles(
  files: readonly string[],
  named: readonly { readonly tool: Locking; readonly by: string }[],
): UserError {
  const why =
    named.length === 0
      ? 'and nothing names one of their tools'
      : `and several are named: ${named.map(({ by }) => by).join(', ')}`;
  return new UserError(`There are lockfiles of several tools: ${files.join(', ')}, ${why}.`, {
    remedy: 'Keep the one that the team uses and remove the others with `git rm`.',
    place: { file: files[0] ?? '' },
  });
}

function missingLockfile(tool: Locking, file: string): UserError {
  return new UserError(`The project is of ${tool} (by ${file}), but there is no ${LOCKFILES[tool]}.`, {
    remedy: `Run \`${LOCK_COMMANDS[tool]}\` and commit the ${LOCKFILES[tool]} that it writes.`,
    place: { file },
  });
}

function notCompiled(source: string): UserError {
  const target = source.replace(/\.in$/, '.txt');
  return new UserError(`${source} is not compiled: there is no ${target}.`, {
    remedy: `Run \`pip-compile --generate-hashes ${source}\` and commit the ${target} that it writes.`,
    place: { file: source },
  });
}
