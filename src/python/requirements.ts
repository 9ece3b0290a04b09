import path from 'node:path';
import { UserError } from '../action/errors.ts';
import type { ReadFile } from '../project/project.ts';
import { requirementNames } from './names.ts';

/** What requirements files say, those that they include with `-r` too. */
export interface Requirements {
  /** The files named, in order, without those included. */
  readonly files: readonly string[];
  /** Normal names of what they install. */
  readonly names: readonly string[];
  /** Whether every requirement has a hash (`--hash`), so that nothing else can be installed. */
  readonly hashed: boolean;
  /** The file that pip-compile or `uv pip compile` wrote, or that has a `.in` beside it. */
  readonly compiled?: string;
  /** Whether they install the project's own folder (`-e .`). */
  readonly ownFolder: boolean;
}

interface Line {
  readonly text: string;
  readonly number: number;
}

const MAX_FILES = 50;
const OPTION = /^(?:-r|--requirement|-c|--constraint)(?:\s+|=)?(.+)$/;
const COMPILED = /^#.*\b(?:pip-compile|uv pip compile)\b/m;

/**
 * Reads requirements files by pip's format.
 * @throws UserError when an included file is missing, or they include each other without end
 */
export function readRequirements(files: readonly string[], read: ReadFile): Requirements {
  const seen = new Set<string>();
  const requirements: string[] = [];
  const visit = (file: string, from?: { file: string; line: number }): void => {
    if (seen.has(file)) return;
    if (seen.size >= MAX_FILES) throw new UserError(`More than ${MAX_FILES} requirements files include each other.`);
    seen.add(file);
    const text = read(file);
    if (text === undefined) throw missing(file, from);
    for (const { text: line, number } of logicalLines(text)) {
      const [, named] = OPTION.exec(line) ?? [];
      if (named === undefined) {
        if (!line.startsWith('-') || /^(?:-e|--editable)\b/.test(line)) requirements.push(line);
        continue;
      }
      const target = named.trim().replace(/^["']|["']$/g, '');
      if (/^[a-z]+:\/\//.test(target)) continue;
      const included = path.posix.join(path.posix.dirname(file), target);
      if (line.startsWith('-r') || line.startsWith('--r')) visit(included, { file, line: number });
      else if (read(included) === undefined) throw missing(included, { file, line: number });
    }
  };
  for (const file of files) visit(file);
  const own = requirements.filter((line) => isOwnFolder(line));
  const others = requirements.filter((line) => !isOwnFolder(line));
  const compiled = files.find(
    (file) => COMPILED.test((read(file) ?? '').slice(0, 2000)) || read(file.replace(/\.txt$/, '.in')) !== undefined,
  );
  return {
    files,
    names: requirementNames(others.map((line) => line.replace(/^(?:-e|--editable)[\s=]+.*#egg=/, ''))),
    hashed: others.length > 0 && others.every((line) => /\s--hash[=\s]/.test(line)),
    ...(compiled !== undefined && { compiled }),
    ownFolder: own.length > 0,
  };
}

/**
 * Checks that compiled files have all that the `.in` beside each names; which versions, only the compiler can tell.
 * @throws UserError with every package that is missing
 */
export function checkCompiled(compiled: readonly Requirements[], read: ReadFile): void {
  const has = new Set(compiled.flatMap(({ names }) => names));
  const problems = compiled
    .flatMap(({ files }) => files)
    .flatMap((file) => {
      const source = file.replace(/\.txt$/, '.in');
      if (source === file || read(source) === undefined) return [];
      const absent = readRequirements([source], read).names.filter((name) => !has.has(name));
      return absent.map((name) => ({
        message: `${file} does not have ${name}, which ${source} names.`,
        remedy: `Run \`pip-compile ${source}\` and commit the ${file} that it writes.`,
        place: { file },
      }));
    });
  if (problems.length > 0) throw UserError.all(problems, 'Compiled requirements are out of date');
}

/** Lines without comments, those that end in a backslash joined, empty ones left out. */
function logicalLines(text: string): readonly Line[] {
  const lines: Line[] = [];
  let begun: Line | undefined;
  for (const [index, physical] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const bare = physical.replace(/(?:^|\s)#.*$/, '');
    const open = bare.endsWith('\\');
    const part = (open ? bare.slice(0, -1) : bare).trim();
    begun = { text: `${begun?.text ?? ''} ${part}`.trim(), number: begun?.number ?? index + 1 };
    if (open) continue;
    if (begun.text !== '') lines.push(begun);
    begun = undefined;
  }
  if (begun !== undefined && begun.text !== '') lines.push(begun);
  return lines;
}

function isOwnFolder(line: string): boolean {
  return /^(?:(?:-e|--editable)[\s=]+)?\.\/?(?:\[[^\]]*\])?$/.test(line);
}

function missing(file: string, from?: { file: string; line: number }): UserError {
  if (from === undefined) return new UserError(`There is no ${file}.`, { place: { file } });
  return new UserError(`${from.file} includes ${file}, which is not there.`, {
    remedy: `Commit ${file}, or take the line out.`,
    place: from,
  });
}
