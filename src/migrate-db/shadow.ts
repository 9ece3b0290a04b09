import type { Host } from '../action/host.ts';
import { UserError, messageOf } from '../action/errors.ts';
import { inheritable } from '../action/exec.ts';
import { toolEnvironment } from '../migration/address.ts';
import type { Command } from '../migration/tool.ts';
import { rehearse } from '../rehearsal/rehearse.ts';
import type { Rehearsal } from '../rehearsal/rehearsal.ts';
import type { Migration } from '../migration/migration.ts';
import type { ShadowServer } from '../postgres/shadow-server.ts';
import type { SchemaFile } from '../rehearsal/base.ts';
import type { MigrationSet } from './sets.ts';

/** A rehearsal, or why there is none. */
export type Tried = { readonly rehearsal: Rehearsal } | { readonly missing: string };

export interface ShadowOptions {
  readonly server: ShadowServer;
  readonly schema?: SchemaFile;
  /** Milliseconds. */
  readonly statementTimeout: number;
}

const TOOL_SECONDS = 600;
const ADDRESS = { host: '127.0.0.1', port: 1, user: 'u', password: 'p', database: 'd' };

/** Rehearses a set's new migrations by its own tool, or by their SQL where that is not installed here. */
export async function tryOut(
  set: MigrationSet,
  pending: readonly Migration[],
  { server, schema, statementTimeout }: ShadowOptions,
  host: Host,
): Promise<Tried> {
  const { tool, found, migrations } = set;
  const command = tool.up?.(found, ADDRESS);
  // Nobody knows what a team's own command makes of --help.
  const runs = command !== undefined && (found.tool === 'command' || (await isRunnable(command, set, host)));
  const inSql = migrations.every(({ up }) => up !== undefined);
  if (!runs && !inSql) {
    const why = `${command?.program ?? tool.title} does not run here, and the migrations of ${tool.title} are programs`;
    return { missing: `${why}: install the project's dependencies before this action, as by npm ci` };
  }
  const rehearsal = await rehearse(
    {
      workspace: host.info.workspace,
      found,
      tool,
      migrations,
      pending: new Set(pending.map(({ id }) => id)),
      ...(schema && { schema }),
      server,
      runBy: runs ? 'tool' : 'sql',
      reverse: pending.some(({ reversible }) => reversible),
      timeouts: { statement: statementTimeout / 1000, tool: TOOL_SECONDS },
    },
    host,
  );
  return { rehearsal };
}

/** Whether the tool's program is there in the version that the repository names; asked by its own help. */
async function isRunnable({ program, args, cwd, env }: Command, { found }: MigrationSet, host: Host): Promise<boolean> {
  const path = await import('node:path');
  const name = args.findIndex((arg) =>
    /^(knex|node-pg-migrate|sequelize-cli|typeorm|typeorm-ts-node-commonjs|prisma|drizzle-kit|dbmate|alembic|python)$/.test(
      arg,
    ),
  );
  const asked = name === -1 ? [] : args.slice(0, name + 1);
  try {
    const { exitCode } = await host.exec.run(program, [...asked, '--help'], {
      cwd: path.join(host.info.workspace, cwd),
      env: toolEnvironment(inheritable(host.env), ADDRESS, env, found),
      timeout: 60_000,
    });
    return exitCode === 0 || exitCode === 2;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    host.log.debug(messageOf(error));
    return false;
  }
}
