import path from 'node:path';
import type { ToolName } from './pins.ts';
import type { PythonProject } from './project.ts';
import type { Requirements } from './requirements.ts';

/** One program of an installation. */
export interface Step {
  /** uv, or a tool that uv brings. */
  readonly program: 'uv' | ToolName;
  readonly args: readonly string[];
}

/** How a project's packages come into its `.venv`. */
export interface InstallPlan {
  readonly steps: readonly Step[];
  /** Added to the environment of each step. */
  readonly env: Readonly<Record<string, string>>;
  /** How strictly versions are held, as a phrase for the log. */
  readonly pinned: string;
}

/** Where a project's virtual environment is, absolute. */
export function venvOf(project: Pick<PythonProject, 'root'>, directory: string): string {
  return path.resolve(directory, project.root, '.venv');
}

/**
 * The programs that install exactly what the lockfile says, what checks need included. uv does it where it understands
 * the lockfile; the others are their own tools' and install into the same `.venv`.
 * @param directory folder of the project, absolute
 * @param python path of the interpreter
 */
export function planInstall(project: PythonProject, directory: string, python: string): InstallPlan {
  const venv = venvOf(project, directory);
  // `uv pip` installs into the Python of UV_PYTHON, whatever VIRTUAL_ENV says: never into the interpreter itself.
  const env = { VIRTUAL_ENV: venv, UV_PYTHON: venv, UV_PYTHON_DOWNLOADS: 'never' };
  // Made by uv for every tool, so that none chooses another interpreter or another place.
  const create: Step = { program: 'uv', args: ['venv', '--clear', '--quiet', '--python', python, venv] };
  switch (project.tool) {
    case 'uv':
      return {
        steps: [uvSync(project)],
        env: { ...env, UV_PYTHON: python, UV_PROJECT_ENVIRONMENT: venv },
        pinned: 'exactly the versions and hashes of uv.lock',
      };
    case 'poetry':
      return {
        steps: [create, { program: 'poetry', args: ['check', '--lock'] }, poetrySync(project)],
        env: {
          ...env,
          POETRY_VIRTUALENVS_IN_PROJECT: 'true',
          POETRY_NO_INTERACTION: '1',
          POETRY_REQUESTS_MAX_RETRIES: '3',
        },
        pinned: 'exactly the versions and hashes of poetry.lock',
      };
    case 'pdm':
      return {
        steps: [
          create,
          { program: 'pdm', args: ['lock', '--check'] },
          {
            program: 'pdm',
            args: ['sync', '--clean', '--dev', ...project.dev.extras.flatMap((one) => ['--group', one])],
          },
        ],
        env: { ...env, PDM_IGNORE_SAVED_PYTHON: '1', PDM_CHECK_UPDATE: '0', PDM_NON_INTERACTIVE: '1' },
        pinned: 'exactly the versions and hashes of pdm.lock',
      };
    case 'pipenv':
      return {
        steps: [create, { program: 'pipenv', args: ['verify'] }, { program: 'pipenv', args: ['sync', '--dev'] }],
        env: {
          ...env,
          PIPENV_IGNORE_VIRTUALENVS: '1',
          PIPENV_VENV_IN_PROJECT: '1',
          PIPENV_NOSPIN: '1',
          PIPENV_YES: '1',
        },
        pinned: 'exactly the versions and hashes of Pipfile.lock',
      };
    case 'hatch':
      return {
        steps: [{ program: 'hatch', args: ['env', 'create'] }],
        env: { UV_PYTHON_DOWNLOADS: 'never', HATCH_ENV_TYPE_VIRTUAL_PATH: venv, HATCH_PYTHON: python },
        pinned: 'the newest versions that its environments allow, as hatch has no lockfile',
      };
    case 'pylock':
      return {
        steps: [create, uvPip('sync', ['pylock.toml']), ...ownPackage(project, [])],
        env,
        pinned: 'exactly the versions and hashes of pylock.toml',
      };
    case 'pip':
    case 'pip-tools':
    case 'pep517':
      return { ...byRequirements(project, create), env };
  }
}

function uvSync({ workspace, dev }: PythonProject): Step {
  const groups = [
    ...dev.groups.flatMap((group) => ['--group', group]),
    ...dev.extras.flatMap((extra) => ['--extra', extra]),
  ];
  return {
    program: 'uv',
    args: ['sync', '--locked', ...(workspace?.root === '.' ? ['--all-packages'] : []), ...groups],
  };
}

function poetrySync({ dev }: PythonProject): Step {
  const groups = dev.groups.length > 0 ? ['--with', dev.groups.join(',')] : [];
  return {
    program: 'poetry',
    args: ['sync', '--no-ansi', ...groups, ...dev.extras.flatMap((extra) => ['--extras', extra])],
  };
}

function uvPip(command: 'install' | 'sync', args: readonly string[]): Step {
  return { program: 'uv', args: ['pip', command, ...args] };
}

/**
 * Files that are compiled or hashed are the whole list, so the environment is made to hold nothing else; what is not compiled is resolved
 * anew within it.
 */
function byRequirements(project: PythonProject, create: Step): Omit<InstallPlan, 'env'> {
  const { run, dev } = project.requirements ?? {};
  const files = [run, dev].filter((one): one is Requirements => one !== undefined && one.files.length > 0);
  const isWhole = ({ compiled, hashed }: Requirements): boolean => compiled !== undefined || hashed;
  if (!files.some(isWhole)) {
    const all = files.flatMap((one) => one.files).flatMap((file) => ['--requirement', file]);
    const needs = wanted(project);
    return {
      steps: [create, ...(all.length + needs.length > 0 ? [uvPip('install', [...all, ...needs])] : [])],
      pinned: 'the newest versions that its requirements allow, as there is no lockfile',
    };
  }
  const whole = files.filter(isWhole);
  const hashed = whole.every((one) => one.hashed);
  const compiled = whole.flatMap((one) => one.files);
  const resolved = files.filter((one) => !whole.includes(one)).flatMap((one) => one.files);
  const within = compiled.flatMap((file) => ['--constraint', file]);
  return {
    steps: [
      create,
      uvPip('sync', [...(hashed ? ['--require-hashes'] : []), ...compiled]),
      ...(resolved.length > 0
        ? [uvPip('install', [...within, ...resolved.flatMap((file) => ['--requirement', file])])]
        : []),
      ...ownPackage(project, within),
    ],
    pinned: `exactly the versions ${hashed ? 'and hashes ' : ''}of ${compiled.join(' and ')}`,
  };
}

/** The project itself on top of what a lockfile brought; its extras and groups where checks need them. */
function ownPackage(project: PythonProject, within: readonly string[]): readonly Step[] {
  const { kind, dev, requirements } = project;
  if (dev.groups.length + dev.extras.length > 0) return [uvPip('install', [...within, ...wanted(project)])];
  const own = requirements?.run.ownFolder === true || requirements?.dev?.ownFolder === true;
  return kind === 'package' && !own ? [uvPip('install', ['--no-deps', '--editable', '.'])] : [];
}

/** What the project says that it needs: installed itself as a package, else only read. */
function wanted({ kind, dev, name, requirements }: PythonProject): readonly string[] {
  const groups = dev.groups.flatMap((group) => ['--group', group]);
  if (kind === 'package') {
    const extras = dev.extras.length > 0 ? `[${dev.extras.join(',')}]` : '';
    return ['--editable', `.${extras}`, ...groups];
  }
  if (name === undefined || requirements !== undefined) return groups;
  return ['--requirement', 'pyproject.toml', ...dev.extras.flatMap((extra) => ['--extra', extra]), ...groups];
}
