import { type Place, UserError, showPlace } from '../action/errors.ts';
import type { ReadFile } from '../project/project.ts';
import { setupCfg } from './older-files.ts';
import {
  type Specifier,
  type Version,
  compareVersions,
  isPrerelease,
  parseSpecifiers,
  parseVersion,
  satisfies,
  showVersion,
} from './pep440.ts';
import { parsePoetryRange } from './poetry-range.ts';
import { isTable, parseToml, placeIn, tableAt, textAt, valueAt } from './toml.ts';

/** Which Python a project wants: every rule has to be fulfilled. */
export interface PythonRange {
  readonly rules: readonly Rule[];
  /** The rules in words, such as `>=3.11 (requires-python in pyproject.toml) and 3.12 (.python-version)`. */
  readonly reason: string;
}

/** What one file says of the version: one of its sets has to be fulfilled. */
export interface Rule {
  readonly sets: readonly (readonly Specifier[])[];
  readonly text: string;
  /** What says it, as a phrase. */
  readonly source: string;
  readonly place: Place;
}

/** The text of a rule where a file has it. */
interface Found {
  readonly text: string;
  readonly source: string;
  readonly place: Place;
}

/**
 * Finds which Python a project may run with: what `requires-python`, poetry's own table and setup.cfg allow, and what
 * .python-version, .tool-versions, mise.toml, the Pipfile and runtime.txt name. The `wanted` version takes the place of
 * the latter, so that a matrix can try several.
 * @throws UserError when one is no version, or when two exclude each other, naming both places
 */
export function pythonRange(read: ReadFile, wanted = ''): PythonRange {
  const allowed = allowedBy(read);
  const named = wanted === '' ? namedBy(read) : [inputRule(wanted)];
  const rules = [...allowed, ...named];
  checkAgreement(rules);
  const said = rules.map((one) => `${one.text} (${one.source})`).join(' and ');
  return { rules, reason: said || 'the newest there is, as the project names none' };
}

/** Whether a version, such as `3.12.1`, is in the range; pre-releases are where the range names one. */
export function inRange(version: string, { rules }: Pick<PythonRange, 'rules'>): boolean {
  const parsed = parseVersion(version);
  if (parsed === undefined) return false;
  if (isPrerelease(parsed) && !rules.some(namesPrerelease)) return false;
  return rules.every((rule) => fulfils(parsed, rule));
}

/** The newest of the versions that are in the range; undefined when none is. */
export function newestIn(versions: readonly string[], range: Pick<PythonRange, 'rules'>): string | undefined {
  const order = (a: string, b: string): number => {
    const [left, right] = [parseVersion(a), parseVersion(b)];
    return left === undefined || right === undefined ? 0 : compareVersions(right, left);
  };
  return versions.filter((version) => inRange(version, range)).toSorted(order)[0];
}

function namesPrerelease({ sets }: Rule): boolean {
  return sets.some((set) => set.some(({ version }) => isPrerelease(version)));
}

function fulfils(version: Version, { sets }: Rule): boolean {
  return sets.some((set) => satisfies(version, set));
}

function allowedBy(read: ReadFile): readonly Rule[] {
  const file = 'pyproject.toml';
  const text = read(file);
  const table = parseToml(text ?? '', file);
  const requires = textAt(table, 'project', 'requires-python');
  const poetry = textAt(table, 'tool', 'poetry', 'dependencies', 'python');
  const cfg = setupCfg(read)?.requiresPython;
  return [
    ...(requires === undefined
      ? []
      : [
          rule(
            { text: requires, source: '`requires-python`', place: placeIn(file, text, /^\s*requires-python\s*=/) },
            parseSet,
          ),
        ]),
    ...(poetry === undefined
      ? []
      : [
          rule(
            { text: poetry, source: '[tool.poetry.dependencies]', place: placeIn(file, text, /^\s*python\s*=/) },
            parsePoetryRange,
          ),
        ]),
    ...(cfg === undefined
      ? []
      : [
          rule(
            {
              text: cfg,
              source: '`python_requires`',
              place: placeIn('setup.cfg', read('setup.cfg'), /^\s*python_requires/),
            },
            parseSet,
          ),
        ]),
  ];
}

/** Files that name one version; `system` and `latest` name none. */
function namedBy(read: ReadFile): readonly Rule[] {
  const found = [
    firstLine(read, '.python-version', (line) => line),
    firstLine(read, '.tool-versions', (line) => /^python\s+(\S+)/.exec(line)?.[1]),
    mise(read, 'mise.toml'),
    mise(read, '.mise.toml'),
    ...pipfile(read),
    firstLine(read, 'runtime.txt', (line) => line),
  ];
  return found.flatMap((one) =>
    one === undefined || /^(?:system|latest)$/.test(one.text) ? [] : [rule(one, parseName)],
  );
}

function inputRule(wanted: string): Rule {
  const found = { text: wanted, source: 'the input `python-version`', place: { file: 'the input `python-version`' } };
  return rule(found, (text) => parseName(text) ?? parseSet(text));
}

function rule(found: Found, parse: (text: string) => Rule['sets'] | undefined): Rule {
  const sets = parse(found.text);
  if (sets !== undefined) return { ...found, sets };
  throw new UserError(
    `${found.source} says ${JSON.stringify(found.text.slice(0, 100))}, which is no version of CPython.`,
    {
      remedy: 'Write a version such as 3.12 or 3.12.4; a range such as ">=3.11,<3.14" where the file takes one.',
      place: found.place,
    },
  );
}

function parseSet(text: string): Rule['sets'] | undefined {
  const set = parseSpecifiers(text);
  return set === undefined ? undefined : [set];
}

/** `3.12`, `3.12.4`, `python-3.12.4`, `cpython@3.12`; a version without its last part stands for all of its line. */
function parseName(text: string): Rule['sets'] | undefined {
  const bare = text.trim().replace(/^(?:c?python[-@]?|py)/i, '');
  const version = /^\d/.test(bare) ? parseVersion(bare.replace(/\.[*x]$/, '')) : undefined;
  if (version === undefined) return undefined;
  const whole = version.release.length >= 3 || isPrerelease(version);
  return parseSet(`==${showVersion(version)}${whole ? '' : '.*'}`);
}

function mise(read: ReadFile, file: string): Found | undefined {
  const text = read(file);
  const value = valueAt(parseToml(text ?? '', file), 'tools', 'python');
  const first: unknown = Array.isArray(value) ? value[0] : value;
  const version: unknown = isTable(first) ? first['version'] : first;
  if (typeof version !== 'string') return undefined;
  return { text: version, source: file, place: placeIn(file, text, /^\s*python\s*=|^\[tools\.python\]/) };
}

function pipfile(read: ReadFile): readonly Found[] {
  const text = read('Pipfile');
  const requires = tableAt(parseToml(text ?? '', 'Pipfile'), 'requires');
  return ['python_version', 'python_full_version'].flatMap((key) => {
    const value = textAt(requires, key);
    if (value === undefined || value === '*') return [];
    const place = placeIn('Pipfile', text, new RegExp(String.raw`^\s*${key}\s*=`));
    return [{ text: value, source: `\`${key}\` in the Pipfile`, place }];
  });
}

function firstLine(read: ReadFile, file: string, pick: (line: string) => string | undefined): Found | undefined {
  const lines = (read(file) ?? '').split('\n').map((line) => line.replace(/#.*/, '').trim());
  for (const [index, line] of lines.entries()) {
    const text = line === '' ? undefined : pick(line);
    if (text !== undefined) return { text, source: file, place: { file, line: index + 1 } };
  }
  return undefined;
}

function checkAgreement(rules: readonly Rule[]): void {
  const pair = rules.flatMap((one, index) => rules.slice(index + 1).map((other) => [one, other] as const));
  for (const [one, other] of pair) if (!agree([one, other])) throw contradiction(one, other);
  if (rules.length > 2 && !agree(rules)) {
    const all = rules.map((one) => `${one.text} (${showPlace(one.place)})`).join(', ');
    throw new UserError(`No Python fulfils all of ${all}.`, { remedy: 'Change them so that they agree.' });
  }
}

/**
 * Whether any version fulfils all rules. The lowest that does is 3.0.0, a version that a rule names, or the next after
 * one, so only these are tried.
 */
function agree(rules: readonly Rule[]): boolean {
  const named = rules.flatMap(({ sets }) => sets.flatMap((set) => set.map(({ version }) => version)));
  return [{ epoch: 0, release: [3, 0, 0] }, ...named.flatMap(nextVersions)].some((version) =>
    rules.every((one) => fulfils(version, one)),
  );
}

function nextVersions(version: Version): readonly Version[] {
  const [major = 0, minor = 0, micro = 0] = version.release;
  const plain = [
    [major, minor, micro],
    [major, minor, micro + 1],
    [major, minor + 1, 0],
    [major + 1, 0, 0],
  ];
  return [version, ...plain.map((release) => ({ epoch: 0, release }))];
}

function contradiction(one: Rule, other: Rule): UserError {
  const says = ({ source, text, place }: Rule): string => `${source} says ${text} (${showPlace(place)})`;
  return new UserError(`No Python fulfils both: ${says(one)}, but ${says(other)}.`, {
    remedy: 'Change one of them so that they agree.',
    place: other.place.line === undefined ? one.place : other.place,
  });
}
