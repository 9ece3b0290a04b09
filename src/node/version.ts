import semver from 'semver';
import { type Place, UserError } from '../action/errors.ts';
import type { ReadFile } from '../project/project.ts';
import { readPackageJson } from './manifest.ts';

/** Which Node a project wants. */
export interface NodeVersion {
  /** A range of semantic versions, such as `22`, `22.11.0` or `>=20 <25`. */
  readonly range: string;
  /** Where it is written, as a phrase for the log. */
  readonly reason: string;
}

/** Taken when a project says nothing: the line with long-term support since October 2025. */
export const USUAL_NODE = '24';

/** Code names of the lines with long-term support, by https://github.com/nodejs/Release. */
const LTS_LINES: ReadonlyMap<string, string> = new Map([
  ['gallium', '16'],
  ['hydrogen', '18'],
  ['iron', '20'],
  ['jod', '22'],
  ['krypton', '24'],
]);

/** Stands where a place is named: the user wrote the version in the workflow. */
const INPUT: Place = { file: 'the input `node-version`' };

interface Found {
  readonly value: string;
  readonly place: Place;
}

/**
 * Finds the Node version of a project: the `wanted` one, else the first of .nvmrc, .node-version and .tool-versions, as these name
 * what the team itself runs, else `engines.node` of package.json, else {@link USUAL_NODE}.
 * @throws UserError when the version is none, or when such a file and `engines.node` exclude each other
 */
export function nodeVersion(read: ReadFile, wanted = ''): NodeVersion {
  if (wanted !== '') return { range: rangeOf({ value: wanted, place: INPUT }), reason: INPUT.file };
  const engine = readPackageJson(read).engines['node'];
  const engines = engine === undefined ? undefined : rangeOf({ value: engine, place: { file: 'package.json' } });
  const found = plainFile(read, '.nvmrc') ?? plainFile(read, '.node-version') ?? toolVersions(read);
  if (found === undefined) {
    return engines === undefined
      ? { range: USUAL_NODE, reason: 'the usual version, as the project names none' }
      : { range: engines, reason: '`engines.node` in package.json' };
  }
  const range = rangeOf(found);
  if (engines !== undefined && !semver.intersects(range, engines)) {
    throw new UserError(`${found.place.file} names Node ${found.value}, which \`engines.node\` (${engine}) excludes.`, {
      remedy: `Change ${found.place.file} or \`engines.node\` in package.json so that they agree.`,
      place: found.place,
    });
  }
  return { range, reason: found.place.file };
}

function plainFile(read: ReadFile, file: string): Found | undefined {
  return firstLine(read(file), file, (line) => line);
}

/** Lines of .tool-versions are `tool version fallback...`; asdf calls the tool nodejs, mise also node. */
function toolVersions(read: ReadFile): Found | undefined {
  const file = '.tool-versions';
  return firstLine(read(file), file, (line) => /^(?:nodejs|node)\s+(\S+)/.exec(line)?.[1]);
}

function firstLine(
  text: string | undefined,
  file: string,
  pick: (line: string) => string | undefined,
): Found | undefined {
  const lines = (text ?? '').split('\n').map((line) => line.replace(/#.*/, '').trim());
  for (const [index, line] of lines.entries()) {
    const value = line === '' ? undefined : pick(line);
    if (value !== undefined) return { value, place: { file, line: index + 1 } };
  }
  return undefined;
}

function rangeOf({ value, place }: Found): string {
  const codeName = /^lts\/([a-z]+)$/i.exec(value)?.[1]?.toLowerCase();
  const range = codeName === undefined ? value : LTS_LINES.get(codeName);
  if (range !== undefined && range.length <= 100 && semver.validRange(range) !== null) return range.replace(/^v/, '');
  throw new UserError(`${place.file} names ${JSON.stringify(value.slice(0, 100))}, which is no version of Node.`, {
    remedy: `Write a version or a range, such as 24 or 24.11.0.`,
    place,
  });
}
