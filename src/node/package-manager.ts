import semver from 'semver';
import { UserError } from '../action/errors.ts';
import type { ReadFile } from '../project/project.ts';
import { readPackageJson } from './manifest.ts';

/** The package managers told apart: the two Yarns differ in lockfile format and options. */
export type ManagerName = 'npm' | 'pnpm' | 'yarn-classic' | 'yarn-berry' | 'bun';

/** The package manager of a project, and what told it. */
export interface PackageManager {
  readonly name: ManagerName;
  /** The exact version out of `packageManager`, when the project pins one. */
  readonly version?: string;
  readonly lockfile: string;
  /** Why this one, as a phrase for the log. */
  readonly reason: string;
  /** A program and its arguments that install exactly what the lockfile says, or fail. */
  readonly install: readonly [string, ...string[]];
}

/** What users call them. */
export type Family = 'npm' | 'pnpm' | 'yarn' | 'bun';

const LOCKFILES: Readonly<Record<Family, readonly string[]>> = {
  npm: ['npm-shrinkwrap.json', 'package-lock.json'],
  pnpm: ['pnpm-lock.yaml'],
  yarn: ['yarn.lock'],
  bun: ['bun.lock', 'bun.lockb'],
};
/** All package managers by the name a user gives. */
export const FAMILIES: readonly Family[] = ['npm', 'pnpm', 'yarn', 'bun'];

const FROZEN: Readonly<Record<ManagerName, readonly [string, ...string[]]>> = {
  npm: ['npm', 'ci', '--no-audit', '--no-fund'],
  pnpm: ['pnpm', 'install', '--frozen-lockfile'],
  'yarn-classic': ['yarn', 'install', '--frozen-lockfile', '--non-interactive'],
  'yarn-berry': ['yarn', 'install', '--immutable'],
  bun: ['bun', 'install', '--frozen-lockfile'],
};

/** The npm package of each manager, with the major version where the project pins none; npm comes with Node. */
const PACKAGES: Readonly<Record<ManagerName, readonly [string, string] | undefined>> = {
  npm: undefined,
  pnpm: ['pnpm', '10'],
  'yarn-classic': ['yarn', '1'],
  'yarn-berry': ['@yarnpkg/cli-dist', '4'],
  bun: ['bun', '1'],
};

/** What npm installs to bring a manager, such as `pnpm@10.1.0`; undefined for npm itself. */
export function managerPackage({ name, version }: Pick<PackageManager, 'name' | 'version'>): string | undefined {
  const [module, major] = PACKAGES[name] ?? [];
  return module === undefined ? undefined : `${module}@${version ?? major}`;
}

/**
 * Finds the package manager: the `chosen` one, else by `packageManager` of package.json, else by the one lockfile
 * there is.
 * @throws UserError when package.json is missing, `packageManager` is not `name@version` or contradicts the choice,
 *   no lockfile is there, or the lockfiles contradict each other or `packageManager`
 */
export function detectPackageManager(read: ReadFile, chosen: Family | 'auto' = 'auto'): PackageManager {
  const pinned = pinnedManager(readPackageJson(read).packageManager);
  if (chosen !== 'auto' && pinned !== undefined && pinned.family !== chosen) throw otherManager(chosen, pinned.family);
  const found = FAMILIES.flatMap((family) => {
    const file = LOCKFILES[family].find((name) => read(name) !== undefined);
    return file === undefined ? [] : [{ family, file }];
  });
  const [first, ...others] = found;
  const named = pinned?.family ?? (chosen === 'auto' ? undefined : chosen);
  const family = named ?? first?.family ?? 'npm';
  if (first === undefined) throw missingLockfile(family);
  if (named === undefined && others.length > 0) throw severalLockfiles(found.map(({ file }) => file));
  const own = found.find((lock) => lock.family === family);
  if (own === undefined) throw otherLockfile(family, first.file, pinned === undefined);
  const name = family === 'yarn' ? whichYarn(pinned?.version, read(own.file) ?? '') : family;
  return {
    name,
    ...(pinned && { version: pinned.version }),
    lockfile: own.file,
    reason: reasonFor(pinned !== undefined, named !== undefined, own.file),
    install: FROZEN[name],
  };
}

function pinnedManager(value: string | undefined): { family: Family; version: string } | undefined {
  if (value === undefined) return undefined;
  const [, name, version] = /^([a-z]+)@([^+]+)(?:\+.*)?$/.exec(value) ?? [];
  const family = FAMILIES.find((known) => known === name);
  if (family !== undefined && version !== undefined && semver.valid(version)) return { family, version };
  throw new UserError(`\`packageManager\` is ${JSON.stringify(value)}, which names no known package manager.`, {
    remedy: 'Write it as npm, pnpm, yarn or bun with an exact version, such as "npm@11.6.0".',
    place: { file: 'package.json' },
  });
}

/** Lockfiles of Yarn 2 and later begin with a `__metadata` entry; those of Yarn 1 have none. */
function whichYarn(version: string | undefined, lockfile: string): 'yarn-classic' | 'yarn-berry' {
  const berry = version === undefined ? /^__metadata:/m.test(lockfile) : semver.major(version) >= 2;
  return berry ? 'yarn-berry' : 'yarn-classic';
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

function reasonFor(pinned: boolean, named: boolean, lockfile: string): string {
  if (pinned) return '`packageManager` in package.json';
  return named ? 'the input `package-manager`' : `the lockfile ${lockfile}`;
}

function otherManager(chosen: Family, pinned: Family): UserError {
  return new UserError(
    `The input package-manager is ${chosen}, but \`packageManager\` in package.json names ${pinned}.`,
    {
      remedy: 'Leave the input out, or change package.json.',
      place: { file: 'package.json' },
    },
  );
}

function otherLockfile(family: Family, file: string, byInput: boolean): UserError {
  const namer = byInput ? 'The input package-manager' : '`packageManager`';
  return new UserError(`${namer} names ${family}, but the lockfile is ${file}.`, {
    remedy: `Run \`${family} install\`, commit the lockfile that it writes and \`git rm ${file}\`.`,
    place: { file: 'package.json' },
  });
}
