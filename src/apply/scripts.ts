import { type Problem, UserError } from '../action/errors.ts';
import type { Migration } from '../migration/migration.ts';
import { splitScript } from '../sql/split.ts';
import type { Statement } from '../sql/statement.ts';

/** A migration whose script is cut into statements. */
export interface ScriptedMigration {
  readonly migration: Migration;
  readonly statements: readonly Statement[];
  /** Whether all of it is one transaction. */
  readonly transaction: boolean;
}

const CONTROL =
  /^\s*(begin|start\s+transaction|commit|end|rollback|abort|prepare\s+transaction)\b(?!\s+(?:to|prepared)\b)/i;

/**
 * Cuts the scripts that this product itself runs.
 * @throws UserError with all that can't be run, before anything of it is
 */
export function scriptedMigrations(migrations: readonly Migration[]): readonly ScriptedMigration[] {
  const problems: Problem[] = [];
  const scripted = migrations.map((migration): ScriptedMigration => {
    const { up, file } = migration;
    if (up === undefined) {
      problems.push({ message: `${file} has no SQL that could be run`, remedy: 'Write its SQL as a file of its own.' });
      return { migration, statements: [], transaction: true };
    }
    const { statements, oddities } = splitScript(up.sql, up.firstLine);
    for (const { kind, what, offset } of oddities) {
      const line = up.firstLine + up.sql.slice(0, offset).split('\n').length - 1;
      problems.push({ ...oddity(kind, what), place: { file, line } });
    }
    const own = up.transaction ? statements.find(({ sql }) => CONTROL.test(sql)) : undefined;
    if (own !== undefined) {
      problems.push({
        message: `${own.sql.slice(0, 40)} stands in a script that is run in one transaction already`,
        remedy: 'Take it out, or have the script run outside of a transaction.',
        place: { file, line: own.line },
      });
    }
    return { migration, statements, transaction: up.transaction };
  });
  if (problems.length > 0) throw UserError.all(problems, 'These scripts cannot be run, so nothing was applied');
  return scripted;
}

function oddity(kind: 'unterminated' | 'psql-command' | 'copy-from-stdin', what: string): Problem {
  switch (kind) {
    case 'unterminated':
      return { message: `Something never ends in this script: ${what}`, remedy: 'Close it.' };
    case 'psql-command':
      return { message: `${what.slice(0, 60)} is a command of psql, not SQL`, remedy: 'Write it as SQL.' };
    case 'copy-from-stdin':
      return { message: 'COPY … FROM STDIN has its data in the script', remedy: 'Write the rows as INSERT.' };
  }
}

/** What a statement is to a transaction. */
export function controlOf(sql: string): 'begin' | 'end' | undefined {
  const word = CONTROL.exec(sql)?.[1]?.toLowerCase();
  if (word === undefined) return undefined;
  return word === 'begin' || word.startsWith('start') ? 'begin' : 'end';
}

/** Whether a statement only sets something for its session, so that a new one needs it again. */
export function isSetting(sql: string): boolean {
  return /^\s*(set(?!\s+(?:local|constraints|transaction)\b)|reset|load)\b/i.test(sql);
}

/** Whether running a statement again, of which nobody knows whether it ended, does no harm. */
export function mayRunTwice(sql: string): boolean {
  return (
    /^\s*(vacuum|analyze|reindex|cluster|refresh|checkpoint|set|reset|select\s+set_config)\b/i.test(sql) ||
    /^\s*(create|alter|drop)\b[^;]{0,200}?\bif\s+(not\s+)?exists\b/i.test(sql) ||
    /^\s*alter\s+system\b/i.test(sql)
  );
}
