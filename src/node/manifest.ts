import path from 'node:path';
import { UserError, messageOf } from '../action/errors.ts';

/** The text of a file of the project, by its name relative to the project's folder; undefined when there is none. */
export type ReadFile = (file: string) => string | undefined;

/** One tool that `devEngines` of package.json names; `version` is a range. */
export interface DevEngine {
  readonly name: string;
  readonly version?: string;
}

/** `devEngines` of package.json (npm's documentation): what developers of the package use. */
export interface DevEngines {
  readonly runtime: readonly DevEngine[];
  readonly packageManager: readonly DevEngine[];
}

/** What of package.json counts for a build; whatever has another type than npm documents is left out. */
export interface PackageJson {
  readonly name?: string;
  readonly main?: string;
  readonly packageManager?: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly devEngines: DevEngines;
  readonly volta: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

/**
 * Reads package.json of the project, or of another `folder` by its path from there, such as `../..`.
 * @throws UserError when there is none or it is not a JSON object
 */
export function readPackageJson(read: ReadFile, folder = ''): PackageJson {
  const file = path.posix.join(folder, 'package.json');
  const text = read(file);
  if (text === undefined) {
    throw new UserError('There is no package.json in the directory.', {
      remedy: 'Set the input `directory` to the folder of the Node project.',
    });
  }
  const json = parseObject(text, file, 'Mend the JSON of package.json.');
  return {
    ...(typeof json['name'] === 'string' && { name: json['name'] }),
    ...(typeof json['main'] === 'string' && { main: json['main'] }),
    ...(typeof json['packageManager'] === 'string' && { packageManager: json['packageManager'] }),
    engines: texts(json['engines']),
    devEngines: devEngines(json['devEngines']),
    volta: texts(json['volta']),
    scripts: texts(json['scripts']),
    dependencies: texts(json['dependencies']),
    devDependencies: texts(json['devDependencies']),
    optionalDependencies: texts(json['optionalDependencies']),
    peerDependencies: texts(json['peerDependencies']),
  };
}

/**
 * The JSON object in a file's text.
 * @throws UserError with the remedy given when it is anything else
 */
export function parseObject(text: string, file: string, remedy: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    // Some editors on Windows write a byte order mark; npm takes it too.
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new UserError(`${file} is not JSON: ${messageOf(error)}`, { remedy, place: { file }, cause: error });
  }
  if (isObject(value)) return value;
  throw new UserError(`${file} is not a JSON object.`, { remedy, place: { file } });
}

function devEngines(value: unknown): DevEngines {
  const given = isObject(value) ? value : {};
  return { runtime: devTools(given['runtime']), packageManager: devTools(given['packageManager']) };
}

/** One tool or a list of them, of which the first that fits is meant. */
function devTools(value: unknown): readonly DevEngine[] {
  return [value].flat().flatMap((one) => {
    const { name, version } = texts(one);
    return name === undefined ? [] : [{ name, ...(version !== undefined && { version }) }];
  });
}

/** Whether a value read from JSON is an object, so neither an array nor null. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The entries of a JSON object whose values are texts; none when it is no object. */
export function texts(value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
