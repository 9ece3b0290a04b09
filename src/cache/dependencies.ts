import { hash } from 'node:crypto';
import { readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { type Folders, pack, unpack } from './archive.ts';
import type { Background } from './background.ts';
import type { CacheService } from './service.ts';

/** What an install leaves behind, and everything that decides what that is. */
export interface DependencyTree {
  /** Name of the folders that the install writes, such as `node_modules` or `.venv`. */
  readonly folder: string;
  /** Other folders of the project have such folders too, as the packages of a workspace do. */
  readonly everywhere: boolean;
  /** What a tree needs to be of any use: the versions of the runtime and of the manager. */
  readonly runtime: readonly string[];
  /** What decides on each file in it: lockfile, settings, patches, the command. */
  readonly content: readonly string[];
  /** The manager's install makes exactly the lockfile's tree out of an older one, and faster than out of nothing. */
  readonly reconciles: boolean;
}

/** How the dependencies came. */
export interface Installed {
  readonly seconds: number;
  /** `true` where nothing was installed, as the cache had all. */
  readonly restored: boolean;
}

/** Where trees are kept, and the work of keeping them. */
export interface Keeping {
  readonly cache: CacheService;
  readonly background: Background;
}

type CacheHost = Pick<Host, 'env' | 'info' | 'log' | 'clock' | 'signal'>;

/** A file inside of the first folder that says which tree it is. */
const MARKER = '.delivery-actions';
/** An install from nothing is no slower than this. */
const RESTORE_MS = 3 * 60_000;
const MAX_DEPTH = 6;
/** Bytes of what is worth keeping: the cache of a whole repository has 10 GB. */
const MAX_SIZE = 2 * 1024 ** 3;
const UNVISITED = new Set(['.git', 'node_modules', '.venv', '.yarn', '.pnpm-store']);

/** The key of a tree, and the prefix that those of the same runtime share. */
export function treeKey({ folder, runtime, content }: DependencyTree): { readonly key: string; readonly near: string } {
  const sum = (parts: readonly string[]): string => hash('sha256', JSON.stringify(parts)).slice(0, 32);
  const near = `delivery-${folder}-${process.platform}-${process.arch}-${sum(runtime)}-`;
  return { key: `${near}${sum(content)}`, near };
}

/**
 * Brings the dependencies of a project: out of the cache where it has the very tree that the lockfile and all else that
 * decides name, by `install` otherwise; what was installed is then saved while the build goes on. The cache is a help
 * and no part of the build: whatever fails there is told in a line, and the install runs.
 * @param install gives the seconds that it took
 */
export async function bringDependencies(
  tree: DependencyTree,
  directory: string,
  keeping: Keeping | undefined,
  host: CacheHost,
  install: () => Promise<number>,
): Promise<Installed> {
  if (keeping === undefined) return { seconds: await install(), restored: false };
  const { cache, background } = keeping;
  const place = { base: directory, name: tree.folder, env: host.env };
  const { key, near } = treeKey(tree);
  const began = host.clock.now();
  const found = await restore(tree, key, near, place, cache, host);
  const took = (host.clock.now() - began) / 1000;
  if (found === key) {
    host.log.info(`${tree.folder}: restored from the cache in ${took.toFixed(1)} s, so nothing is installed`);
    return { seconds: took, restored: true };
  }
  if (found !== undefined) {
    host.log.info(`${tree.folder}: restored as of an older lockfile in ${took.toFixed(1)} s; the install mends it`);
  }
  const seconds = took + (await install());
  background.start(async (signal) => save(tree, key, { ...place, signal }, cache, host));
  return { seconds, restored: false };
}

/** The key of the tree that is there now; undefined where none was found, or none could be had. */
async function restore(
  tree: DependencyTree,
  key: string,
  near: string,
  place: Omit<Folders, 'signal'>,
  cache: CacheService,
  host: CacheHost,
): Promise<string | undefined> {
  try {
    const entry = await cache.find(key, tree.reconciles ? [near] : []);
    if (entry === undefined) {
      host.log.info(`${tree.folder}: the cache has none for this lockfile`);
      return undefined;
    }
    const signal = AbortSignal.any([host.signal, AbortSignal.timeout(RESTORE_MS)]);
    const folders = await unpack(cache.read(entry, signal), { ...place, signal });
    const [first] = folders;
    if (first === undefined) return entry.key;
    const named = await readFile(path.join(place.base, first, MARKER), 'utf8').catch(() => '');
    if (named === entry.key) return entry.key;
    for (const folder of folders) await rm(path.join(place.base, folder), { recursive: true, force: true });
    throw new Error('the entry holds another tree than its key says');
  } catch (error) {
    host.signal.throwIfAborted();
    host.log.info(`${tree.folder}: not from the cache, as ${messageOf(error)}`);
    return undefined;
  }
}

async function save(
  tree: DependencyTree,
  key: string,
  place: Folders,
  cache: CacheService,
  host: CacheHost,
): Promise<void> {
  const file = path.join(host.info.temp, `${key}.tar.zst`);
  try {
    const folders = await findFolders(tree, place.base);
    const [first] = folders;
    // A project without dependencies may have no such folder; that too need not be found out again.
    if (first !== undefined) await writeFile(path.join(place.base, first, MARKER), key);
    await pack(folders, file, place);
    const { size } = await stat(file);
    const megabytes = `${(size / 1e6).toFixed(0)} MB`;
    if (size > MAX_SIZE) throw new Error(`${megabytes} are too much to keep`);
    if (await cache.save(key, file, place.signal)) host.log.info(`${tree.folder}: saved in the cache (${megabytes})`);
  } catch (error) {
    host.log.info(`${tree.folder}: not saved in the cache, as ${messageOf(error)}`);
  } finally {
    await rm(file, { force: true }).catch(() => undefined);
  }
}

/** The folders of that name, none inside of another, relative to `base`. */
async function findFolders({ folder, everywhere }: DependencyTree, base: string): Promise<readonly string[]> {
  const found: string[] = [];
  const visit = async (below: string, depth: number): Promise<void> => {
    const entries = await readdir(path.join(base, below), { withFileTypes: true });
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const name = below === '' ? entry.name : `${below}/${entry.name}`;
      if (!entry.isDirectory()) continue;
      if (entry.name === folder) found.push(name);
      else if (everywhere && depth < MAX_DEPTH && !UNVISITED.has(entry.name)) await visit(name, depth + 1);
    }
  };
  await visit('', 0);
  // The one at the top first, as that is there in every project.
  return found.toSorted((a, b) => a.split('/').length - b.split('/').length);
}
