import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inheritable, localExec } from '../../src/action/exec.ts';
import { workflowLog } from '../../src/action/log.ts';
import type { Migration } from '../../src/migration/migration.ts';
import type { Found, Tool } from '../../src/migration/tool.ts';
import type { RehearsalHost, RehearsalRequest } from '../../src/rehearsal/request.ts';
import { bringPostgres } from '../postgres.ts';
import { startServer } from '../../src/postgres/server.ts';
import type { ShadowServer } from '../../src/postgres/shadow-server.ts';

/** A repository of SQL files in a folder of its own. */
export interface Repository {
  readonly workspace: string;
  /** Writes a migration, and its way back where there is one. */
  migration(name: string, up: string, more?: { readonly down?: string; readonly transaction?: boolean }): Migration;
  remove(): void;
}

export function repository(): Repository {
  const workspace = mkdtempSync(path.join(tmpdir(), 'rehearsal-test-'));
  mkdirSync(path.join(workspace, 'db'));
  return {
    workspace,
    migration(name, up, { down, transaction = true } = {}) {
      const file = `db/${name}.sql`;
      writeFileSync(path.join(workspace, file), up);
      return {
        id: name,
        name,
        file,
        checksum: createHash('sha256').update(up).digest('hex'),
        up: { file, sql: up, firstLine: 1, transaction },
        ...(down !== undefined && { down: { file: `db/${name}.down.sql`, sql: down, firstLine: 1, transaction } }),
        reversible: down !== undefined,
      };
    },
    remove: () => rmSync(workspace, { recursive: true, force: true }),
  };
}

/** The tool of plain SQL, as far as a rehearsal uses one. */
export const SQL_TOOL: Tool = {
  name: 'sql',
  title: 'SQL files',
  read: async () => [],
  applied: async () => [],
  check: () => [],
};

export const FOUND: Found = { tool: 'sql', project: '', directory: 'db', reason: 'a test', settings: {} };

export function hostOf(signal: AbortSignal, lines: string[] = []): RehearsalHost {
  return {
    exec: localExec(inheritable(process.env), signal),
    log: workflowLog((line) => void lines.push(line)),
    clock: { now: () => Date.now(), sleep: async (ms) => sleep(ms) },
    signal,
    env: process.env,
  };
}

export async function shadowServer(): Promise<ShadowServer> {
  await bringPostgres();
  return startServer({}, { env: process.env, signal: new AbortController().signal, mask: () => {} });
}

/** A request to rehearse the last `count` of these by their SQL. */
export function requestOf(
  { workspace }: Repository,
  server: ShadowServer,
  migrations: readonly Migration[],
  { count = 1, ...more }: Partial<RehearsalRequest> & { readonly count?: number } = {},
): RehearsalRequest {
  return {
    workspace,
    found: FOUND,
    tool: SQL_TOOL,
    migrations,
    pending: new Set(migrations.slice(-count).map(({ id }) => id)),
    server,
    runBy: 'sql',
    reverse: false,
    timeouts: { statement: 30, tool: 60 },
    ...more,
  };
}
