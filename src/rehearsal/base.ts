import { SqlError, type Database } from '../postgres/database.ts';
import { splitScript } from '../sql/split.ts';
import { UserError } from '../action/errors.ts';

/** Production's schema as `pg_dump --schema-only` or `capture-schema` writes it. */
export interface SchemaFile {
  /** Path from the root of the repository. */
  readonly file: string;
  readonly sql: string;
}

/** Settings that a newer pg_dump writes and an older server lacks, extensions that this machine has not. */
const UNKNOWN_SETTING = '42704';
const MISSING = new Set(['0A000', '58P01', '42883']);

/**
 * Makes an empty database what production is. Roles that it names are made without rights; what this server can't have,
 * such as an extension that is not installed here, is left out.
 * @returns a sentence for each thing that was left out
 * @throws UserError at the line that the server refuses
 */
export async function loadSchema(database: Database, { file, sql }: SchemaFile): Promise<readonly string[]> {
  const notes: string[] = [];
  for (const statement of splitScript(sql).statements) {
    const error = await run(database, statement.sql);
    if (error === undefined) continue;
    const first = statement.sql.slice(0, 100).toLowerCase();
    if (error.code === UNKNOWN_SETTING && first.startsWith('set ')) continue;
    if (/^(create extension|comment on extension)/.test(first) && (MISSING.has(error.code) || error.code === '42704')) {
      notes.push(`${file}:${statement.line}: ${error.message}; what needs it fails here`);
      continue;
    }
    throw new UserError(`${file}:${statement.line}: ${error.message}`, {
      place: { file, line: statement.line, endLine: statement.endLine },
      remedy: 'Write the file again from production by capture-schema, with the pg_dump of its own version.',
      cause: error,
    });
  }
  // A dump empties the search path, by which tools find their tables.
  await database.query('RESET ALL');
  return notes;
}

async function run(database: Database, sql: string): Promise<SqlError | undefined> {
  for (let roles = 0; roles < 20; roles += 1) {
    try {
      await database.query(sql);
      return undefined;
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      const [, role] = /^role "(.+)" does not exist$/.exec(error.message) ?? [];
      if (role === undefined) return error;
      await database.query(`CREATE ROLE "${role.replaceAll('"', '""')}" NOLOGIN`);
    }
  }
  throw new UserError('A statement of the schema names more roles than it may');
}
