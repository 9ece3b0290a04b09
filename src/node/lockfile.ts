import { UserError } from '../action/errors.ts';
import { isObject, parseObject, texts } from '../project/json.ts';
import type { PackageJson } from './manifest.ts';

const KINDS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const;
type Dependencies = Pick<PackageJson, (typeof KINDS)[number]>;

const REMEDY = 'Run `npm install` and commit the lockfile that it writes.';

/**
 * Checks that npm's lockfile was written for this package.json: its root package (`packages[""]`, lockfile
 * versions 2 and 3) must ask for the same packages in the same ranges. Version 1 keeps no root package and is
 * left to `npm ci`.
 * @throws UserError with every difference, when they disagree or the lockfile cannot be read
 */
export function checkNpmLockfile(project: Dependencies, text: string, file = 'package-lock.json'): void {
  const lock = parseObject(text, file, REMEDY);
  if (lock['lockfileVersion'] === 1) return;
  const root = isObject(lock['packages']) ? lock['packages'][''] : undefined;
  if (!isObject(root)) {
    throw new UserError(`${file} has no root package.`, { remedy: REMEDY, place: { file } });
  }
  const differences = differencesBetween(project, rootDependencies(root));
  if (differences.length === 0) return;
  throw UserError.all(
    differences.map((message) => ({ message, remedy: REMEDY, place: { file } })),
    `${file} disagrees with package.json`,
  );
}

function rootDependencies(root: Readonly<Record<string, unknown>>): Dependencies {
  return {
    dependencies: texts(root['dependencies']),
    devDependencies: texts(root['devDependencies']),
    optionalDependencies: texts(root['optionalDependencies']),
    peerDependencies: texts(root['peerDependencies']),
  };
}

function differencesBetween(project: Dependencies, lock: Dependencies): readonly string[] {
  return KINDS.flatMap((kind) => {
    const wanted = effective(project, kind);
    const locked = effective(lock, kind);
    const names = [...new Set([...wanted.keys(), ...locked.keys()])].toSorted();
    return names.flatMap((name) => difference(`${name} in ${kind}`, wanted.get(name), locked.get(name)));
  });
}

function difference(what: string, wanted: string | undefined, locked: string | undefined): readonly string[] {
  if (wanted === locked) return [];
  if (locked === undefined) return [`${what} (${wanted}) is not in the lockfile.`];
  if (wanted === undefined) return [`${what} (${locked}) is in the lockfile, but no longer in package.json.`];
  return [`${what} is ${wanted} in package.json, but ${locked} in the lockfile.`];
}

/** An optional dependency overrides a plain one of the same name, by npm's rules for package.json. */
function effective(from: Dependencies, kind: (typeof KINDS)[number]): ReadonlyMap<string, string> {
  const entries = Object.entries(from[kind]);
  return new Map(
    kind === 'dependencies' ? entries.filter(([name]) => !Object.hasOwn(from.optionalDependencies, name)) : entries,
  );
}
