import { load } from 'js-yaml';
import { UserError, messageOf } from '../action/errors.ts';
import { isObject, parseObject } from '../project/json.ts';
import type { ReadFile } from '../project/project.ts';

/** Which folders of a repository are packages of its workspace, and where that is said. */
export interface Declaration {
  readonly file: 'package.json' | 'pnpm-workspace.yaml';
  /** Globs of folders from the root; those after `!` take away. */
  readonly patterns: readonly string[];
}

const MAX_PATTERNS = 1000;
const MAX_PATTERN = 300;

/**
 * What the root says: `packages` of pnpm-workspace.yaml, else `workspaces` of package.json, which is a list or, as Yarn
 * and bun also take it, an object whose `packages` is that list.
 * @returns undefined where the folder is no root of a workspace
 * @throws UserError when either is malformed or a pattern leads out of the root
 */
export function workspaceDeclaration(read: ReadFile): Declaration | undefined {
  const yaml = read('pnpm-workspace.yaml');
  const pnpm = yaml === undefined ? undefined : ofYaml(yaml);
  if (pnpm !== undefined) return { file: 'pnpm-workspace.yaml', patterns: checked(pnpm, 'pnpm-workspace.yaml') };
  const text = read('package.json');
  if (text === undefined) return undefined;
  const { workspaces } = parseObject(text, 'package.json', 'Mend the JSON of package.json.');
  const patterns = isObject(workspaces) ? workspaces['packages'] : workspaces;
  return patterns === undefined ? undefined : { file: 'package.json', patterns: checked(patterns, 'package.json') };
}

/** A pnpm-workspace.yaml that holds settings alone makes no workspace. */
function ofYaml(text: string): unknown {
  const file = 'pnpm-workspace.yaml';
  try {
    const value: unknown = load(text);
    return isObject(value) ? value['packages'] : undefined;
  } catch (error) {
    const why = messageOf(error).split('\n')[0];
    throw new UserError(`${file} is not YAML: ${why}`, { remedy: 'Mend it.', place: { file }, cause: error });
  }
}

function checked(value: unknown, file: string): readonly string[] {
  const wrong = (what: string): UserError =>
    new UserError(`The packages of the workspace in ${file} ${what}.`, {
      remedy: 'Write a list of folders or globs inside the repository, such as ["packages/*"].',
      place: { file },
    });
  if (!Array.isArray(value) || value.length > MAX_PATTERNS) throw wrong(`are no list of at most ${MAX_PATTERNS}`);
  return value.map((item: unknown) => {
    if (typeof item !== 'string' || item.length > MAX_PATTERN) throw wrong('hold something else than short texts');
    const taken = item.startsWith('!') ? '!' : '';
    const pattern = item
      .slice(taken.length)
      .replace(/^(?:\.\/)+/, '')
      .replace(/\/+$/, '');
    if (pattern.startsWith('/') || pattern.split('/').includes('..')) {
      throw wrong(`lead out of it (${JSON.stringify(item)})`);
    }
    return `${taken}${pattern}`;
  });
}
