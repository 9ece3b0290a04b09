import { UserError } from '../action/errors.ts';
import { parseObject, texts } from '../project/json.ts';
import type { ReadFile } from '../project/project.ts';

/** What of package.json counts for a build; whatever has another type than npm documents is left out. */
export interface PackageJson {
  readonly name?: string;
  readonly main?: string;
  readonly packageManager?: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

/**
 * Reads package.json of the project.
 * @throws UserError when there is none or it is not a JSON object
 */
export function readPackageJson(read: ReadFile): PackageJson {
  const text = read('package.json');
  if (text === undefined) {
    throw new UserError('There is no package.json in the directory.', {
      remedy: 'Set the input `directory` to the folder of the Node project.',
    });
  }
  const json = parseObject(text, 'package.json', 'Mend the JSON of package.json.');
  return {
    ...(typeof json['name'] === 'string' && { name: json['name'] }),
    ...(typeof json['main'] === 'string' && { main: json['main'] }),
    ...(typeof json['packageManager'] === 'string' && { packageManager: json['packageManager'] }),
    engines: texts(json['engines']),
    scripts: texts(json['scripts']),
    dependencies: texts(json['dependencies']),
    devDependencies: texts(json['devDependencies']),
    optionalDependencies: texts(json['optionalDependencies']),
    peerDependencies: texts(json['peerDependencies']),
  };
}
