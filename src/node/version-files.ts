import { parse as parseToml } from 'smol-toml';
import { type Place, UserError, messageOf } from '../action/errors.ts';
import { isObject, parseObject, texts } from '../project/json.ts';
import type { ReadFile } from '../project/project.ts';
import { readPackageJson } from './manifest.ts';
import { fileIn } from './workspace-root.ts';

/** A version as it is written somewhere. */
export interface Found {
  readonly value: string;
  readonly place: Place;
  /** The field of package.json that it stands in. */
  readonly field?: string;
}

/** Where mise reads its settings, by its documentation on configuration; the first counts most. */
const MISE_FILES = ['mise.toml', '.mise.toml', 'mise/config.toml', '.config/mise.toml', '.config/mise/config.toml'];
/** How far `volta.extends` may lead from one file to the next. */
const MAX_EXTENDS = 10;

/** Where a version stands, as a phrase. */
export function showFound({ place, field }: Found): string {
  return field === undefined ? place.file : `\`${field}\` in ${place.file}`;
}

/** All that a folder names a version of Node by, what a team runs itself first. */
export function versionFiles(read: ReadFile, folder: string): readonly Found[] {
  const found = [
    volta(read, folder),
    plainFile(read, fileIn(folder, '.nvmrc')),
    plainFile(read, fileIn(folder, '.node-version')),
    toolVersions(read, fileIn(folder, '.tool-versions')),
    ...MISE_FILES.map((file) => mise(read, fileIn(folder, file))),
  ];
  return found.filter((one) => one !== undefined);
}

/** `volta.node`; `volta.extends` names another package.json that says what this one does not. */
function volta(read: ReadFile, folder: string): Found | undefined {
  let file = fileIn(folder, 'package.json');
  if (folder !== '' && read(file) === undefined) return undefined;
  let own = readPackageJson(read, folder).volta;
  for (let steps = 0; own['node'] === undefined && own['extends'] !== undefined; steps += 1) {
    const next = fileIn(fileIn(file, '..'), own['extends']);
    const text = read(next);
    if (text === undefined || steps === MAX_EXTENDS) {
      throw new UserError(
        `\`volta.extends\` in ${file} names ${JSON.stringify(own['extends'].slice(0, 200))}, which ${text === undefined ? 'is not there' : 'leads from file to file without end'}.`,
        { remedy: 'Name the package.json that has `volta`, by its path from this one.', place: { file } },
      );
    }
    own = texts(parseObject(text, next, `Mend the JSON of ${next}.`)['volta']);
    file = next;
  }
  const value = own['node'];
  return value === undefined ? undefined : { value, place: { file }, field: 'volta.node' };
}

function plainFile(read: ReadFile, file: string): Found | undefined {
  return firstLine(read(file), file, (line) => line);
}

/** Lines of .tool-versions are `tool version fallback...`; asdf calls the tool nodejs, mise also node. */
function toolVersions(read: ReadFile, file: string): Found | undefined {
  return firstLine(read(file), file, (line) => /^(?:nodejs|node)\s+(\S+)/.exec(line)?.[1]);
}

/** `tools.node` is a version, a table with one, or a list of which the first counts. */
function mise(read: ReadFile, file: string): Found | undefined {
  const text = read(file);
  if (text === undefined) return undefined;
  const { tools } = toml(text, file);
  const named = isObject(tools) ? (tools['node'] ?? tools['nodejs'] ?? tools['core:node']) : undefined;
  const [first] = [named].flat();
  const value = isObject(first) ? first['version'] : first;
  const written = typeof value === 'number' ? String(value) : value;
  return typeof written === 'string' ? { value: written, place: { file }, field: 'tools.node' } : undefined;
}

function toml(text: string, file: string): Readonly<Record<string, unknown>> {
  try {
    return parseToml(text);
  } catch (error) {
    const message = messageOf(error).split('\n')[0] ?? '';
    throw new UserError(`${file} is not TOML: ${message}`, {
      remedy: 'Mend it (`mise config` shows what mise reads).',
      place: { file },
      cause: error,
    });
  }
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
