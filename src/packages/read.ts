import { UserError, messageOf } from '../action/errors.ts';
import { type PackageJson, readPackageJson } from '../node/manifest.ts';
import { isObject, parseObject } from '../project/json.ts';
import type { ReadFile } from '../project/project.ts';
import { readBunLock } from './bun-lock.ts';
import { type Graph, settle } from './graph.ts';
import { readNpmLock } from './npm-lock.ts';
import type { Ecosystem, PackageSet } from './package.ts';
import { readPnpmLock } from './pnpm-lock.ts';
import { pythonProject, readPdmLock, readPipfileLock, readPoetryLock, readPylock, readUvLock } from './python-lock.ts';
import { readRequirements } from './requirements.ts';
import { isBerry, plainWorkspaces, readYarnBerry, readYarnClassic } from './yarn-lock.ts';

type Json = Readonly<Record<string, unknown>>;

/** Which project's packages are wanted. */
export interface PackagesOf {
  /** Reads files of the folder that the lockfile lies in. */
  readonly read: ReadFile;
  /** Path of the workspace package within that folder, whose needs alone count. */
  readonly member?: string;
  /** Folders of all workspace packages: yarn 1 does not list them in its lockfile. */
  readonly members?: readonly string[];
}

/** The lockfile of a project. */
export interface Locked {
  /** Name of the lockfile. */
  readonly lockfile: string;
  /** Folder that it lies in, relative to the project; `''` for the project's own. */
  readonly root: string;
  /** The project's path from there, where it is a package of a workspace. */
  readonly member?: string;
}

type Reader = (text: string, file: string, of: PackagesOf) => Graph | Promise<Graph>;

/** Much more than lockfiles of thousands of packages have. */
const MAX_LOCKFILE = 64 * 1024 * 1024;

/** The lockfiles that are understood, in the order in which they count where several are there. */
const LOCKFILES: Readonly<Record<Ecosystem, readonly (readonly [string, Reader])[]>> = {
  npm: [
    ['npm-shrinkwrap.json', npm],
    ['package-lock.json', npm],
    ['pnpm-lock.yaml', pnpm],
    ['yarn.lock', yarn],
    ['bun.lock', bun],
  ],
  pypi: [
    ['uv.lock', python],
    ['poetry.lock', python],
    ['pdm.lock', python],
    ['pylock.toml', python],
    ['Pipfile.lock', pipfile],
    ['requirements.txt', requirements],
  ],
};

/**
 * All packages of a project, from the lockfile named, else from the first that is there.
 * @returns undefined where there is no lockfile, or only one that cannot be read without its manager (bun.lockb)
 * @throws UserError when the lockfile is malformed
 */
export async function readPackages(
  ecosystem: Ecosystem,
  of: PackagesOf,
  lockfile?: string,
): Promise<PackageSet | undefined> {
  const known = LOCKFILES[ecosystem];
  const candidates = lockfile === undefined ? known : known.filter(([name]) => name === lockfile);
  for (const [file, reader] of candidates) {
    const text = of.read(file);
    if (text === undefined) continue;
    if (text.length > MAX_LOCKFILE) throw new UserError(`${file} is larger than ${MAX_LOCKFILE / 1024 ** 2} MiB`);
    try {
      return settle(await reader(text, file, of), file, of.member);
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError(`${file} cannot be read: ${messageOf(error).split('\n')[0]}`, {
        remedy: 'Let the package manager write it anew, and commit it; look for markers of a merge conflict.',
        place: { file },
        cause: error,
      });
    }
  }
  return undefined;
}

/** What to say where a project has no lockfile that can be read. */
export function whyNoPackages(ecosystem: Ecosystem, read: ReadFile): string {
  if (ecosystem === 'npm' && read('bun.lockb') !== undefined) {
    return 'bun.lockb is binary, which only bun reads: run `bun install --save-text-lockfile` and commit bun.lock in its place.';
  }
  const names = LOCKFILES[ecosystem].map(([name]) => name).join(', ');
  return `There is no lockfile that names every package (${names}), so neither an SBOM nor known vulnerabilities can be told.`;
}

function npm(text: string, file: string, { read }: PackagesOf): Graph {
  return readNpmLock(text, file, manifestOf(read, 'package.json'));
}

async function pnpm(text: string): Promise<Graph> {
  return readPnpmLock(await yaml(text));
}

async function yarn(text: string, file: string, { read, members = [] }: PackagesOf): Promise<Graph> {
  const rootText = read('package.json') ?? '{}';
  const named = plainWorkspaces(parseObject(rootText, 'package.json', 'Mend its JSON.')['workspaces']);
  const berry = isBerry(text) ? await yaml(text) : undefined;
  const within = [...text.matchAll(/@workspace:([^"\n,]+)/g)].map(([, folder = '']) => folder);
  const folders = [...new Set(['.', ...named, ...members, ...(berry === undefined ? [] : within)])];
  const projects = folders.flatMap((folder) => {
    const manifest = folder === '.' ? 'package.json' : `${folder}/package.json`;
    const isInside = !/^[/.]|\.\.|[*^~]/.test(folder) || folder === '.';
    return isInside && read(manifest) !== undefined ? [{ folder, project: manifestOf(read, manifest) }] : [];
  });
  return berry === undefined ? readYarnClassic(text, file, projects) : readYarnBerry(berry, projects);
}

function bun(text: string, file: string): Graph {
  return readBunLock(text, file);
}

async function python(text: string, file: string, { read }: PackagesOf): Promise<Graph> {
  const lock = await toml(text);
  if (file === 'uv.lock') return readUvLock(lock);
  const project = pythonProject(await toml(read('pyproject.toml') ?? ''));
  if (file === 'poetry.lock') return readPoetryLock(lock, project);
  return file === 'pdm.lock' ? readPdmLock(lock, project) : readPylock(lock, project);
}

async function pipfile(text: string, file: string, { read }: PackagesOf): Promise<Graph> {
  const lock = parseObject(text, file, 'Run `pipenv lock` and commit the lockfile that it writes.');
  return readPipfileLock(lock, await toml(read('Pipfile') ?? ''));
}

function requirements(_text: string, file: string, { read }: PackagesOf): Graph {
  const dev = ['requirements-dev.txt', 'dev-requirements.txt', 'requirements/dev.txt', 'requirements-test.txt'];
  return readRequirements(read, [{ file, dev: false }, ...dev.map((one) => ({ file: one, dev: true }))]);
}

async function yaml(text: string): Promise<Json> {
  const { load } = await import('js-yaml');
  const value: unknown = load(text);
  return isObject(value) ? value : {};
}

async function toml(text: string): Promise<Json> {
  const { parse } = await import('smol-toml');
  return parse(text);
}

/** Of a package.json that is missing nothing is known, which stops nothing. */
function manifestOf(read: ReadFile, file: string): PackageJson {
  return readPackageJson(() => read(file) ?? '{}');
}
