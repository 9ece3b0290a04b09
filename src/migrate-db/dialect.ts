import type { MigrateInputs } from './inputs.ts';

/** Whether the inputs mean MySQL or MariaDB. */
export function isMysql({ dialect, databaseUrl }: Pick<MigrateInputs, 'dialect' | 'databaseUrl'>): boolean {
  return dialect === 'mysql' || /^\s*(?:mysql|mariadb):\/\//.test(databaseUrl);
}
