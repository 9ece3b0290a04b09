import semver from 'semver';
import { UserError } from '../action/errors.ts';
import { type Declared, FAMILIES, type Family, type Hash, declaredManager, engineOf } from './manager-choice.ts';
import { type Fitting, fittingFor, moduleOf } from './manager-packages.ts';
import type { ReadFile } from '../project/project.ts';
import { type PackageJson, readPackageJson } from './manifest.ts';
import { both } from './range.ts';
import { fileIn, foldersUp, isMember } from './workspace-root.ts';

export { FAMILIES, type Family } from './manager-choice.ts';

/** The package managers told apart: the two Yarns differ in lockfile format and options. */
export type ManagerName = 'npm' | 'pnpm' | 'yarn-classic' | 'yarn-berry' | 'bun';

/** The package manager of a project, and what told it. */
export interface PackageManager {
  readonly name: ManagerName;
  /** The exact version out of `packageManager`, when the project pins one. */
  readonly version?: string;
  /** Versions that will do: what the project asks for, else what reads its lockfile. */
  readonly range: string;
  /** What to bring where nothing in `range` is at hand; absent where only the registry knows, and for Node's npm. */
  readonly usual?: string;
  /** What the exact version hashes to, where the project says it. */
  readonly hash?: Hash;
  /** By its path from `root`. */
  readonly lockfile: string;
  /**
   * Where the lockfile lies and the install runs, by its path from the project: `''` for the project itself, such as
   * `../..` for a package of a workspace.
   */
  readonly root: string;
  /** The project's own copy of Yarn (`yarnPath`), by its path from `root`. */
  readonly yarnPath?: string;
  /** Yarn's Plug'n'Play: there is no node_modules, and programs run by `yarn`. */
  readonly plugAndPlay: boolean;
  /** Lockfiles of other managers beside this one, which nothing reads. */
  readonly leftOver: readonly string[];
  /** Why this one, as a phrase for the log. */
  readonly reason: string;
  /** A program and its arguments that install exactly what the lockfile says, or fail. */
  readonly install: readonly [string, ...string[]];
}

interface Lockfile {
  readonly family: Family;
  readonly file: string;
}

const LOCKFILES: Readonly<Record<Family, readonly string[]>> = {
  npm: ['npm-shrinkwrap.json', 'package-lock.json'],
  pnpm: ['pnpm-lock.yaml'],
  yarn: ['yarn.lock'],
  bun: ['bun.lock', 'bun.lockb'],
};

const FROZEN: Readonly<Record<ManagerName, readonly [string, ...string[]]>> = {
  npm: ['npm', 'ci', '--no-audit', '--no-fund'],
  pnpm: ['pnpm', 'install', '--frozen-lockfile'],
  'yarn-classic': ['yarn', 'install', '--frozen-lockfile', '--non-interactive'],
  'yarn-berry': ['yarn', 'install', '--immutable'],
  bun: ['bun', 'install', '--frozen-lockfile'],
};

/**
 * What npm installs to bring a manager, such as `pnpm@10.1.0`; undefined for npm, which comes with Node. Always one
 * version, the lowest of a range that the usual one is not in, so that an image is built with the same one again.
 */
export function managerPackage(
  manager: Pick<PackageManager, 'name' | 'version'> & Partial<Pick<PackageManager, 'usual' | 'range'>>,
): string | undefined {
  if (manager.name === 'npm') return undefined;
  const lowest = manager.range === undefined ? undefined : semver.minVersion(manager.range)?.version;
  const version = manager.version ?? manager.usual ?? lowest ?? fittingFor(manager.name, '').usual;
  return `${moduleOf(manager.name)}@${version}`;
}

/**
 * Finds the package manager: the `chosen` one, else by `packageManager` or `devEngines` of package.json, else by the
 * one lockfile there is, else by the one of several lockfiles whose manager `engines` names. A package of a workspace
 * without a lockfile of its own has that of the workspace's root.
 * @param location the project's path in the repository, `''` for its root: so far up a workspace is looked for
 * @throws UserError when package.json is missing, what names a manager is not understood or contradicts the choice,
 *   no lockfile is there, or the lockfiles contradict each other or what package.json names
 */
export function detectPackageManager(read: ReadFile, chosen: Family | 'auto' = 'auto', location = ''): PackageManager {
  const project = readPackageJson(read);
  const root = lockfileFolder(read, location);
  const file = fileIn(root, 'package.json');
  const rootProject = root === '' ? project : readPackageJson(read, root);
  const declared = declaredManager(rootProject, file) ?? (root === '' ? undefined : declaredManager(project));
  if (chosen !== 'auto' && declared !== undefined && declared.family !== chosen) throw otherManager(chosen, declared);
  const lock = chooseLockfile(lockfilesIn(read, root), rootProject, chosen, declared);
  const text = read(fileIn(root, lock.file)) ?? '';
  const name = lock.family === 'yarn' ? whichYarn(declared, text) : lock.family;
  const settings = name === 'yarn-berry' ? (read(fileIn(root, '.yarnrc.yml')) ?? '') : '';
  const yarnPath = settingOf(settings, 'yarnPath');
  return {
    name,
    ...(declared?.version !== undefined && { version: declared.version }),
    ...wantedVersion(rootProject, lock.family, declared, fittingFor(name, text), file),
    ...(declared?.hash && { hash: declared.hash }),
    lockfile: lock.file,
    root,
    ...(yarnPath !== undefined && { yarnPath }),
    plugAndPlay: name === 'yarn-berry' && (settingOf(settings, 'nodeLinker') ?? 'pnp') === 'pnp',
    leftOver: lock.others,
    reason: lock.reason,
    install: FROZEN[name],
  };
}

/** The folder that an install of the project starts from: the nearest one up with a lockfile that is meant for it. */
export function lockfileFolder(read: ReadFile, location: string): string {
  const found = foldersUp(location).find(
    (folder) => lockfilesIn(read, folder).length > 0 && (folder === '' || isMember(read, folder, location)),
  );
  return found ?? '';
}

function lockfilesIn(read: ReadFile, folder: string): readonly Lockfile[] {
  return FAMILIES.flatMap((family) => {
    const file = LOCKFILES[family].find((name) => read(fileIn(folder, name)) !== undefined);
    return file === undefined ? [] : [{ family, file }];
  });
}

function chooseLockfile(
  found: readonly Lockfile[],
  project: PackageJson,
  chosen: Family | 'auto',
  declared: Declared | undefined,
): Lockfile & { readonly others: readonly string[]; readonly reason: string } {
  const input = chosen === 'auto' ? undefined : chosen;
  const named = declared?.family ?? input;
  const [first, ...others] = found;
  if (first === undefined) throw missingLockfile(named ?? 'npm');
  const engines = found.filter(({ family }) => engineOf(project, family) !== undefined);
  const byEngines = others.length > 0 && engines.length === 1 ? engines[0]?.family : undefined;
  const family = named ?? (others.length === 0 ? first.family : byEngines);
  if (family === undefined) throw severalLockfiles(found.map(({ file }) => file));
  const own = found.find((lock) => lock.family === family);
  if (own === undefined) throw otherLockfile(family, first.file, declared);
  const byInput = input === undefined ? `the lockfile ${own.file}` : 'the input `package-manager`';
  const reason = declared?.where ?? (named === undefined && byEngines ? `\`engines.${family}\`` : byInput);
  return { ...own, reason, others: found.filter((lock) => lock !== own).map(({ file }) => file) };
}

function wantedVersion(
  project: PackageJson,
  family: Family,
  declared: Declared | undefined,
  fitting: Fitting,
  file: string,
): { readonly range: string; readonly usual?: string } {
  const engine = engineOf(project, family);
  if (declared?.version !== undefined) {
    if (engine === undefined || semver.satisfies(declared.version, engine)) return { range: declared.version };
    throw new UserError(
      `${declared.where} names ${family} ${declared.version}, which \`engines.${family}\` (${engine}) excludes.`,
      { remedy: 'Change one of them so that they agree.', place: { file } },
    );
  }
  // npm only warns where `engines` asks for another npm than Node's, and installs nonetheless.
  const wanted = declared?.range ?? (family === 'npm' ? undefined : engine) ?? fitting.range;
  // A wish such as `>=4` leaves open what the lockfile's format does not.
  const range = both(wanted, fitting.range) ?? wanted;
  return { range, ...(semver.satisfies(fitting.usual, range) && { usual: fitting.usual }) };
}

/** Lockfiles of Yarn 2 and later begin with a `__metadata` entry; those of Yarn 1 have none. */
function whichYarn(declared: Declared | undefined, lockfile: string): 'yarn-classic' | 'yarn-berry' {
  const exact = declared?.version;
  const berry = exact === undefined ? /^__metadata:/m.test(lockfile) : semver.major(exact) >= 2;
  return berry ? 'yarn-berry' : 'yarn-classic';
}

/** A setting of .yarnrc.yml that is one word at the top. */
function settingOf(yaml: string, name: string): string | undefined {
  return new RegExp(`^${name}:[ \\t]*(["']?)([^"'\\s#]+)\\1`, 'm').exec(yaml)?.[2];
}

function missingLockfile(family: Family): UserError {
  return new UserError(`There is no lockfile (${LOCKFILES[family].at(-1)}).`, {
    remedy: `Run \`${family} install\` and commit the lockfile that it writes.`,
    place: { file: 'package.json' },
  });
}

function severalLockfiles(files: readonly string[]): UserError {
  return new UserError(`There are lockfiles of several package managers: ${files.join(', ')}.`, {
    remedy: `Keep the one that the team uses and remove the others with \`git rm\`, or pin \`packageManager\` in package.json.`,
    place: { file: 'package.json' },
  });
}

function otherManager(chosen: Family, { family, where }: Declared): UserError {
  return new UserError(`The input package-manager is ${chosen}, but ${where} names ${family}.`, {
    remedy: 'Leave the input out, or change package.json.',
    place: { file: 'package.json' },
  });
}

function otherLockfile(family: Family, file: string, declared: Declared | undefined): UserError {
  const namer = declared === undefined ? 'The input package-manager' : declared.where;
  return new UserError(`${namer} names ${family}, but the lockfile is ${file}.`, {
    remedy: `Run \`${family} install\`, commit the lockfile that it writes and \`git rm ${file}\`.`,
    place: { file: 'package.json' },
  });
}
