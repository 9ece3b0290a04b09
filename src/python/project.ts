import type { ReadFile } from '../project/project.ts';
import { type Candidate, type PythonTool, type Workspace, chooseTool } from './choose-tool.ts';
import { pipfileNames, setupCfg } from './older-files.ts';
import { type Pyproject, readPyproject } from './pyproject.ts';
import { type Requirements, checkCompiled, readRequirements } from './requirements.ts';
import { type Table, has, textsAt, valueAt } from './toml.ts';

export type { PythonTool, Workspace } from './choose-tool.ts';

/** A Python project, as its files tell it. */
export interface PythonProject {
  readonly tool: PythonTool;
  /** Why this tool, as a phrase for the log. */
  readonly reason: string;
  /** The file that says the exact versions, relative to the project's folder; absent where nothing pins them. */
  readonly lockfile?: string;
  readonly name?: string;
  readonly version?: string;
  /** A `package` can be built into a wheel and is installed itself; an `app` is only run from its folder. */
  readonly kind: 'package' | 'app';
  /** What builds it, by PEP 517; of a package only. */
  readonly backend?: string;
  /** Normal names (PEP 503) of the packages it needs to run; those of setup.py stay unknown. */
  readonly dependencies: readonly string[];
  /** Normal names of the packages that only development needs. */
  readonly devDependencies: readonly string[];
  /** Dependency groups and extras that checks need. */
  readonly dev: { readonly groups: readonly string[]; readonly extras: readonly string[] };
  /** Of requirements files: what to install to run it, and what on top of that for its checks. */
  readonly requirements?: { readonly run: Requirements; readonly dev?: Requirements };
  /** Of uv: the workspace that it is the root or a member of. */
  readonly workspace?: Workspace;
  /** The folder whose `.venv` the packages go to, relative to the project's folder: `.`, or the workspace's root. */
  readonly root: string;
}

/** Usual names of the requirements that run a project, and of those for its development. */
const RUN_FILES = [
  'requirements.txt',
  'requirements/base.txt',
  'requirements/requirements.txt',
  'requirements/prod.txt',
];
const DEV_FILES: readonly string[] = [
  'requirements-dev.txt',
  'requirements_dev.txt',
  'dev-requirements.txt',
  'dev_requirements.txt',
  'requirements.dev.txt',
  'requirements-test.txt',
  'requirements-tests.txt',
  'requirements_test.txt',
  'test-requirements.txt',
  'requirements-lint.txt',
  'requirements/dev.txt',
  'requirements/development.txt',
  'requirements/test.txt',
  'requirements/tests.txt',
  'requirements/testing.txt',
  'requirements/lint.txt',
];

/**
 * Finds out what a project is and what installs it: a lockfile decides before requirements.txt, which is often only an
 * export of it; pyproject.toml, setup.py and setup.cfg alone come last.
 * @param parents how many folders above the project's still belong to the repository, where a workspace's root may be
 * @throws UserError when there is no Python project, lockfiles contradict each other, the one that the tool needs is
 *   missing, or a file cannot be read
 */
export function detectProject(read: ReadFile, parents = 0): PythonProject {
  const pyproject = readPyproject(read);
  const workspace = findWorkspace(read, pyproject, parents);
  const run = RUN_FILES.filter((file) => read(file) !== undefined).slice(0, 1);
  const devFiles = DEV_FILES.filter((file) => read(file) !== undefined);
  const requirements = run.length > 0 || devFiles.length > 0 ? { run: readRequirements(run, read) } : undefined;
  const older = setupCfg(read);
  const isSetup = read('setup.py') !== undefined || older !== undefined;
  const chosen = chooseTool({ read, pyproject, workspace, requirements: requirements?.run, isSetup });
  const backend = pyproject.backend ?? (isSetup ? 'setuptools.build_meta:__legacy__' : undefined);
  const ofFiles = ['pip', 'pip-tools', 'pep517'].includes(chosen.tool);
  const dev = devFiles.length > 0 ? readRequirements(devFiles, read) : undefined;
  if (chosen.tool === 'pip-tools' && requirements) checkCompiled([requirements.run, ...(dev ? [dev] : [])], read);
  const pipfile = pipfileNames(read);
  const name = pyproject.name ?? older?.name;
  const version = pyproject.version ?? older?.version;
  const [dependencies, devDependencies] = [
    [...pyproject.dependencies, ...(older?.dependencies ?? []), ...pipfile.run, ...(requirements?.run.names ?? [])],
    [...pyproject.otherDependencies, ...(older?.otherDependencies ?? []), ...pipfile.dev, ...(dev?.names ?? [])],
  ];
  return {
    ...chosen,
    ...(name !== undefined && { name }),
    ...(version !== undefined && { version }),
    ...(isPackage(chosen, pyproject, backend) ? { kind: 'package', ...(backend && { backend }) } : { kind: 'app' }),
    dependencies: [...new Set(dependencies)],
    devDependencies: [...new Set(devDependencies)].filter((one) => !dependencies.includes(one)),
    dev: { groups: pyproject.groups, extras: [...new Set([...pyproject.extras, ...(older?.extras ?? [])])] },
    ...(ofFiles && requirements && { requirements: { ...requirements, ...(dev && { dev }) } }),
    ...(workspace !== undefined && chosen.tool === 'uv' && { workspace }),
    root: chosen.tool === 'uv' ? (workspace?.root ?? '.') : '.',
  };
}

/** Some tools are told whether there is something to build; else what names a build system is built. */
function isPackage({ tool }: Candidate, { table, name }: Pyproject, backend: string | undefined): boolean {
  const flags = { poetry: 'package-mode', pdm: 'distribution', uv: 'package' } as const;
  const told = tool in flags ? flagAt(table, tool, flags[tool as keyof typeof flags]) : undefined;
  if (told !== undefined) return told;
  // A build-system without a name is a leftover: nothing can be built of it, unless setup.py or setup.cfg says the name.
  return backend !== undefined && (name !== undefined || backend.startsWith('setuptools'));
}

function flagAt(table: Table, ...keys: readonly string[]): boolean | undefined {
  const value = valueAt(table, 'tool', ...keys);
  return typeof value === 'boolean' ? value : undefined;
}

/** The workspace that the project is the root of, or the next above it in the repository that has uv.lock. */
function findWorkspace(read: ReadFile, pyproject: Pyproject, parents: number): Workspace | undefined {
  const own = workspaceOf(pyproject, '.');
  if (own !== undefined || read('uv.lock') !== undefined) return own;
  for (let up = 1; up <= parents; up += 1) {
    const root = Array.from({ length: up }, () => '..').join('/');
    if (read(`${root}/uv.lock`) !== undefined) {
      return workspaceOf(readPyproject(read, `${root}/pyproject.toml`), root);
    }
  }
  return undefined;
}

function workspaceOf({ table }: Pyproject, root: string): Workspace | undefined {
  if (!has(table, 'tool', 'uv', 'workspace')) return undefined;
  const members = textsAt(table, 'tool', 'uv', 'workspace', 'members');
  return { root, members, exclude: textsAt(table, 'tool', 'uv', 'workspace', 'exclude') };
}
