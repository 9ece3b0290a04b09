import { UserError } from '../action/errors.ts';
import type { Migration, Script } from '../migration/migration.ts';
import { type Database, SqlError } from '../postgres/database.ts';
import { splitScript } from '../sql/split.ts';
import { placeOf } from './place.ts';
import type { RehearsalFailure } from './rehearsal.ts';

/** Runs a script's statements one by one as its tool would. @returns what failed, where that is SQL */
export async function runScript(
  database: Database,
  migration: Migration,
  script: Script,
): Promise<RehearsalFailure | undefined> {
  if (script.transaction) await database.query('BEGIN');
  for (const statement of splitScript(script.sql, script.firstLine).statements) {
    try {
      await database.query(statement.sql);
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      await database.query('ROLLBACK').catch(() => undefined);
      return { migration, message: error.message, place: placeOf(script, statement, error), error };
    }
  }
  if (!script.transaction) return undefined;
  try {
    await database.query('COMMIT');
    return undefined;
  } catch (error) {
    // Constraints may be checked as late as here.
    if (!(error instanceof SqlError)) throw error;
    return { migration, message: error.message, place: { file: script.file }, error };
  }
}

/** The SQL of a migration. @throws UserError where only its tool can run it */
export function scriptOf(migration: Migration): Script {
  if (migration.up !== undefined) return migration.up;
  throw new UserError(`${migration.file} is no SQL, and its tool can't be run`, {
    place: { file: migration.file },
    remedy: 'Install the dependencies of the repository in a step before this one, so that the tool itself runs it.',
  });
}
