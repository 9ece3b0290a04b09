import { TomlError, parse } from 'smol-toml';
import { type Place, UserError } from '../action/errors.ts';

/** A table of a TOML file; what stands in it is not checked yet. */
export type Table = Readonly<Record<string, unknown>>;

/**
 * Reads a TOML file.
 * @throws UserError with file, line and column when it is none
 */
export function parseToml(text: string, file: string): Table {
  try {
    return parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = 'it cannot be read'] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
    throw new UserError(`${file} is not TOML: ${what}`, {
      remedy: 'Mend the line that is named.',
      place: { file, line: error.line, column: error.column },
      cause: error,
    });
  }
}

/** Whether a value is a table. */
export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** What stands under a path of keys; undefined where nothing does. */
export function valueAt(table: Table, ...keys: readonly string[]): unknown {
  let value: unknown = table;
  for (const key of keys) {
    if (!isTable(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/** The table under a path of keys; an empty one where there is none. */
export function tableAt(table: Table, ...keys: readonly string[]): Table {
  const value = valueAt(table, ...keys);
  return isTable(value) ? value : {};
}

/** The text under a path of keys; undefined where there is none. */
export function textAt(table: Table, ...keys: readonly string[]): string | undefined {
  const value = valueAt(table, ...keys);
  return typeof value === 'string' ? value : undefined;
}

/** The texts of the list under a path of keys; whatever else stands in it is left out. */
export function textsAt(table: Table, ...keys: readonly string[]): readonly string[] {
  const value = valueAt(table, ...keys);
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

/** Whether anything stands under a path of keys. */
export function has(table: Table, ...keys: readonly string[]): boolean {
  return valueAt(table, ...keys) !== undefined;
}

/** Where the first line that matches stands, for a mistake that the reader of TOML itself does not see. */
export function placeIn(file: string, text: string | undefined, line: RegExp): Place {
  const index = (text ?? '').split('\n').findIndex((one) => line.test(one));
  return index === -1 ? { file } : { file, line: index + 1 };
}
