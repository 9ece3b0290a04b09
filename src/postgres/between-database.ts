import type { Database, Row } from './database.ts';
import type { Between } from './relay-hooks.ts';

/** A client's session as a database, so that what is asked sees what its transaction did. Closing it does nothing. */
export function databaseOf(between: Between, version: number): Database {
  return {
    version,
    query: async <T extends Row>(sql: string, parameters: Parameters<Database['query']>[1] = []) =>
      between.ask<T>(sql.replaceAll(/\$(\d+)/g, (whole, at: string) => literal(parameters[Number(at) - 1], whole))),
    close: async () => undefined,
  };
}

/** A value as SQL. The text that it stands in is this product's own and has no `$1` but for parameters. */
function literal(value: string | number | boolean | null | undefined, whole: string): string {
  if (value === undefined) return whole;
  if (value === null) return 'NULL';
  if (typeof value !== 'string') return String(value);
  const quoted = value.replaceAll("'", "''");
  return quoted.includes('\\') ? ` E'${quoted.replaceAll('\\', '\\\\')}'` : `'${quoted}'`;
}
