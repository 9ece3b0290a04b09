import type { InvalidIndex } from './invalid-indexes.ts';

const NAME = String.raw`(?:"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*)`;
const QUALIFIED = String.raw`${NAME}(?:\s*\.\s*${NAME})*`;
const COMMENTS = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[^]*?\*\/)+/;
const CREATE = new RegExp(
  String.raw`^create\s+(?:unique\s+)?index\s+concurrently\s+(?:if\s+not\s+exists\s+)?(?:(?!on\b)(${NAME})\s+)?on\s+(?:only\s+)?(${QUALIFIED})`,
  'iu',
);
const DROP = new RegExp(
  String.raw`^drop\s+index\s+concurrently\s+(?:if\s+exists\s+)?(${QUALIFIED}(?:\s*,\s*${QUALIFIED})*)`,
  'iu',
);
const REINDEX = new RegExp(
  String.raw`^reindex\s+(?:\([^)]*\)\s*)?(index|table|schema|database|system)\s+(?:concurrently\s+)?(${QUALIFIED})?`,
  'iu',
);

/** Tells of an invalid index whether a statement may have left it; `isNew` where it was not there before the statement. */
export type Trace = (index: Pick<InvalidIndex, 'bare' | 'table' | 'isCopy'>, isNew: boolean) => boolean;

/** What a statement that works CONCURRENTLY leaves invalid where it fails; undefined for all others. */
export function traceOf(sql: string): Trace | undefined {
  const text = sql.replace(COMMENTS, '');
  const created = CREATE.exec(text);
  if (created !== null) {
    const [, name, table = ''] = created;
    const isOn = (where: string): boolean => lastOf(where) === lastOf(table);
    if (name !== undefined) return (index) => index.bare === lastOf(name) && isOn(index.table);
    return (index, isNew) => isNew && !index.isCopy && isOn(index.table);
  }
  const dropped = DROP.exec(text)?.[1];
  if (dropped !== undefined) {
    const names = new Set(dropped.match(new RegExp(QUALIFIED, 'giu'))?.map((one) => lastOf(one)));
    return (index, isNew) => isNew && names.has(index.bare);
  }
  const [, kind = '', name = ''] = (/\bconcurrently\b/i.test(text) && REINDEX.exec(text)) || [];
  if (kind === '') return undefined;
  return (index, isNew) => isNew && index.isCopy && isOf(index, kind.toLowerCase(), lastOf(name));
}

function isOf({ bare, table }: Pick<InvalidIndex, 'bare' | 'table'>, kind: string, name: string): boolean {
  // A long name is cut to make room for the ending.
  if (kind === 'index') return name.startsWith(bare.replace(/_cc(?:new|old)\d*$/, ''));
  return kind !== 'table' || lastOf(table) === name;
}

/** A name as the catalog has it, without its schema. */
function lastOf(name: string): string {
  const last = new RegExp(`${NAME}$`, 'u').exec(name.trim())?.[0] ?? '';
  return last.startsWith('"') ? last.slice(1, -1).replaceAll('""', '"') : last.toLowerCase();
}
