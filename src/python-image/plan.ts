import { type ProductionPackage, apartFrom, productionPackages, workspaceClosure } from './locked.ts';
import { type NativeNeeds, nativeNeeds } from './native.ts';
import { type Table, has, textAt, textsAt, valueAt } from '../python/toml.ts';
import { type SourceTree, readToml, tablesIn } from './project.ts';
import { type PythonStart, startCommand } from './start.ts';
import { type Installer, byMetadata, byRequirements } from './tool.ts';

/** Settings of private indexes that the build gets as secrets. */
export interface IndexSecrets {
  /** Addresses and credentials, as variables of a shell. */
  readonly index: boolean;
  readonly netrc: boolean;
}

/** What the Dockerfile of a Python project has to do. */
export interface PythonImagePlan {
  /** Such as `python:3.13-slim@sha256:…`. */
  readonly base: string;
  readonly installer: Installer;
  /** Whether any package is to be installed. */
  readonly packages: boolean;
  /** Those that are known. */
  readonly locked: readonly ProductionPackage[];
  /** Files that the install of the packages reads. */
  readonly inputs: readonly string[];
  /** Why that needs all sources; without it they follow later, so that the packages stay cached. */
  readonly sourcesFirst?: string;
  /** The requirements state hashes, so every package has to have one. */
  readonly hashed: boolean;
  /** Folders of the project's own packages, which are built and installed; `.` is the project itself. */
  readonly own: readonly string[];
  /** Variables that tell a build of the project its version where it would ask git, which an image's context lacks. */
  readonly version: Readonly<Record<string, string>>;
  readonly workspace?: Workspace;
  readonly native: NativeNeeds;
  readonly secrets: IndexSecrets;
  readonly start: PythonStart;
}

/** A service of a uv workspace. */
export interface Workspace {
  /** Its name in the workspace. */
  readonly member: string;
  readonly folder: string;
  /** It and all members that it needs. */
  readonly closure: readonly string[];
  /** The other members, which stay out of the image's content. */
  readonly others: readonly string[];
}

/** What is decided before an image is planned. */
export interface PythonImageGiven {
  readonly base: string;
  /** Such as `3.13`: the Python of the base. */
  readonly python: string;
  readonly installer: Installer;
  /** Name of the service where the project is a uv workspace. */
  readonly member?: string;
  readonly secrets?: IndexSecrets;
}

const NO_SECRETS: IndexSecrets = { index: false, netrc: false };
const TYPICAL_INPUTS: Readonly<Partial<Record<Installer['name'], readonly string[]>>> = {
  uv: ['pyproject.toml', 'uv.toml'],
  poetry: ['pyproject.toml', 'poetry.toml'],
  pdm: ['pyproject.toml', 'pdm.toml'],
  pipenv: ['Pipfile'],
};

/** How the makers of versions out of git's history are told one. */
const SCM: readonly (readonly [RegExp, string])[] = [
  [/^(?:setuptools[-_]scm|hatch-vcs|versioningit)/i, 'SETUPTOOLS_SCM_PRETEND_VERSION'],
  [/^pdm-backend/i, 'PDM_BUILD_SCM_VERSION'],
  [/^poetry-dynamic-versioning/i, 'POETRY_DYNAMIC_VERSIONING_BYPASS'],
];

/**
 * Plans the image of a Python project.
 * @throws UserError when a file cannot be read, or the project shows nothing to start
 */
export function planPythonImage(tree: SourceTree, given: PythonImageGiven): PythonImagePlan {
  const { base, installer, member } = given;
  const workspace = member === undefined ? undefined : planWorkspace(tree, installer.lockfile, member);
  const packages = productionPackages(tree, installer, member);
  const service = workspace === undefined ? tree : below(tree, workspace.folder);
  const folders = workspace?.closure ?? ['.', ...localPackages(tree, installer)];
  const own = folders.filter((folder) => isPackage(tree, folder));
  const sourcesFirst = needsSources(tree, installer);
  return {
    base,
    installer,
    packages: packages.length > 0,
    locked: packages,
    inputs: inputsOf(tree, installer, workspace),
    ...(sourcesFirst !== undefined && { sourcesFirst }),
    hashed: byRequirements(installer) && /\s--hash[=\s]/.test(tree.read(installer.lockfile) ?? ''),
    own,
    version: versionFor(own.map((folder) => readToml(tree, fileIn(folder, 'pyproject.toml')))),
    ...(workspace && { workspace }),
    native: nativeNeeds(packages, given.python),
    secrets: given.secrets ?? NO_SECRETS,
    start: startCommand({ ...service, packages: new Set(packages.map(({ name }) => name)) }),
  };
}

function planWorkspace(tree: SourceTree, lockfile: string, member: string): Workspace {
  const { closure, folder } = workspaceClosure(tree, lockfile, member);
  return { member, folder, closure, others: apartFrom(tree, lockfile, closure) };
}

/** Packages that uv.lock takes from folders of the project, besides it. */
function localPackages(tree: SourceTree, { name: tool, lockfile }: Installer): readonly string[] {
  if (tool !== 'uv') return [];
  const name = textAt(readToml(tree, 'pyproject.toml'), 'project', 'name');
  return name === undefined ? [] : workspaceClosure(tree, lockfile, name).closure.filter((one) => one !== '.');
}

/** Whether a folder holds something that can be built and installed, by the marks of each tool. */
function isPackage(tree: SourceTree, folder: string): boolean {
  const toml = readToml(tree, fileIn(folder, 'pyproject.toml'));
  const flags = [
    ['uv', 'package'],
    ['pdm', 'distribution'],
    ['poetry', 'package-mode'],
  ] as const;
  if (flags.some((keys) => valueAt(toml, 'tool', ...keys) === false)) return false;
  const setup = ['setup.py', 'setup.cfg'].some((file) => tree.read(fileIn(folder, file)) !== undefined);
  if (!has(toml, 'build-system')) return setup && !has(toml, 'project');
  return setup || has(toml, 'project', 'name') || has(toml, 'tool', 'poetry', 'name');
}

function needsSources(tree: SourceTree, installer: Installer): string | undefined {
  const { name, lockfile } = installer;
  const toml = readToml(tree, 'pyproject.toml');
  if (byMetadata(installer)) {
    if (toml['project'] === undefined) return 'the project says in setup.py what it needs';
    if (textsAt(toml, 'project', 'dynamic').includes('dependencies')) return 'the build says what it needs';
  }
  const text = tree.read(lockfile) ?? '';
  if (byRequirements(installer)) {
    if (/^\s*(?:-e\s|--editable|\.{1,2}\/|\.$|file:|[\w.-]+\s*@\s*file:)/m.test(text))
      return 'a package lies among them';
    if (/^\s*(?:-c|--constraint)/m.test(text)) return 'a file of constraints lies among them';
  }
  const local = tablesIn(readTomlIf(tree, name, lockfile)['package']).some(
    (one) => textAt(one, 'source', 'type') === 'directory' || has(one, 'path'),
  );
  return local ? 'a package lies among them' : undefined;
}

function readTomlIf(tree: SourceTree, name: Installer['name'], file: string): Table {
  return name === 'poetry' || name === 'pdm' ? readToml(tree, file) : {};
}

function inputsOf(tree: SourceTree, installer: Installer, workspace?: Workspace): readonly string[] {
  const { name, lockfile } = installer;
  const beside = (TYPICAL_INPUTS[name] ?? []).filter((file) => tree.read(file) !== undefined);
  const included = byRequirements(installer) ? includedBy(tree, lockfile) : [];
  const members = workspace?.closure.map((folder) => fileIn(folder, 'pyproject.toml')) ?? [];
  return [...new Set([...beside, lockfile, ...included, ...members])];
}

/** Requirements files that one names by `-r`, each once. */
function includedBy(tree: SourceTree, file: string, seen: ReadonlySet<string> = new Set()): readonly string[] {
  const folder = file.replace(/[^/]*$/, '');
  const found = [...(tree.read(file) ?? '').matchAll(/^\s*(?:-r|--requirement)[\s=]+(\S+)/gm)];
  const names = found.map(([, name = '']) => `${folder}${name}`.replace(/^\.\//, '')).filter((name) => !seen.has(name));
  return names.flatMap((name) => [name, ...includedBy(tree, name, new Set([...seen, file, name]))]);
}

function versionFor(projects: readonly Table[]): Readonly<Record<string, string>> {
  const dynamic = projects.filter(
    (toml) => toml['project'] === undefined || textsAt(toml, 'project', 'dynamic').includes('version'),
  );
  const requires = dynamic.flatMap((toml) => textsAt(toml, 'build-system', 'requires'));
  const names = SCM.filter(([pattern]) => requires.some((one) => pattern.test(one))).map(([, variable]) => variable);
  return Object.fromEntries(names.map((variable) => [variable, '0.0.0']));
}

/** A folder of the tree as a tree of its own. */
function below({ files, read }: SourceTree, folder: string): SourceTree {
  const prefix = folder === '.' ? '' : `${folder}/`;
  return {
    files: files.filter((file) => file.startsWith(prefix)).map((file) => file.slice(prefix.length)),
    read: (file) => read(`${prefix}${file}`),
  };
}

function fileIn(folder: string, file: string): string {
  return folder === '.' ? file : `${folder}/${file}`;
}
