import { createHash } from 'node:crypto';
import type { ApplyReport } from '../../src/apply/report.ts';
import type { Limits } from '../../src/apply/limits.ts';
import type { Moment } from '../../src/apply/run-script.ts';
import type { Migration } from '../../src/migration/migration.ts';
import type { Tool } from '../../src/migration/tool.ts';
import { sql } from '../../src/migration/tools/sql.ts';
import { type MysqlApplyRequest, applyMysql } from '../../src/mysql/mysql.ts';
import type { Connection } from '../../src/postgres/database.ts';
import { found, testHost } from '../apply/scene.ts';

/** A script as tests write it down: its name and its SQL. */
export type Script = readonly [name: string, sql: string];

export const sqlTool: Tool = sql;

/** Scripts as migrations of the tool `sql`. */
export function migrationsOf(scripts: readonly Script[]): readonly Migration[] {
  return scripts.map(([name, text]) => {
    const file = `migrations/${name}.sql`;
    const checksum = createHash('sha256').update(text).digest('hex');
    const up = { file, sql: text, firstLine: 1, transaction: true };
    return { id: name, name, file, checksum, reversible: false, up };
  });
}

/** Applies scripts as a run would. */
export async function apply(
  connection: Connection,
  scripts: readonly Script[],
  options: {
    readonly signal?: AbortSignal;
    readonly limits?: Partial<Limits>;
    readonly moment?: (moment: Moment) => void;
    readonly tool?: Partial<MysqlApplyRequest>;
  } = {},
): Promise<ApplyReport & { readonly lines: readonly string[] }> {
  const { signal, limits, moment, tool } = options;
  const { host, lines } = testHost(signal);
  const report = await applyMysql(
    {
      tool: sqlTool,
      found,
      migrations: migrationsOf(scripts),
      connection: async () => connection,
      ...(limits && { limits }),
      ...(moment && { moment }),
      ...tool,
    },
    host,
  );
  return { ...report, lines };
}
