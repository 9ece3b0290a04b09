import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { splitScript } from '../../sql/split.ts';
import { type Source, readSource, within } from '../files.ts';
import type { Script } from '../migration.ts';

/** The files of a folder whose names fit, as they stand, in the order of their names. */
export async function sourcesIn(workspace: string, directory: string, name: RegExp): Promise<readonly Source[]> {
  const entries = await readdir(path.join(workspace, directory), { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile() && name.test(entry.name)).map((entry) => entry.name);
  return Promise.all(
    names.toSorted((a, b) => (a < b ? -1 : 1)).map(async (one) => readSource(workspace, within(directory, one))),
  );
}

/** The same with those of all folders below it. */
export async function sourcesBelow(workspace: string, directory: string, name: RegExp): Promise<readonly Source[]> {
  const root = path.join(workspace, directory);
  const entries = await readdir(root, { withFileTypes: true, recursive: true });
  const files = entries
    .filter((entry) => entry.isFile() && name.test(entry.name))
    .map((entry) => path.relative(workspace, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'));
  return Promise.all(files.toSorted((a, b) => (a < b ? -1 : 1)).map(async (file) => readSource(workspace, file)));
}

/** The whole of a file. */
export function wholeOf({ file, text }: Source, transaction: boolean): Script {
  return { file, sql: text, firstLine: 1, transaction };
}

/** The part of a file from the line after `from`, or the first, up to that of `to`, or its end. */
export function partOf(
  { file, text }: Source,
  from: RegExp | undefined,
  to: RegExp,
  transaction: boolean,
): Script | undefined {
  const lines = text.split('\n');
  const start = from === undefined ? -1 : lines.findIndex((line) => from.test(line));
  if (from !== undefined && start === -1) return undefined;
  const length = lines.slice(start + 1).findIndex((line) => to.test(line));
  const end = length === -1 ? lines.length : start + 1 + length;
  return { file, sql: lines.slice(start + 1, end).join('\n'), firstLine: start + 2, transaction };
}

/** Whether a script does anything at all. */
export function isEmpty({ sql }: Script): boolean {
  return splitScript(sql).statements.length === 0;
}

/**
 * Whether the server makes one transaction of a text that is sent to it as one query, as golang-migrate and Prisma do:
 * it does of several statements (PostgreSQL manual, 55.2.2.1), unless they begin one themselves.
 */
export function isOneTransaction(sql: string): boolean {
  const { statements } = splitScript(sql);
  return statements.length > 1 && !/^(?:begin|start\s+transaction)\b/i.test(statements[0]?.sql ?? '');
}

/** Numbers and dots in their order: `2` before `10`, `1.2` before `1.10`. */
export function byVersion(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(/[._]/).map((part) => BigInt(/^\d+$/.test(part) ? part : '0')));
  for (let i = 0; i < Math.max(left?.length ?? 0, right?.length ?? 0); i += 1) {
    const [x = 0n, y = 0n] = [left?.[i], right?.[i]];
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}
