import type { Place } from '../action/errors.ts';
import type { Migration, Script } from '../migration/migration.ts';
import type { SqlError } from '../postgres/database.ts';
import { splitScript } from '../sql/split.ts';
import type { Statement } from '../sql/statement.ts';

/** Where a statement stands in the file of its script; where the server names a character of it, that. */
export function placeOf(script: Script, statement: Statement, error?: SqlError): Place {
  const { file } = script;
  const { line, column, endLine } = statement;
  if (error?.position === undefined) return { file, line, column, endLine };
  // The server counts characters, JavaScript their UTF-16 units.
  const before = Array.from(statement.sql)
    .slice(0, error.position - 1)
    .join('');
  const lines = before.split('\n');
  const last = lines.at(-1)?.length ?? 0;
  return { file, line: line + lines.length - 1, column: lines.length === 1 ? column + last : last + 1 };
}

/**
 * Finds statements, in the order in which a server got them, in a migration's file: among those of its script, else
 * anywhere in the file's text, as in the code of a Knex migration.
 */
export class Places {
  private readonly migration: Migration;
  private readonly text: string;
  private readonly statements: readonly Statement[];
  private next = 0;

  /** @param text of the migration's file */
  constructor(migration: Migration, text: string) {
    this.migration = migration;
    this.text = text;
    this.statements =
      migration.up === undefined ? [] : splitScript(migration.up.sql, migration.up.firstLine).statements;
  }

  find(sql: string, error?: SqlError): Place {
    const { file, up } = this.migration;
    const wanted = squeezed(sql);
    const order = [...this.statements.slice(this.next), ...this.statements.slice(0, this.next)];
    const statement = order.find((one) => squeezed(one.sql) === wanted);
    if (statement !== undefined && up !== undefined) {
      this.next = this.statements.indexOf(statement) + 1;
      return placeOf(up, statement, error);
    }
    const words = sql.trim().replace(/;$/, '').split(/\s+/).slice(0, 200);
    const found = new RegExp(
      words.map((word) => word.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)).join(String.raw`\s+`),
    ).exec(this.text);
    if (found === null) return { file };
    const before = this.text.slice(0, found.index).split('\n');
    return { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  }
}

function squeezed(sql: string): string {
  return sql.replace(/;\s*$/, '').replaceAll(/\s+/g, ' ').trim();
}
