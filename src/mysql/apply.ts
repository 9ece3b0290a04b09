import { UserError } from '../action/errors.ts';
import { graceAfter } from '../action/grace.ts';
import type { ApplyHost, Attempted, ConnectionSource, Stopped } from '../apply/attempt.ts';
import { failureOf } from '../apply/failure.ts';
import { LIMITS, type Limits, isLockedOut, lockTimeoutOf, pauseAfter } from '../apply/limits.ts';
import type { AppliedMigration, ApplyReport, LockedOut } from '../apply/report.ts';
import type { Moment } from '../apply/run-script.ts';
import type { Watched } from '../apply/watch.ts';
import type { Applied, Migration } from '../migration/migration.ts';
import type { Found, Tool } from '../migration/tool.ts';
import { describeActivity, spoken } from '../postgres/activity.ts';
import { SqlError } from '../postgres/database.ts';
import { discreet, longTransactions } from './activity.ts';
import { type MysqlScene, runMysqlScripts, runMysqlTool } from './attempt.ts';
import { type MysqlSession, connectMysql } from './connect.ts';
import { openHistory } from './history.ts';
import { becomeMigrator } from './named-lock.ts';
import { appliedBy } from './state.ts';
import { watchMysql } from './watch.ts';

/** What is to be applied to MySQL or MariaDB, and how. */
export interface MysqlApplyRequest {
  readonly tool: Tool;
  readonly found: Found;
  /** All that the tool has, in order. */
  readonly migrations: readonly Migration[];
  readonly connection: ConnectionSource;
  readonly limits?: Partial<Limits>;
  /** For tests. */
  readonly moment?: (moment: Moment) => void;
}

const QUERY_MS = 60_000;
const GRACE_MS = 4500;
const LOOK_MS = 2000;

/**
 * Applies what is pending, as the one migrator of the database, and tells statement by statement what came of it. It may
 * be run again after whatever happened: it goes on where that is sure, and says what to look at where it is not.
 * @throws UserError when nothing was begun: no way in, a server that takes no writes, another migrator
 */
export async function applyMysql(request: MysqlApplyRequest, host: ApplyHost): Promise<ApplyReport> {
  const started = performance.now();
  const { tool, found, moment = () => {} } = request;
  const limits = { ...LIMITS, ...request.limits };
  const applicationName = `delivery-actions migrate-db ${host.info.runId}`.trim();
  const control = await connectMysql(await request.connection(), {
    signal: graceAfter(host.signal, GRACE_MS),
    clock: host.clock,
    timeouts: { connect: limits.connectTimeout, retry: limits.connectRetry, query: QUERY_MS },
    applicationName: `${applicationName} control`,
  });
  try {
    await checkServer(control, host);
    const { clock, signal, log } = host;
    const waiting = (message: string): void => log.info(message);
    const lock = await becomeMigrator(control, tool.name, { clock, signal, wait: limits.migratorWait, waiting });
    moment('locked');
    try {
      if (tool.up === undefined) await openHistory(control);
      const applied = async (): Promise<readonly Applied[]> => appliedBy(request, host);
      const pending = notIn(await applied(), request.migrations);
      if (pending.length > 0) await waitForTransactions(control, limits, host);
      const source = request.connection;
      const work = new Map<number, { since: number }>();
      const scene: MysqlScene = {
        host,
        tool,
        found,
        limits,
        source,
        control,
        lock,
        applicationName,
        work,
        applied,
        moment,
      };
      return await report(await tryUntilDone(pending, scene), pending, scene, started);
    } finally {
      await lock.release();
    }
  } finally {
    await control.close();
  }
}

/** @throws UserError where one cannot migrate at all */
async function checkServer(control: MysqlSession, { log }: ApplyHost): Promise<void> {
  const [row] = await control.query('SELECT @@GLOBAL.read_only AS closed, @@GLOBAL.innodb_read_only AS replica');
  if (Number(row?.['replica']) === 1 || Number(row?.['closed']) === 1) {
    throw new UserError('The server takes no writes (read_only)', {
      remedy:
        'Give the address of the primary; of an Aurora cluster the cluster endpoint, not the one with -ro- in it.',
    });
  }
  const [cluster] = await control.query("SHOW GLOBAL VARIABLES LIKE 'wsrep_on'");
  if (cluster?.['Value'] === 'ON') {
    log.warning(
      'This is a Galera cluster: the lock of migrations counts on this node alone, so give every run the same one.',
    );
  }
}

/** A change would wait for them, and everybody else for the change. */
async function waitForTransactions(control: MysqlSession, limits: Limits, host: ApplyHost): Promise<void> {
  let left = limits.patience;
  for (let told = false; ; told = true) {
    const [oldest] = await longTransactions(control, limits.maxTransactionAge / 1000).catch(() => {
      if (!told)
        host.log.warning(
          'Open transactions are hidden from this user: GRANT PROCESS to it, or they are not waited for.',
        );
      return [];
    });
    if (oldest === undefined) return;
    const seen = `a transaction is open that changes would queue behind: ${describeActivity(oldest)}`;
    if (left <= 0) {
      throw new UserError(`After waiting for ${spoken(limits.patience / 1000)}, ${seen}`, {
        remedy: 'Run it again when that is over, or raise max-transaction-age.',
      });
    }
    if (!told) host.log.info(`waiting: ${seen}`);
    const pause = Math.min(LOOK_MS, left);
    await host.clock.sleep(pause, host.signal);
    left -= pause;
  }
}

interface Progress extends Omit<Watched, 'blockers'> {
  readonly applied: readonly AppliedMigration[];
  readonly stopped?: Stopped;
  readonly lockedOut: readonly LockedOut[];
}

/** Between tries nobody is kept waiting, and each may wait longer for its lock than the one before. */
async function tryUntilDone(pending: readonly Migration[], scene: MysqlScene): Promise<Progress> {
  const { host, limits } = scene;
  const applied: AppliedMigration[] = [];
  const [lockedOut, terminated]: [LockedOut[], Watched['terminated'][number][]] = [[], []];
  let queue = { sessions: 0, seconds: 0 };
  const ended = (stopped?: Stopped): Progress => ({
    applied,
    lockedOut,
    terminated,
    queue,
    ...(stopped && { stopped }),
  });
  let left = pending;
  for (let number = 1; left.length > 0; number += 1) {
    const { result, seen } = await watched(left, number, scene);
    applied.push(...result.applied);
    terminated.push(...seen.terminated);
    queue = {
      sessions: Math.max(queue.sessions, seen.queue.sessions),
      seconds: Math.max(queue.seconds, seen.queue.seconds),
    };
    const { stopped } = result;
    if (stopped === undefined) return ended();
    if (!(stopped.error instanceof SqlError && isLockedOut(stopped.error.code))) return ended(stopped);
    if (result.applied.length > 0) number = 1;
    const out: LockedOut = {
      ...(stopped.migration !== undefined && { migration: stopped.migration }),
      statement: discreet(stopped.statement?.sql ?? ''),
      error: stopped.error,
      lockTimeout: lockTimeoutOf(limits, number),
      blockers: seen.blockers,
    };
    lockedOut.push(out);
    if (number > limits.lockRetries || !stopped.resumes) return ended(stopped);
    const done = new Set(applied.map(({ migration }) => migration.id));
    left = pending.filter(({ id }) => !done.has(id));
    const pause = pauseAfter(number);
    host.log.info(describeTry(out, number, limits.lockRetries + 1, pause));
    const cancelled = await host.clock.sleep(pause, host.signal).catch((error: unknown) => ({ error }));
    if (cancelled !== undefined) return ended({ ...stopped, error: cancelled.error });
  }
  return ended();
}

/** A try under the eyes of the other session; cancelling the run ends what its sessions do. */
async function watched(
  left: readonly Migration[],
  number: number,
  scene: MysqlScene,
): Promise<{ readonly result: Attempted; readonly seen: Watched }> {
  const { host, limits, control, work, tool } = scene;
  const { statementTimeout, terminateBlockersOlderThan: older } = limits;
  const watch = watchMysql(control, {
    work,
    clock: host.clock,
    log: host.log,
    statementTimeout,
    ...(older !== undefined && { terminateOlderThan: older / 1000 }),
  });
  const cancel = (): void => {
    for (const id of work.keys()) void control.query(`KILL QUERY ${id}`).catch(() => undefined);
  };
  host.signal.addEventListener('abort', cancel, { once: true });
  try {
    const result = await (tool.up === undefined ? runMysqlScripts(left, number, scene) : runMysqlTool(left, scene));
    return { result, seen: await watch.stop() };
  } catch (error) {
    const stopped: Stopped = { error, left: 'nothing', leftStatements: [], resumes: false };
    return { result: { applied: [], stopped }, seen: await watch.stop() };
  } finally {
    host.signal.removeEventListener('abort', cancel);
  }
}

async function report(
  progress: Progress,
  pending: readonly Migration[],
  scene: MysqlScene,
  started: number,
): Promise<ApplyReport> {
  const { stopped, lockedOut, terminated, queue } = progress;
  // The database itself says what it has now.
  const left = await scene.applied().then(
    (now) => notIn(now, pending),
    () => undefined,
  );
  const told = new Set(progress.applied.map(({ migration }) => migration.id));
  const missing = left ?? pending.filter(({ id }) => !told.has(id));
  const unheard = pending.filter(({ id }) => !told.has(id) && !missing.some((one) => one.id === id));
  const applied = [...progress.applied, ...unheard.map((migration) => ({ migration, statements: [], seconds: 0 }))];
  scene.moment('checked');
  const isDone = missing.length === 0;
  const whole = pending.length === 0 ? 'nothing' : 'applied';
  const isKnown = left !== undefined;
  return {
    state: isDone ? whole : scene.host.signal.aborted ? 'cancelled' : 'failed',
    applied,
    pending: missing,
    ...(!isDone && { failure: failureOf({ stopped, applied, missing, isKnown, scene, lockedOut, leftovers: [] }) }),
    lockedOut,
    terminated,
    droppedIndexes: [],
    queue,
    seconds: (performance.now() - started) / 1000,
  };
}

/** What of these is not applied. */
export function notIn(applied: readonly Applied[], migrations: readonly Migration[]): readonly Migration[] {
  const ids = new Set(applied.filter(({ state }) => state === 'applied').map(({ id }) => id));
  return migrations.filter(({ id }) => !ids.has(id));
}

function describeTry({ error, blockers, statement }: LockedOut, number: number, of: number, pause: number): string {
  const why = error.code === '55P03' ? 'the lock was not free in time' : error.message;
  return [
    `try ${number} of ${of}: ${why}: ${statement}`,
    ...(blockers.length > 0 ? [`  held by ${blockers.map(describeActivity).join('; ')}`] : []),
    `  again in ${Math.round(pause / 100) / 10} s; nobody waits behind it meanwhile`,
  ].join('\n');
}
