import { type Place, UserError } from '../action/errors.ts';

/** What an ignore file says of one path; hand it on when asking for what lies below. */
export interface Verdict {
  /** Whether the path stays out of the build context. */
  readonly excluded: boolean;
  /** Which patterns matched, in their order. */
  readonly matched: readonly boolean[];
}

/** The patterns of an ignore file. */
export interface Ignore {
  /**
   * Whether a path stays out.
   * @param path relative to the context, with `/` between its parts
   * @param parent the verdict on the folder that holds it, unless that is the context itself
   */
  judge(path: string, parent?: Verdict): Verdict;
  /** Whether an exception may take back something below this excluded folder, so that it must be read. */
  mayTakeBackBelow(folder: string): boolean;
}

interface Pattern {
  readonly text: string;
  readonly exception: boolean;
  matches(path: string): boolean;
}

/**
 * Reads a .dockerignore. Its rules are docker's own (github.com/moby/patternmatcher, with its quirks): patterns are
 * paths from the context's root, `*` and `?` stop at `/`, `**` does not, `!` takes back, the last match wins, and
 * what matches a folder matches all below. Rules of .gitignore differ in most of these.
 * @throws UserError for a pattern that docker refuses too, with its line in `file`
 */
export function parseIgnore(text: string, file = '.dockerignore'): Ignore {
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  const patterns = lines.flatMap((line, index) => parseLine(line, { file, line: index + 1 }));
  const exceptions = patterns.filter(({ exception }) => exception).map((pattern) => withoutTrailingGlob(pattern.text));
  const wildExceptions = exceptions.some((pattern) => /[*?[\]^\\]/.test(pattern));
  return {
    judge(path, parent) {
      let excluded = false;
      const matched = patterns.map((pattern, index) => {
        // A pattern that could not change the verdict is not looked at: docker's folders remember no match either.
        const worthwhile = pattern.exception === excluded;
        const match = parent?.matched[index] === true || (worthwhile && pattern.matches(path));
        if (match) excluded = !pattern.exception;
        return match;
      });
      return { excluded, matched };
    },
    mayTakeBackBelow: (folder) => wildExceptions || exceptions.some((text) => `${text}/`.startsWith(`${folder}/`)),
  };
}

function parseLine(raw: string, place: Place): readonly Pattern[] {
  const line = raw.trim();
  if (raw.startsWith('#') || line === '') return [];
  const exception = line.startsWith('!');
  const text = clean(exception ? line.slice(1).trim() : line);
  if (text === '' || !isWellFormed(text)) throw badPattern(line, place);
  return [{ text, exception, matches: matcher(text, line, place) }];
}

/** Go's filepath.Clean, without the slash in front. */
function clean(pattern: string): string {
  if (pattern === '') return '';
  const parts: string[] = [];
  for (const part of pattern.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part === '..' && pattern.startsWith('/')) continue;
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/') || (pattern.startsWith('/') ? '/' : '.');
}

/** Go's filepath.Match refuses a range that is empty or open, and a backslash at the end. */
function isWellFormed(pattern: string): boolean {
  return /^(?:\\[^]|[^[\\]|\[\^?(?:(?:\\[^]|[^\\\]-])(?:-(?:\\[^]|[^\\\]-]))?)+\])*$/.test(pattern);
}

/** Patterns with `**` at one end alone are compared as texts, so there it stands for part of a name too. */
function matcher(pattern: string, line: string, place: Place): (path: string) => boolean {
  const [, open, middle, rest] = /^(\*\*)?([^*?[\]\\]*)(\*\*)?$/.exec(pattern) ?? [];
  if (middle !== undefined && rest === undefined) {
    if (open === undefined) return (path) => path === middle;
    return (path) => path.endsWith(middle) || `/${path}` === middle;
  }
  if (middle !== undefined && open === undefined) return (path) => path.startsWith(middle);
  try {
    const expression = new RegExp(`^${asExpression(pattern)}$`);
    return (path) => expression.test(path);
  } catch {
    throw badPattern(line, place);
  }
}

function asExpression(pattern: string): string {
  const tokens = pattern.match(/\*\*\/?|\\[^]|[^]/g) ?? [];
  const parts = tokens.map((token, index) => {
    if (token.startsWith('**')) return index === tokens.length - 1 ? '.*' : '(?:.*/)?';
    if (token === '*') return '[^/]*';
    if (token === '?') return '[^/]';
    return /^[.+()|{}$]$/.test(token) ? `\\${token}` : token;
  });
  return parts.join('');
}

function withoutTrailingGlob(pattern: string): string {
  return pattern.replace(/\/\*\*$/, '').replace(/\/\*$/, '');
}

function badPattern(pattern: string, place: Place): UserError {
  return new UserError(`${JSON.stringify(pattern)} is not a pattern that docker understands.`, {
    remedy: 'Mend the line; https://docs.docker.com/build/concepts/context/#dockerignore-files shows the syntax.',
    place,
  });
}
