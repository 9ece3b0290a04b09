import { type Problem, UserError } from '../action/errors.ts';
import type { Migration } from '../migration/migration.ts';
import type { Statement } from '../sql/statement.ts';
import type { MysqlScript } from './run-script.ts';
import { splitMysql } from '../mysql-sql/split.ts';

/** What would keep the record of what is done from being written, or be written at the wrong time. */
const REFUSED = [
  { when: /^\W*lock\s+tables?\b/i, what: 'LOCK TABLES keeps the record of what is done from being written' },
  {
    when: /^\W*flush\s+tables\b.*\bwith\s+read\s+lock\b/is,
    what: 'a global read lock keeps the record from being written',
  },
  {
    when: /^\W*set\s+(?:session\s+|@@(?:session\.)?)?autocommit\b/i,
    what: 'autocommit decides when the record counts',
  },
  { when: /^\W*xa\b/i, what: 'a transaction of XA keeps the record from being written' },
] as const;

/**
 * Cuts the scripts that this product itself runs.
 * @throws UserError with all that can't be run, before anything of it is
 */
export function mysqlScripts(migrations: readonly Migration[]): readonly MysqlScript[] {
  const problems: Problem[] = [];
  const scripts = migrations.map((migration): MysqlScript => {
    const { up, file } = migration;
    if (up === undefined) {
      problems.push({ message: `${file} has no SQL that could be run`, remedy: 'Write its SQL as a file of its own.' });
      return { migration, statements: [] };
    }
    const { statements, oddities } = splitMysql(up.sql, up.firstLine);
    for (const { kind, what, offset } of oddities) {
      const line = up.firstLine + up.sql.slice(0, offset).split('\n').length - 1;
      problems.push({
        message:
          kind === 'unterminated'
            ? `A ${what} never ends in this script`
            : `${what} is a command of the mysql client, not SQL`,
        remedy: kind === 'unterminated' ? 'Close it.' : 'Write it as SQL.',
        place: { file, line },
      });
    }
    problems.push(...statements.flatMap((statement) => refusal(statement, file)));
    return { migration, statements };
  });
  if (problems.length > 0) throw UserError.all(problems, 'These scripts cannot be run, so nothing was applied');
  return scripts;
}

function refusal({ sql, line }: Statement, file: string): readonly Problem[] {
  const found = REFUSED.find(({ when }) => when.test(sql.slice(0, 300)));
  return found === undefined ? [] : [{ message: found.what, remedy: 'Take it out.', place: { file, line } }];
}
