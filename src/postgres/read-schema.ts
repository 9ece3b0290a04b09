import type { Database } from './database.ts';
import type { Schema } from './schema.ts';
import { SCHEMA_QUERY } from './schema-query.ts';

/** What is left out of a schema. */
export interface SchemaOptions {
  /** Tables such as those in which tools write what they applied, by the names that this schema gives them. */
  readonly without?: readonly string[];
}

/**
 * The schema of a database, as its transaction sees it. Two servers of a major version that ran the same migrations give
 * the same. It asks in the session it gets, whose search path is as it was afterwards.
 */
export async function readSchema(database: Database, { without = [] }: SchemaOptions = {}): Promise<Schema> {
  const [{ path } = { path: '' }] = await database.query<{ path: string }>(
    "SELECT current_setting('search_path') AS path",
  );
  // With no path every definition names its schemas, whatever the session's own path is.
  await setPath(database, '');
  const rows = await database.query<{ object: string; definition: string | null }>(SCHEMA_QUERY, [
    arrayLiteral(without),
  ]);
  await setPath(database, path);
  return { objects: new Map(rows.map(({ object, definition }) => [object, definition ?? ''])) };
}

async function setPath(database: Database, path: string): Promise<void> {
  await database.query("SELECT set_config('search_path', $1, false)", [path]);
}

/** Names as the text of an array (PostgreSQL manual, 8.15.2). */
function arrayLiteral(names: readonly string[]): string {
  return `{${names.map((name) => `"${name.replaceAll(/["\\]/g, String.raw`\$&`)}"`).join(',')}}`;
}
