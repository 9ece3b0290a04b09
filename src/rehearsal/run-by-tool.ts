import path from 'node:path';
import { UserError } from '../action/errors.ts';
import { toolEnvironment } from '../migration/address.ts';
import type { Migration } from '../migration/migration.ts';
import type { Command } from '../migration/tool.ts';
import { databaseOf, unharmed } from '../postgres/between-database.ts';
import type { Between } from '../postgres/relay-hooks.ts';
import { type RunResult, inheritable } from '../action/exec.ts';
import { historyTables } from './history.ts';
import { inTime } from './in-time.ts';
import { bare } from './names.ts';
import type { Sighting } from './observer.ts';
import type { RehearsalFailure } from './rehearsal.ts';
import { type Stage, closingOf, startWatching } from './stage.ts';
import { writesRows } from './statement-kind.ts';

/**
 * Lets the repository's own tool apply everything. Which statements are a migration's is told by the tool's own table:
 * after each statement that writes it, what is new there has just ended.
 * @returns what failed
 * @throws UserError where it can't be run
 */
export async function runByTool(stage: Stage): Promise<RehearsalFailure | undefined> {
  const { request, observer, beside, address } = stage;
  const { tool, found, migrations, pending } = request;
  if (tool.up === undefined) throw new TypeError(`${tool.title} has no command of its own`);
  const done = new Set((await tool.applied(beside, found, migrations)).map(({ id }) => id));
  const old = migrations.find(({ id }) => !pending.has(id) && !done.has(id));
  if (old !== undefined && request.schema !== undefined) {
    throw new UserError(
      `${request.schema.file} has the tables of production, but not the rows by which ${tool.title} knows that ${old.name} was applied`,
      { remedy: 'Write it by capture-schema, which adds them.', place: { file: request.schema.file } },
    );
  }
  const left = migrations.filter(({ id }) => !done.has(id));
  observer.watching = isPending(left[0], pending);
  if (observer.watching) await startWatching(stage, beside);
  stage.heard = async (sighting, between) => heard(stage, left, sighting, between);
  const result = await runCommand(stage, tool.up(found, address), request.timeouts.tool);
  stage.heard = undefined;
  return failureOf(stage, left, result);
}

/** Runs a command of the tool in the repository. */
export async function runCommand(
  { request, host, address }: Stage,
  { program, args, cwd, env }: Command,
  seconds: number,
): Promise<RunResult> {
  return host.exec.run(program, args, {
    cwd: path.join(request.workspace, cwd),
    env: toolEnvironment(inheritable(host.env), address, env, request.found),
    timeout: seconds * 1000,
    onLine: (line) => host.log.debug(line),
  });
}

async function heard(stage: Stage, left: Migration[], { sql, error }: Sighting, between: Between): Promise<void> {
  if (error !== undefined || between.state === 'E' || !writesRows(sql)) return;
  const { tool, found, migrations } = stage.request;
  // PGlite answers nobody beside an open transaction.
  const askable = stage.request.server.kind !== 'pglite' || between.state === 'I';
  if (stage.history.length === 0 && askable) stage.history = await historyTables(stage.beside, tool, found, migrations);
  if (stage.history.length > 0 && !stage.history.some((name) => sql.includes(bare(name)))) return;
  const applied = await appliedIn(stage, between);
  const closed = left.filter(({ id }) => applied.has(id));
  for (const migration of closed) await close(stage, left, migration, between);
}

/** What the client's own transaction has of the tool's table. */
async function appliedIn({ request, beside }: Stage, between: Between): Promise<ReadonlySet<string>> {
  const rows = await unharmed(between, async () =>
    request.tool.applied(databaseOf(between, beside.version), request.found, request.migrations),
  );
  return new Set((rows ?? []).filter(({ state }) => state === 'applied').map(({ id }) => id));
}

async function close(stage: Stage, left: Migration[], migration: Migration, between: Between): Promise<void> {
  const { ledger, observer, request, beside } = stage;
  const database = databaseOf(between, beside.version);
  if (request.pending.has(migration.id)) {
    await ledger.close(migration, await closingOf(stage, database), stage.history);
  } else ledger.drop();
  left.splice(left.indexOf(migration), 1);
  observer.watching = isPending(left[0], request.pending);
  if (observer.watching) await startWatching(stage, database);
}

function isPending(migration: Migration | undefined, pending: ReadonlySet<string>): boolean {
  return migration !== undefined && pending.has(migration.id);
}

async function failureOf(
  stage: Stage,
  left: readonly Migration[],
  { exitCode, stdout, stderr, timedOut }: RunResult,
): Promise<RehearsalFailure | undefined> {
  const { ledger, request, beside } = stage;
  const { title } = request.tool;
  const [migration] = left;
  if (exitCode === 0 && migration === undefined) return undefined;
  const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-30).join('\n');
  const error = ledger.failed?.error;
  if (migration === undefined) return { message: `${title} failed after the last migration (exit ${exitCode})`, said };
  if (exitCode === 0) return { migration, message: `${title} says that it is done, but did not apply it`, said };
  const entry = await ledger.close(migration, await closingOf(stage, beside), stage.history);
  const place = entry.statements.findLast((one) => one.error !== undefined)?.place ?? { file: migration.file };
  const late = `${title} took longer than ${request.timeouts.tool} s`;
  const message =
    error?.message ??
    (timedOut === true ? late : `${title} failed (exit ${exitCode}) before ${migration.name} was applied`);
  return inTime({ migration, message, place, ...(error !== undefined && { error }), said }, request.timeouts.statement);
}
