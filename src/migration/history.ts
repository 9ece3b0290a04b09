import type { Database, Row } from '../postgres/database.ts';

/** A name as PostgreSQL takes it literally. */
export function quoted(...parts: readonly string[]): string {
  return parts.map((part) => `"${part.replaceAll('"', '""')}"`).join('.');
}

/** A text as PostgreSQL takes it literally. */
export function literal(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** Rows of a tool's own table, none where it does not exist: asking for a missing one would end a transaction. */
export async function historyRows(
  database: Pick<Database, 'query'>,
  table: string,
  columns: string,
  rest = '',
): Promise<readonly Row[]> {
  const [known] = await database.query(`SELECT to_regclass(${literal(table)}) IS NOT NULL AS is_there`);
  return known?.['is_there'] === true ? database.query(`SELECT ${columns} FROM ${table} ${rest}`) : [];
}

/** A value of a row as text. */
export function textOf(row: Row, name: string): string {
  const value = row[name];
  if (value instanceof Date) return value.toISOString();
  return value === null || value === undefined ? '' : String(value);
}
