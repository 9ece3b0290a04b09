import type { SqlError } from './database.ts';

/**
 * What the server said, without what it quotes of rows: values of keys, by MySQL too, whole rows, and inputs that no
 * type takes (SQLSTATE class 22). A run's page may be read by more people than the table.
 */
export function discreetError({ message, code, detail }: Pick<SqlError, 'message' | 'code' | 'detail'>): string {
  const said = code.startsWith('22') ? message.replaceAll(/: "[^]*"/g, ': "…"') : message;
  const shown = said.replace(/(?<=^Duplicate entry )'[^]*'(?= for key)/, "'…'");
  const more = detail?.replace(/=\([^]*\)(?= [a-z])/, '=(…)').replace(/(?<=row contains )\([^]*\)/, '(…)');
  return more === undefined ? shown : `${shown} (${more})`;
}
