import { type Database, type Row, SqlError } from './database.ts';
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

/**
 * Asks in the middle of a client's transaction, which must not suffer for a question that the server refuses: a tool's
 * table may not yet be what the tool makes of it.
 * @returns undefined where it was refused, or the transaction has failed already and answers nothing
 */
export async function unharmed<T>(between: Between, question: () => Promise<T>): Promise<T | undefined> {
  if (between.state === 'E') return undefined;
  const within = between.state === 'T';
  if (within) await between.ask('SAVEPOINT migrate_db');
  try {
    const answer = await question();
    if (within) await between.ask('RELEASE migrate_db');
    return answer;
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    if (within) await between.ask('ROLLBACK TO migrate_db');
    if (within) await between.ask('RELEASE migrate_db');
    return undefined;
  }
}

/** A value as SQL. The text that it stands in is this product's own and has no `$1` but for parameters. */
function literal(value: string | number | boolean | null | undefined, whole: string): string {
  if (value === undefined) return whole;
  if (value === null) return 'NULL';
  if (typeof value !== 'string') return String(value);
  const quoted = value.replaceAll("'", "''");
  return quoted.includes('\\') ? ` E'${quoted.replaceAll('\\', '\\\\')}'` : `'${quoted}'`;
}
