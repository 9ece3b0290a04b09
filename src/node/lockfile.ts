import semver from 'semver';
import { UserError } from '../action/errors.ts';
import { isObject, parseObject } from '../project/json.ts';
import type { PackageJson } from './manifest.ts';

const KINDS = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;
type Dependencies = Pick<PackageJson, (typeof KINDS)[number]> & Partial<Pick<PackageJson, 'overrides'>>;

/** Stands for the version of a package of the workspace itself, which no lockfile has. */
const LINK = 'link';
const REMEDY = 'Run `npm install` and commit the lockfile that it writes.';

/**
 * Checks before anything runs that npm's lockfile (versions 2 and 3) has what package.json asks for, as `npm ci` does:
 * of each dependency it must lock a version in its range. What only `npm ci` can judge is left to it: tags, addresses
 * and aliases, peers, what `overrides` changes, and lockfiles of version 1.
 * @param member the package's folder from the lockfile's, `''` where both are one
 * @throws UserError with every difference, when they disagree or the lockfile cannot be read
 */
export function checkNpmLockfile(project: Dependencies, text: string, file = 'package-lock.json', member = ''): void {
  const lock = parseObject(text, file, REMEDY);
  if (lock['lockfileVersion'] === 1) return;
  const packages = lock['packages'];
  if (!isObject(packages) || !isObject(packages[member])) {
    const missing = member === '' ? 'no root package' : `no package ${member}`;
    throw new UserError(`${file} has ${missing}.`, { remedy: REMEDY, place: { file } });
  }
  const differences = KINDS.flatMap((kind) =>
    Object.entries(effective(project, kind))
      .filter(([name, range]) => semver.validRange(range) !== null && !isOverridden(name, project))
      .flatMap(([name, range]) => difference(`${name} in ${kind}`, range, lockedVersion(packages, member, name))),
  );
  if (differences.length === 0) return;
  throw UserError.all(
    differences.map((message) => ({ message, remedy: REMEDY, place: { file } })),
    `${file} disagrees with package.json`,
  );
}

function difference(what: string, range: string, locked: string | undefined): readonly string[] {
  if (locked === undefined) return [`${what} (${range}) is not in the lockfile.`];
  if (locked === LINK || semver.satisfies(locked, range, { loose: true })) return [];
  return [`${what} is ${range} in package.json, but ${locked} in the lockfile.`];
}

/** Of the nearest node_modules, as Node finds a package; LINK for a package of the workspace itself. */
function lockedVersion(packages: Readonly<Record<string, unknown>>, member: string, name: string): string | undefined {
  const parts = member === '' ? [] : member.split('/');
  for (let levels = parts.length; levels >= 0; levels -= 1) {
    const found = packages[[...parts.slice(0, levels), 'node_modules', name].join('/')];
    if (isObject(found)) return typeof found['version'] === 'string' ? found['version'] : LINK;
  }
  return undefined;
}

function isOverridden(name: string, { overrides }: Dependencies): boolean {
  return Object.keys(overrides ?? {}).some((key) => key === name || key.startsWith(`${name}@`));
}

/** An optional dependency overrides a plain one of the same name, by npm's rules for package.json. */
function effective(from: Dependencies, kind: (typeof KINDS)[number]): Readonly<Record<string, string>> {
  if (kind !== 'dependencies') return from[kind];
  return Object.fromEntries(
    Object.entries(from[kind]).filter(([name]) => !Object.hasOwn(from.optionalDependencies, name)),
  );
}
