import { messageOf } from '../action/errors.ts';
import { type Leftover, leftoversOf } from '../migration/leftovers.ts';
import type { Migration } from '../migration/migration.ts';
import type { Session } from '../postgres/connect.ts';
import { type SchemaDifference, compareSchemas } from '../postgres/schema.ts';
import type { Scene } from './attempt.ts';
import { failureOf } from './failure.ts';
import type { Progress } from './progress.ts';
import { keepRecord } from './record.ts';
import type { AppliedMigration, ApplyReport } from './report.ts';
import { type ApplyRequest, notApplied } from './request.ts';

/** A run whose tries are over. */
export interface Ended {
  /** By `performance.now()`. */
  readonly started: number;
  readonly progress: Progress;
  /** What was to be applied. */
  readonly pending: readonly Migration[];
  readonly scene: Scene;
  readonly open: () => Promise<Session>;
}

/** Tells what came of it by asking the database itself, in a new session where the old one is gone. */
export async function concluded(request: ApplyRequest, ended: Ended): Promise<ApplyReport> {
  const { progress, pending, scene, started } = ended;
  const { control, host } = scene;
  const { stopped, lockedOut, terminated, queue } = progress;
  const session = control.lost.aborted ? await ended.open().catch(() => undefined) : control;
  try {
    const left = session && (await notApplied(request, session).catch(() => undefined));
    const told = new Set(progress.applied.map(({ migration }) => migration.id));
    const missing = left ?? pending.filter(({ id }) => !told.has(id));
    const applied = [...progress.applied, ...unheard(pending, told, missing)];
    const isDone = missing.length === 0;
    const drift = isDone && session !== undefined ? await driftIn(session, request, scene) : undefined;
    scene.moment('checked');
    if (session && request.keepRecord && applied.length > 0 && !host.signal.aborted) {
      await keepRecord(session, { applied, tool: request.tool.name, run: host.info.runId }, host.log);
    }
    const inTheWay = isDone || session === undefined ? [] : await leftoversIn(session, request);
    const isKnown = left !== undefined;
    const stop = { stopped, applied, missing, isKnown, leftovers: inTheWay, scene, lockedOut };
    return {
      state: stateOf(isDone, pending, host.signal),
      applied,
      pending: missing,
      ...(!isDone && { failure: failureOf(stop) }),
      lockedOut,
      terminated,
      droppedIndexes: scene.leftovers.dropped,
      queue,
      ...(drift && { drift }),
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    if (session !== control) await session?.close();
  }
}

function stateOf(isDone: boolean, pending: readonly Migration[], signal: AbortSignal): ApplyReport['state'] {
  if (isDone) return pending.length === 0 ? 'nothing' : 'applied';
  return signal.aborted ? 'cancelled' : 'failed';
}

/** What was committed, and the answer to that lost. */
function unheard(
  pending: readonly Migration[],
  told: ReadonlySet<string>,
  missing: readonly Migration[],
): readonly AppliedMigration[] {
  return pending
    .filter(({ id }) => !told.has(id) && !missing.some((one) => one.id === id))
    .map((migration) => ({ migration, statements: [], seconds: 0 }));
}

/** What is applied stays so: a comparison that fails is told and no fault of it. */
async function driftIn(
  session: Session,
  { readSchema, expected }: ApplyRequest,
  { host }: Scene,
): Promise<readonly SchemaDifference[] | undefined> {
  if (readSchema === undefined || expected === undefined || host.signal.aborted) return undefined;
  try {
    return compareSchemas(expected, await readSchema(session));
  } catch (error) {
    host.log.warning(`The schema could not be compared with the rehearsal's: ${messageOf(error)}`);
    return undefined;
  }
}

/** Those of its own scripts are told where the run stops at them. */
async function leftoversIn(session: Session, request: ApplyRequest): Promise<readonly Leftover[]> {
  const { tool, found, migrations } = request;
  if (tool.up === undefined) return [];
  return leftoversOf(session, found, migrations).catch(() => []);
}
