import semver from 'semver';
import { UserError, checkAll } from '../action/errors.ts';
import type { ReadFile } from '../project/project.ts';
import { type PackageJson, readPackageJson } from './manifest.ts';
import { both } from './range.ts';
import { type Found, showFound, versionFiles } from './version-files.ts';
import { fileIn, foldersUp, inRepositoryOnly } from './workspace-root.ts';

/** Which Node a project wants. */
export interface NodeVersion {
  /** A range of semantic versions, such as `22`, `22.11.0` or `>=20 <25`; `*` where there is an alias. */
  readonly range: string;
  /** A version that only the list of releases tells: `latest`, `lts/*`, `lts/-1` or a name such as `lts/jod`. */
  readonly alias?: string;
  /** Where it is written, as a phrase for the log. */
  readonly reason: string;
  /** What else the project says, which whatever an alias turns out to be must fit. */
  readonly limits?: readonly Found[];
}

/** Taken when a project says nothing: the line with long-term support since October 2025. */
export const USUAL_NODE = '24';

/** The usual line and those with long-term support before it, the newest first. */
export const SUPPORTED_LINES: readonly string[] = [0, 2, 4, 6, 8].map((older) => String(Number(USUAL_NODE) - older));

/**
 * Finds the Node version of a project: the `wanted` one, else by what names one exactly (volta, .nvmrc, .node-version,
 * .tool-versions, mise), in the project or the nearest folder above it, else by `devEngines` and `engines` of
 * package.json, else {@link USUAL_NODE}. Of a range over several lines it is the newest with long-term support.
 * @param location the project's path in the repository, `''` for its root
 * @throws UserError when a version is none, or when two of these exclude each other
 */
export function nodeVersion(read: ReadFile, wanted = '', location = ''): NodeVersion {
  const limits = enginesOf(read, location);
  if (wanted !== '') return settled([{ value: wanted, place: { file: 'the input `node-version`' } }], limits);
  const files = foldersUp(location)
    .map((folder) => versionFiles(inRepositoryOnly(read, location), folder))
    .find((found) => found.length > 0);
  return settled(files ?? [], limits);
}

/**
 * The versions that the input `node-versions` lists, each of which the project must allow.
 * @throws UserError with every one that is no version or that `engines` excludes
 */
export function nodeVersions(read: ReadFile, wanted: readonly string[], location = ''): readonly NodeVersion[] {
  const limits = enginesOf(read, location);
  const place = { file: 'the input `node-versions`' };
  return checkAll(
    'not every version of `node-versions` can be',
    wanted.map((value) => () => settled([{ value, place }], limits)),
  );
}

/**
 * Puts a range in an alias's place, such as `22` for `lts/jod`.
 * @throws UserError when the project excludes what it stands for
 */
export function withoutAlias({ alias = '', reason, limits = [] }: NodeVersion, range: string): NodeVersion {
  const first = { value: range, place: { file: reason } };
  return { ...settled([first], limits), reason: `${reason} (${alias})` };
}

function settled(named: readonly Found[], limits: readonly Found[]): NodeVersion {
  const [first, ...others] = [...named, ...limits];
  if (first === undefined) return { range: USUAL_NODE, reason: 'the usual version, as the project names none' };
  const reason = showFound(first);
  const alias = aliasOf(first.value);
  if (alias !== undefined) return { range: '*', alias, reason, limits };
  const range = others.reduce((so, other) => {
    if (aliasOf(other.value) !== undefined) return so;
    const own = rangeOf(other);
    if (!semver.intersects(rangeOf(first), own)) throw contradiction(first, other);
    return both(so, own) ?? so;
  }, rangeOf(first));
  const line = lineIn(range);
  if (line === range) return { range, reason };
  return { range: line, reason: `${reason} (${first.value.slice(0, 100)}), of which it is the newest long-term line` };
}

/** The part of a range in the newest line with long-term support; the range itself where it is within one line. */
function lineIn(range: string): string {
  const newest = SUPPORTED_LINES.find((line) => semver.intersects(range, line));
  if (newest === undefined || semver.subset(range, newest)) return range;
  return both(newest, range) ?? range;
}

/** `devEngines.runtime` and `engines.node` of the project, or else of the nearest folder above that has them. */
function enginesOf(read: ReadFile, location: string): readonly Found[] {
  const all = foldersUp(location).map((folder) => {
    const file = fileIn(folder, 'package.json');
    // A project without package.json is an error; a folder above it need not be a package.
    return folder !== '' && read(file) === undefined ? [] : enginesIn(readPackageJson(read, folder), file);
  });
  return all.find((found) => found.length > 0) ?? [];
}

function enginesIn({ engines, devEngines }: PackageJson, file: string): readonly Found[] {
  const runtime = devEngines.runtime.find(({ name }) => name === 'node')?.version;
  const engine = engines['node'];
  return [
    ...(runtime === undefined ? [] : [{ value: runtime, place: { file }, field: 'devEngines.runtime' }]),
    ...(engine === undefined ? [] : [{ value: engine, place: { file }, field: 'engines.node' }]),
  ];
}

/** The names that nvm, asdf, mise and setup-node have for what only the list of releases tells, as nvm writes them. */
function aliasOf(value: string): string | undefined {
  const word = value.toLowerCase();
  if (['latest', 'current', 'node', 'stable'].includes(word)) return 'latest';
  if (word === 'lts' || word === 'lts/*') return 'lts/*';
  const [, line] = /^lts[/-](-[1-9]|[a-z]{2,20})$/.exec(word) ?? [];
  return line === undefined ? undefined : `lts/${line}`;
}

function rangeOf(found: Found): string {
  const { value, place } = found;
  const range = value.replace(/^(?:latest:|prefix:|v(?=\d))/, '');
  if (range !== '' && range.length <= 100 && semver.validRange(range) !== null) return range;
  throw new UserError(
    `${showFound(found)} names ${JSON.stringify(value.slice(0, 100))}, which is no version of Node.`,
    {
      remedy: `Write a version or a range, such as 24 or 24.11.0, or lts/*.`,
      place,
    },
  );
}

function contradiction(first: Found, other: Found): UserError {
  return new UserError(
    `${showFound(first)} names Node ${first.value}, which ${showFound(other)} (${other.value}) excludes.`,
    { remedy: `Change one of them so that they agree.`, place: first.place },
  );
}
