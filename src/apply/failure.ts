import { UserError, messageOf } from '../action/errors.ts';
import type { Leftover } from '../migration/leftovers.ts';
import type { Migration } from '../migration/migration.ts';
import { describeActivity } from '../postgres/activity.ts';
import { SqlError } from '../postgres/database.ts';
import { discreetError } from '../postgres/discreet-error.ts';
import type { Scene, Stopped } from './attempt.ts';
import type { AppliedMigration, ApplyFailure, LockedOut } from './report.ts';

/** What is known once a run has stopped. */
export interface Stop {
  readonly stopped: Stopped | undefined;
  readonly applied: readonly AppliedMigration[];
  /** Not applied, in order. */
  readonly missing: readonly Migration[];
  /** Whether the database itself said afterwards what it has. */
  readonly isKnown: boolean;
  readonly lockedOut: readonly LockedOut[];
  /** What the tool itself left in its own way. */
  readonly leftovers: readonly Leftover[];
  readonly scene: Pick<Scene, 'tool' | 'host' | 'limits'>;
}

/** Says what stopped a run, what of it stays, whether the running version still works, and what to do. */
export function failureOf(stop: Stop): ApplyFailure {
  const { stopped, missing, isKnown, scene } = stop;
  const migration = stopped?.migration ?? missing[0];
  const error = stopped?.error instanceof SqlError ? stopped.error : undefined;
  const left = isKnown ? (stopped?.left ?? 'nothing') : 'unknown';
  return {
    ...(migration !== undefined && { migration }),
    ...(stopped?.statement !== undefined && { statement: stopped.statement }),
    message: messageFor(stop),
    ...(error !== undefined && { error }),
    left,
    leftStatements: stopped?.leftStatements ?? [],
    running: runningVersion(left, stop),
    next: [
      ...stop.leftovers.map(({ name, what }) => `${what}: mode: repair with repair: ${name} mends that first.`),
      scene.host.signal.aborted ? afterCancel(left, stop) : nextStep(error, left, stop),
    ].join(' '),
  };
}

function messageFor({ stopped, scene, missing, lockedOut }: Stop): string {
  const name = (stopped?.migration ?? missing[0])?.name ?? 'The migration';
  if (scene.host.signal.aborted) return `The run was cancelled; ${name} is not applied`;
  const error = stopped?.error;
  if (error instanceof SqlError && error.code === '55P03' && lockedOut.length > 0) {
    return `${name} did not get its lock in ${lockedOut.length} ${lockedOut.length === 1 ? 'try' : 'tries'}`;
  }
  const why = error instanceof SqlError ? discreetError(error) : messageOf(error ?? 'it is not applied');
  return `${name}: ${why}`;
}

function runningVersion(left: ApplyFailure['left'], { applied, stopped, scene }: Stop): string {
  const before =
    applied.length === 0
      ? 'nothing of this run changed the database'
      : `of this run ${applied.length === 1 ? 'one migration is' : `${applied.length} migrations are`} applied, which the rehearsal judged`;
  switch (left) {
    case 'nothing':
      return `The version that runs now works as before: what failed was rolled back, and ${before}.`;
    case 'part': {
      const count = stopped?.leftStatements.length ?? 0;
      const resumes =
        scene.tool.up === undefined ? 'the next run goes on from there' : 'the tool does not know of that';
      return `The first ${count === 1 ? 'statement of what failed stays' : `${count} statements of what failed stay`} in the database, since it runs outside of a transaction (${resumes}): look whether the version that runs now can work with that.`;
    }
    case 'unknown':
      return 'The database could not be asked any more: a transaction that was open is rolled back by it, so the version that runs now most likely works as before.';
  }
}

function afterCancel(left: ApplyFailure['left'], { scene }: Stop): string {
  if (left === 'part' && scene.tool.up !== undefined) return repairFirst(scene.tool.title);
  return 'Run it again whenever you like: it goes on with what is not applied.';
}

function nextStep(error: SqlError | undefined, left: ApplyFailure['left'], stop: Stop): string {
  const { stopped, scene, lockedOut } = stop;
  const { tool } = scene;
  if (stopped?.error instanceof UserError) return stopped.error.remedy ?? 'Run it again.';
  const again =
    left === 'part' && tool.up !== undefined
      ? repairFirst(tool.title)
      : 'Run it again: it goes on with this migration.';
  switch (error?.code ?? '') {
    case '55P03':
      return `${holders(lockedOut)} Then run it again, or raise lock-retries, or let terminate-blockers-older-than end such sessions.`;
    case '40P01':
      return `It met in a deadlock with others each time. Run it when there is less load, or take its tables in the order in which the service takes them.`;
    case '57014':
      return `It ran into statement-timeout (${scene.limits.statementTimeout / 1000} s). Raise it if the table is as large as that, or change rows in batches. ${again}`;
    case '53100':
      return `The disk of the server is full. Give it space (on RDS: allocated storage), then look whether the service itself still writes. ${again}`;
    case '53200':
      return `The server has no memory left for it: change rows in batches, or lower maintenance_work_mem. ${again}`;
    case '25006':
      return `The server takes no writes now; it may have failed over to a standby. ${again}`;
    case '25001':
    case '2D000':
      return `The statement can't run within a transaction: put it into a file of its own that runs outside of one.`;
    case '42501':
      return `Give the role the right that is missing. ${again}`;
    case '57P01':
    case '57P02':
    case '57P03':
    case '08006':
    case '08003':
      return `The connection broke, as the server was stopped, restarted or failed over. Wait until it is up. ${again}`;
    default:
  }
  if (stopped?.statement !== undefined) {
    const where =
      stopped.statement.line === undefined
        ? 'the migration'
        : `line ${stopped.statement.line} of ${stopped.statement.file}`;
    return left === 'part' && tool.up !== undefined
      ? `Mend ${where}. ${repairFirst(tool.title)}`
      : `Mend ${where} (what is done of it has to stay as it is), push it, and run it again: it goes on from there.`;
  }
  return again;
}

function repairFirst(title: string): string {
  return `Take back what stays by hand, or make those statements IF NOT EXISTS, since ${title} begins with the first of them again; then run it again.`;
}

function holders(lockedOut: readonly LockedOut[]): string {
  const blockers = lockedOut.at(-1)?.blockers.filter(({ waitsFor }) => waitsFor.length === 0) ?? [];
  if (blockers.length === 0) return 'Find out who holds the table: mode plan shows it.';
  return `Have these sessions end: ${blockers.slice(0, 5).map(describeActivity).join('; ')}.`;
}
