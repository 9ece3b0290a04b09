import path from 'node:path';
import semver from 'semver';
import { UserError, checkAll, withPlaces } from '../action/errors.ts';
import { type PackageJson, readPackageJson } from '../node/manifest.ts';
import { isObject, parseObject } from '../project/json.ts';
import type { ReadFile } from '../project/project.ts';
import { workspaceDeclaration } from './declaration.ts';
import { packageFolders } from './find.ts';

/** Whether a package needs another when it runs, or only while it is built and checked. */
export type Need = 'run' | 'build';

/** A package of a workspace. */
export interface WorkspacePackage {
  /** Of package.json; the folder where it says none. */
  readonly name: string;
  /** From the workspace's root, with `/` between its parts. */
  readonly directory: string;
  readonly manifest: PackageJson;
  /** The packages of the same workspace that it needs, by their folders. */
  readonly needs: ReadonlyMap<string, Need>;
}

/** The packages of a repository that are installed together, one lockfile for all. */
export interface Workspace {
  readonly declaredIn: string;
  readonly root: WorkspacePackage;
  /** By their folders, in the order of these. */
  readonly packages: ReadonlyMap<string, WorkspacePackage>;
}

type Named = Pick<WorkspacePackage, 'name' | 'directory' | 'manifest'> & {
  readonly version?: string;
  /** Names of nx projects that it needs without saying so in package.json. */
  readonly implicit: readonly string[];
  readonly project?: string;
};

const RUN_KINDS = ['dependencies', 'optionalDependencies', 'peerDependencies'] as const;
const BY_PATH = /^(?:file|link|portal|workspace):(\.{0,2}\/.*|\.{1,2})$/;
const MAX_PACKAGES = 10_000;

/**
 * Reads the workspace whose root is the folder `root`; one code for all package managers.
 * @param read gives files from that folder
 * @returns undefined where the folder is no root of a workspace
 * @throws UserError with each manifest that is malformed and each name that two packages have
 */
export function readWorkspace(root: string, read: ReadFile): Workspace | undefined {
  const declaration = workspaceDeclaration(read);
  if (declaration === undefined) return undefined;
  const folders = packageFolders(root, declaration);
  if (folders.length > MAX_PACKAGES) {
    throw new UserError(`The workspace has ${folders.length} packages, more than ${MAX_PACKAGES}.`, {
      remedy: 'Make its globs narrower.',
      place: { file: declaration.file },
    });
  }
  const named = checkAll(
    'the packages of the workspace cannot be read',
    folders.map((folder) => () => readNamed(folder, read)),
  );
  const byName = namesOf(named);
  const byDirectory = new Map(named.map((one) => [one.directory, one]));
  const complete = (one: Named): WorkspacePackage => ({
    name: one.name,
    directory: one.directory,
    manifest: one.manifest,
    needs: needsOf(one, byName, byDirectory),
  });
  return {
    declaredIn: declaration.file,
    root: complete(readNamed('', read)),
    packages: new Map(named.map((one) => [one.directory, complete(one)])),
  };
}

function readNamed(directory: string, read: ReadFile): Named {
  const inside = (file: string): string => (directory === '' ? file : `${directory}/${file}`);
  const own: ReadFile = (file) => read(inside(file));
  try {
    const manifest = readPackageJson(own);
    const json = parseObject(own('package.json') ?? '{}', 'package.json', 'Mend the JSON of package.json.');
    const nx = { ...(isObject(json['nx']) ? json['nx'] : {}), ...nxProject(own) };
    const implicit: readonly unknown[] = Array.isArray(nx['implicitDependencies']) ? nx['implicitDependencies'] : [];
    return {
      name: manifest.name || directory,
      directory,
      manifest,
      implicit: implicit.filter((name) => typeof name === 'string'),
      ...(typeof json['version'] === 'string' && { version: json['version'] }),
      ...(typeof nx['name'] === 'string' && { project: nx['name'] }),
    };
  } catch (error) {
    throw error instanceof UserError ? withPlaces(error, (place) => ({ ...place, file: inside(place.file) })) : error;
  }
}

function nxProject(read: ReadFile): Readonly<Record<string, unknown>> {
  const text = read('project.json');
  return text === undefined ? {} : parseObject(text, 'project.json', 'Mend the JSON of project.json.');
}

function namesOf(packages: readonly Named[]): ReadonlyMap<string, Named> {
  const byName = new Map<string, Named>();
  checkAll(
    'names of packages are taken twice',
    packages.map((one) => () => {
      const other = byName.get(one.name);
      if (other === undefined) return byName.set(one.name, one);
      throw new UserError(
        `${JSON.stringify(one.name)} is the name of two packages: in ${other.directory} and in ${one.directory}.`,
        { remedy: 'Give one of them another name.', place: { file: `${one.directory}/package.json` } },
      );
    }),
  );
  return byName;
}

function needsOf(
  one: Named,
  byName: ReadonlyMap<string, Named>,
  byDirectory: ReadonlyMap<string, Named>,
): ReadonlyMap<string, Need> {
  const needs = new Map<string, Need>();
  const add = (other: Named | undefined, need: Need): void => {
    if (other === undefined || other.directory === one.directory || needs.get(other.directory) === 'run') return;
    needs.set(other.directory, need);
  };
  const kinds = [...RUN_KINDS.map((kind) => [kind, 'run'] as const), ['devDependencies', 'build'] as const];
  for (const [kind, need] of kinds) {
    for (const [name, range] of Object.entries(one.manifest[kind])) {
      add(local(one, name, range, byName, byDirectory), need);
    }
  }
  for (const name of one.implicit) {
    add([...byName.values()].find((other) => other.project === name) ?? byName.get(name), 'build');
  }
  return needs;
}

/**
 * The package of the workspace that a dependency means: by `workspace:`, by a path, or by a range that its version is
 * in, which is where npm, Yarn and bun link it. pnpm does so only when told; taking it for linked does no harm there.
 */
function local(
  from: Named,
  name: string,
  range: string,
  byName: ReadonlyMap<string, Named>,
  byDirectory: ReadonlyMap<string, Named>,
): Named | undefined {
  const byPath = BY_PATH.exec(range)?.[1] ?? (/^\.{1,2}\//.test(range) ? range : undefined);
  if (byPath !== undefined) return byDirectory.get(path.posix.join(from.directory, byPath).replace(/\/$/, ''));
  const [, alias] = /^workspace:(@?[^@]+)@/.exec(range) ?? [];
  if (alias !== undefined) return byName.get(alias);
  const named = byName.get(name);
  if (named === undefined || /^(?:workspace|catalog):/.test(range)) return named;
  if (semver.validRange(range) === null) return /^[\w.-]*$/.test(range) ? named : undefined;
  const fits = named.version === undefined || semver.satisfies(named.version, range, { includePrerelease: true });
  return fits ? named : undefined;
}
