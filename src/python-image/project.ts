import { parse } from 'smol-toml';
import { UserError, messageOf } from '../action/errors.ts';

/** A project as an image is planned from it: the files that the build context holds, and their texts. */
export interface SourceTree {
  /** Paths from the root of the build context, with `/` between their parts. */
  readonly files: readonly string[];
  /** The text of one of them; undefined when there is none. */
  readonly read: (file: string) => string | undefined;
}

/** A table of a TOML file; what is read out of it is checked where it is used. */
export type Table = Readonly<Record<string, unknown>>;

/**
 * A TOML file of the project; empty where there is none.
 * @throws UserError at the file when it is not TOML
 */
export function readToml({ read }: Pick<SourceTree, 'read'>, file: string): Table {
  const text = read(file);
  if (text === undefined) return {};
  try {
    return parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new UserError(`${file} is not TOML: ${messageOf(error)}`, {
      remedy: 'Mend it at the line that the message names.',
      place: { file },
      cause: error,
    });
  }
}

/** What stands at a path of tables, as a table; empty where there is none. */
export function tableAt(value: unknown, ...path: readonly string[]): Table {
  const found = path.reduce<unknown>((at, key) => (isTable(at) ? at[key] : undefined), value);
  return isTable(found) ? found : {};
}

/** The tables of an array; none where the value is no array. */
export function tablesIn(value: unknown): readonly Table[] {
  return Array.isArray(value) ? value.filter(isTable) : [];
}

/** The texts of an array; none where the value is no array. */
export function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** A package's name as indexes compare it (PEP 503). */
export function normalName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/g, '-');
}

/** The name of a requirement such as `psycopg[binary]>=3; python_version > "3.8"` (PEP 508), with its extras. */
export function requirementOf(text: string): { readonly name: string; readonly extras: readonly string[] } | undefined {
  const [, name, extras = ''] = /^\s*([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?/.exec(text) ?? [];
  if (name === undefined) return undefined;
  return {
    name: normalName(name),
    extras: extras
      .split(',')
      .map((one) => normalName(one.trim()))
      .filter(Boolean),
  };
}
