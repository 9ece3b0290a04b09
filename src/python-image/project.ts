import type { ReadFile } from '../project/project.ts';
import { type Table, isTable, parseToml } from '../python/toml.ts';

/** A project as an image is planned from it: the files that the build context holds, and their texts. */
export interface SourceTree {
  /** Paths from the root of the build context, with `/` between their parts. */
  readonly files: readonly string[];
  readonly read: ReadFile;
}

/**
 * A TOML file of the project; empty where there is none.
 * @throws UserError at its line when it is not TOML
 */
export function readToml({ read }: Pick<SourceTree, 'read'>, file: string): Table {
  return parseToml(read(file) ?? '', file);
}

/** The tables of an array; none where the value is no array. */
export function tablesIn(value: unknown): readonly Table[] {
  return Array.isArray(value) ? value.filter(isTable) : [];
}
