import path from 'node:path';
import { UserError } from '../action/errors.ts';
import { isObject, parseObject, texts } from '../project/json.ts';
import type { ReadFile } from '../project/project.ts';

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
  /** What npm puts in a dependency's place, by its name. */
  readonly overrides: Readonly<Record<string, unknown>>;
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
    overrides: isObject(json['overrides']) ? json['overrides'] : {},
  };
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
