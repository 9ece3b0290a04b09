import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import type { Place } from '../../src/action/errors.ts';
import { localExec } from '../../src/action/exec.ts';
import type { RunInfo } from '../../src/action/host.ts';
import type { Log } from '../../src/action/log.ts';
import { systemClock } from '../../src/action/main.ts';
import { applyMigrations } from '../../src/apply/apply.ts';
import type { ApplyHost } from '../../src/apply/attempt.ts';
import type { ApplyReport } from '../../src/apply/report.ts';
import type { ApplyRequest } from '../../src/apply/request.ts';
import type { Migration } from '../../src/migration/migration.ts';
import { foundSql, sql } from '../../src/migration/tools/sql.ts';
import type { Connection } from '../../src/postgres/database.ts';

/** A script as tests write it down: its name, its SQL, and whether it runs outside of a transaction. */
export type Script = readonly [name: string, sql: string, outside?: 'outside'];

export const found = foundSql('migrations', 'a test');

/** Scripts as migrations of the tool `sql`. */
export function migrationsOf(scripts: readonly Script[]): readonly Migration[] {
  return scripts.map(([name, sql, outside]) => {
    const file = `migrations/${name}.sql`;
    const checksum = createHash('sha256').update(sql).digest('hex');
    const up = { file, sql, firstLine: 1, transaction: outside === undefined };
    return { id: name, name, file, checksum, reversible: false, up };
  });
}

/** A host that keeps what was logged, with everything else real. */
export function testHost(signal = new AbortController().signal): {
  readonly host: ApplyHost;
  readonly lines: string[];
} {
  const lines: string[] = [];
  const write = (message: string, _place?: Place): void => void lines.push(message);
  const log: Log = {
    info: write,
    debug: write,
    warning: write,
    error: write,
    notice: write,
    group: async (_, body) => body(),
  };
  const info = { workspace: tmpdir(), runId: '42', runAttempt: '1' } as RunInfo;
  return {
    host: { exec: localExec(process.env, signal), log, clock: systemClock, signal, info, env: process.env },
    lines,
  };
}

/** Applies scripts as a run would. */
export async function apply(
  connection: Connection,
  scripts: readonly Script[],
  options: Partial<ApplyRequest> & { readonly signal?: AbortSignal; readonly workspace?: string } = {},
): Promise<ApplyReport & { readonly lines: readonly string[] }> {
  const { signal, workspace, ...request } = options;
  const { host, lines } = testHost(signal);
  const migrations = migrationsOf(scripts);
  const report = await applyMigrations(
    { tool: sql, found, migrations, pending: migrations, connection: async () => connection, ...request },
    workspace === undefined ? host : { ...host, info: { ...host.info, workspace } },
  );
  return { ...report, lines };
}
