import { messageOf } from '../action/errors.ts';
import type { Migration } from '../migration/migration.ts';
import type { Activity } from '../postgres/activity.ts';
import { describeActivity, discreet } from '../postgres/activity.ts';
import { SqlError } from '../postgres/database.ts';
import type { Session } from '../postgres/connect.ts';
import type { Attempt, Scene, Stopped } from './attempt.ts';
import { isLockedOut, lockTimeoutOf, pauseAfter } from './limits.ts';
import type { AppliedMigration, LockedOut } from './report.ts';
import { runScripts } from './run-scripts.ts';
import { runTool } from './run-tool.ts';
import { watchWork } from './watch.ts';

/** What came of all tries. */
export interface Progress {
  readonly applied: readonly AppliedMigration[];
  readonly stopped?: Stopped;
  readonly lockedOut: readonly LockedOut[];
  readonly terminated: readonly Activity[];
  readonly queue: { readonly sessions: number; readonly seconds: number };
}

/** What then is left, the next run drops. */
const FAREWELL_MS = 2000;
const CANCEL_MS = 1500;
const LOOK_MS = 100;

/**
 * Tries until everything is applied, something is wrong that passes not by itself, or the tries for one migration are
 * used up. Between tries nobody is kept waiting, and each may wait longer for its lock than the one before.
 * @param remaining asks the database what it has not yet
 */
export async function tryUntilDone(
  pending: readonly Migration[],
  scene: Scene,
  remaining: () => Promise<readonly Migration[]>,
): Promise<Progress> {
  const { host, limits, control, workers } = scene;
  const attempt: Attempt = async (left, number) =>
    scene.tool.up === undefined ? runScripts(left, number, scene) : runTool(left, number, scene);
  const applied: AppliedMigration[] = [];
  const [lockedOut, terminated]: [LockedOut[], Activity[]] = [[], []];
  let queue = { sessions: 0, seconds: 0 };
  let left = pending;
  for (let number = 1; left.length > 0; number += 1) {
    const { result, seen } = await watched(() => attempt(left, number), scene);
    applied.push(...result.applied);
    terminated.push(...seen.terminated);
    queue = {
      sessions: Math.max(queue.sessions, seen.queue.sessions),
      seconds: Math.max(queue.seconds, seen.queue.seconds),
    };
    const { stopped } = result;
    if (stopped === undefined) break;
    await endWorkers(control, workers);
    const { error } = stopped;
    if (result.applied.length > 0) number = 1;
    const isOut = error instanceof SqlError && isLockedOut(error.code);
    if (isOut) lockedOut.push(lockedOutBy(stopped, error, lockTimeoutOf(limits, number), seen.blockers));
    const canRepeat = (isOut || isBroken(error, scene)) && (stopped.left === 'nothing' || stopped.resumes);
    if (number > limits.lockRetries || !canRepeat) {
      if (!control.lost.aborted)
        await scene.leftovers.drop(host.signal.aborted ? 500 : FAREWELL_MS).catch(() => undefined);
      return { applied, stopped, lockedOut, terminated, queue };
    }
    const pause = pauseAfter(number);
    host.log.info(describeTry(stopped, isOut ? seen.blockers : [], { number, of: limits.lockRetries + 1, pause }));
    const cancelled = await host.clock.sleep(pause, host.signal).catch((error: unknown) => ({ error }));
    if (cancelled !== undefined) {
      return { applied, stopped: { ...stopped, error: cancelled.error }, lockedOut, terminated, queue };
    }
    // What was committed while the answer was lost is not done again.
    left = await remaining();
  }
  return { applied, lockedOut, terminated, queue };
}

/** The session that worked broke off, and the one that holds the lock of migrations did not. */
function isBroken(error: unknown, { control, lock, host }: Scene): boolean {
  const isLost = error instanceof SqlError && error.code === '08006';
  return isLost && !control.lost.aborted && !lock.lost.aborted && !host.signal.aborted;
}

function lockedOutBy(
  { migration, statement }: Stopped,
  error: SqlError,
  lockTimeout: number,
  blockers: readonly Activity[],
): LockedOut {
  return {
    ...(migration !== undefined && { migration }),
    statement: discreet(statement?.sql ?? ''),
    error,
    lockTimeout,
    blockers,
  };
}

/** A try under the eyes of the other session; cancelling the run cancels what its sessions do. */
async function watched(attempt: () => ReturnType<Attempt>, scene: Scene) {
  const { host, limits, control, workers } = scene;
  const older = limits.terminateBlockersOlderThan;
  const watch = watchWork(control, {
    pids: () => [...workers],
    clock: host.clock,
    log: host.log,
    ...(older !== undefined && { terminateOlderThan: older / 1000 }),
  });
  const cancel = (): void => void endWorkers(control, workers);
  host.signal.addEventListener('abort', cancel, { once: true });
  let result: Awaited<ReturnType<Attempt>>;
  try {
    await scene.leftovers.drop();
    result = await attempt();
  } catch (error) {
    result = { applied: [], stopped: { error, left: 'nothing', leftStatements: [], resumes: false } };
  } finally {
    host.signal.removeEventListener('abort', cancel);
  }
  return { result, seen: await watch.stop() };
}

/** Cancels what sessions of ours still do, and ends those that do not heed it: a relay that closed leaves them at work. */
async function endWorkers(control: Session, workers: Set<number>): Promise<void> {
  const list = [...workers].join(',');
  if (list === '' || control.lost.aborted) return;
  const until = performance.now() + CANCEL_MS;
  try {
    for (;;) {
      const rows = await control.query(
        `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid IN (${list}) AND state <> 'idle'`,
      );
      if (rows.length === 0) break;
      if (performance.now() > until) {
        await control.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid IN (${list})`);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  } catch {
    // The server is gone, and with it what ran there.
  }
  workers.clear();
}

function describeTry(
  { error, statement }: Stopped,
  blockers: readonly Activity[],
  { number, of, pause }: { readonly number: number; readonly of: number; readonly pause: number },
): string {
  const isLock = error instanceof SqlError && error.code === '55P03';
  const why = isLock ? 'the lock was not free in time' : messageOf(error);
  const who = blockers.filter(({ waitsFor }) => waitsFor.length === 0).map(describeActivity);
  return [
    `try ${number} of ${of}: ${why}: ${discreet(statement?.sql ?? 'between statements')}`,
    ...(who.length > 0 ? [`  held by ${who.join('; ')}`] : []),
    `  again in ${Math.round(pause / 100) / 10} s; nobody waits behind it meanwhile`,
  ].join('\n');
}
