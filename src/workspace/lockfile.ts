import { hash } from 'node:crypto';
import { load } from 'js-yaml';
import { isPath } from '../packages/values.ts';
import { isObject, parseObject } from '../project/json.ts';
import type { PackageManager } from '../node/package-manager.ts';

/**
 * What a lockfile resolves for each package of the workspace, by folder (`''` is the root): two lockfiles with the same
 * text here install the same for that package.
 */
export type Resolutions = ReadonlyMap<string, string>;

type Fields = Readonly<Record<string, unknown>>;

const KINDS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const;

/**
 * What a lockfile of npm (versions 2 and 3) or pnpm (version 9) resolves for each package.
 * @returns undefined for all others, and for what cannot be read
 */
export function resolutionsOf(manager: PackageManager['name'], lockfile: string): Resolutions | undefined {
  try {
    if (manager === 'npm') return ofNpm(parseObject(lockfile, 'the lockfile', ''));
    return manager === 'pnpm' ? ofPnpm(load(lockfile)) : undefined;
  } catch {
    // The install says best what is wrong with it; until then nothing is known.
    return undefined;
  }
}

/** The folders whose resolution differs, `undefined` where that cannot be told, so for all. */
export function changedResolutions(
  before: Resolutions | undefined,
  now: Resolutions | undefined,
): ReadonlySet<string> | undefined {
  if (before === undefined || now === undefined) return undefined;
  const folders = new Set([...before.keys(), ...now.keys()]);
  return new Set([...folders].filter((folder) => before.get(folder) !== now.get(folder)));
}

function ofNpm({ packages }: Fields): Resolutions | undefined {
  // With a key like that anything may be meant.
  if (!isObject(packages) || !Object.keys(packages).every(isPath)) return undefined;
  const entry = (key: string): Fields | undefined => {
    const found = Object.hasOwn(packages, key) ? packages[key] : undefined;
    return isObject(found) ? found : undefined;
  };
  const folders = Object.keys(packages).filter((key) => !/(?:^|\/)node_modules\//.test(key));
  // A link to another package of the workspace has none: that package has resolutions of its own.
  const next = (key: string, fields: Fields): readonly string[] => {
    const names = new Set(KINDS.flatMap((kind) => Object.keys(isObject(fields[kind]) ? fields[kind] : {})));
    return [...names].map((name) => nearest(key, name, entry)).filter((found) => found !== undefined);
  };
  return digests(folders, entry, next);
}

/** By the rules of `require`: in node_modules of the package, else of the folders above it. */
function nearest(from: string, name: string, entry: (key: string) => Fields | undefined): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/')))) {
    const key = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (!folder.endsWith('node_modules') && entry(key) !== undefined) return key;
    if (folder === '') return undefined;
  }
}

/** https://github.com/pnpm/spec/blob/master/lockfile/9.0.md: importers name versions, snapshots what these need. */
function ofPnpm(lock: unknown): Resolutions | undefined {
  if (!isObject(lock) || !isObject(lock['importers']) || !String(lock['lockfileVersion']).startsWith('9.'))
    return undefined;
  const [importers, packages, snapshots] = ['importers', 'packages', 'snapshots'].map((name) => {
    return isObject(lock[name]) ? lock[name] : {};
  }) as [Fields, Fields, Fields];
  // Settings, overrides and the like hold for every package.
  const common = Object.entries(lock).filter(([name]) => !['importers', 'packages', 'snapshots'].includes(name));
  const folderKeys = new Map(Object.keys(importers).map((key) => [key === '.' ? '' : key, key]));
  const entry = (key: string): Fields | undefined => {
    const importer = folderKeys.get(key);
    if (importer !== undefined) return { common, ...(importers[importer] as Fields) };
    const snapshot = Object.hasOwn(snapshots, key) ? snapshots[key] : undefined;
    const plain = packages[key.split('(', 1)[0] ?? ''];
    return snapshot === undefined && plain === undefined ? undefined : { snapshot, plain };
  };
  const next = (key: string, fields: Fields): readonly string[] => {
    const source = folderKeys.has(key) ? fields : ((fields['snapshot'] ?? {}) as Fields);
    return KINDS.flatMap((kind) => Object.entries(isObject(source[kind]) ? source[kind] : {})).flatMap(([name, at]) => {
      const version = String(isObject(at) ? at['version'] : at);
      // An alias names the package itself: `other@1.0.0` in place of `1.0.0`.
      return [`${name}@${version}`, version]
        .filter((one) => !folderKeys.has(one) && entry(one) !== undefined)
        .slice(0, 1);
    });
  };
  return digests([...folderKeys.keys()], entry, next);
}

function digests(
  folders: readonly string[],
  entry: (key: string) => Fields | undefined,
  next: (key: string, fields: Fields) => readonly string[],
): Resolutions {
  const all = new Map<string, string>();
  // Most are met in the closure of many packages.
  const known = new Map<string, { readonly line: string; readonly needs: readonly string[] }>();
  const look = (key: string): { readonly line: string; readonly needs: readonly string[] } => {
    const found = known.get(key);
    if (found !== undefined) return found;
    const fields = entry(key) ?? {};
    const made = { line: JSON.stringify([key, fields]), needs: next(key, fields) };
    known.set(key, made);
    return made;
  };
  for (const folder of folders) {
    const keys = new Set([folder]);
    for (const key of keys) for (const needed of look(key).needs) keys.add(needed);
    const lines = [...keys].toSorted().map((key) => look(key).line);
    all.set(folder, hash('sha256', lines.join('\n')));
  }
  return all;
}
