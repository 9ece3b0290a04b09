import { UserError } from '../action/errors.ts';
import { readPackageJson } from '../node/manifest.ts';
import { parseObject } from '../project/json.ts';
import type { ReadFile } from '../project/project.ts';

/** How a container of the project starts, and why so. */
export interface StartCommand {
  /** Program and arguments: no shell stands between the container and the program. */
  readonly argv: readonly string[];
  readonly reason: string;
}

const PLAIN_WORD = /^[\w@%+=:,./-]+$/;

/**
 * Finds the command out of package.json. `node file` is run directly wherever the project allows it, since npm as the
 * first process of a container costs memory and start-up; npm start is kept where a script needs a shell.
 * @param built whether a build script runs first, so that `main` may not exist yet
 * @throws UserError when the project names nothing that could be started
 */
export function startCommand(read: ReadFile, built: boolean): StartCommand {
  const { scripts } = readPackageJson(read);
  const main = mainOf(read, built);
  const start = scripts['start'];
  if (start !== undefined) return ofScript(start, scripts);
  if (main !== undefined) return { argv: ['node', main], reason: '`main` in package.json' };
  if (read('server.js') !== undefined) return { argv: ['node', 'server.js'], reason: 'the file server.js' };
  throw new UserError('package.json names nothing that a container could start.', {
    remedy: 'Add a script, such as "start": "node src/server.js", or a Dockerfile of your own.',
    place: { file: 'package.json' },
  });
}

function ofScript(start: string, scripts: Readonly<Record<string, string>>): StartCommand {
  const words = start.trim().split(/\s+/);
  const plain = words.length > 1 && words[0] === 'node' && words.every((word) => PLAIN_WORD.test(word));
  const around = ['prestart', 'poststart'].filter((name) => Object.hasOwn(scripts, name));
  if (plain && around.length === 0) return { argv: words, reason: 'what the script `start` runs' };
  const why = around.length > 0 ? `${around.join(' and ')} belong to it` : 'it is more than `node file`';
  return { argv: ['npm', 'start'], reason: `the script \`start\`, by npm since ${why}` };
}

function mainOf(read: ReadFile, built: boolean): string | undefined {
  const { main } = parseObject(read('package.json') ?? '{}', 'package.json', 'Mend the JSON of package.json.');
  if (typeof main !== 'string' || main === '') return undefined;
  const exists = [main, `${main}.js`, `${main}/index.js`].some((file) => read(file) !== undefined);
  return exists || built ? main : undefined;
}
