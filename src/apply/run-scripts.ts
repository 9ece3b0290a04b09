import { graceAfter } from '../action/grace.ts';
import type { Migration } from '../migration/migration.ts';
import { discreet } from '../postgres/activity.ts';
import { lockArguments } from '../postgres/advisory-lock.ts';
import { type Session, connect } from '../postgres/connect.ts';
import type { Statement } from '../sql/statement.ts';
import { type Attempted, type Scene, type Stopped, checkGoOn } from './attempt.ts';
import { lockTimeoutOf, sessionSettings } from './limits.ts';
import { begunMigrations, openHistory, recordSeconds } from './own-history.ts';
import type { AppliedMigration } from './report.ts';
import { ScriptStopped, runScript } from './run-script.ts';
import { type ScriptedMigration, scriptedMigrations } from './scripts.ts';

/** A statement that is cancelled may take so long to be heard of. */
const GRACE_MS = 4000;

/** Applies scripts in their order, each in a session that an earlier one left nothing in, up to the first that stops. */
export async function runScripts(pending: readonly Migration[], number: number, scene: Scene): Promise<Attempted> {
  const { control, host, limits } = scene;
  const scripted = scriptedMigrations(pending);
  const applied: AppliedMigration[] = [];
  const work = await openWorker(scene, number);
  try {
    const history = await openHistory(work, host.info.runId ? `${host.info.runId}/${host.info.runAttempt}` : 'local');
    const begun = await begunMigrations(work, history);
    for (const one of scripted) {
      const { migration } = one;
      const earlier = begun.get(migration.id);
      const started = performance.now();
      try {
        await scene.between();
        await work.query('RESET SESSION AUTHORIZATION');
        await work.query('RESET ALL');
        await work.query(sessionSettings(limits, number, work.version));
        const statements = await runScript(
          one,
          {
            work,
            other: control,
            history,
            limits,
            lockTimeout: lockTimeoutOf(limits, number),
            check: () => checkGoOn(scene),
            moment: scene.moment,
          },
          earlier,
        );
        const seconds = (performance.now() - started) / 1000;
        applied.push({ migration, statements, seconds, ...(earlier !== undefined && { resumed: true }) });
        host.log.info(`applied ${migration.name} in ${Math.round(seconds * 1000) / 1000} s`);
        await recordSeconds(work, history, migration, seconds);
      } catch (error) {
        return { applied, stopped: await stoppedAt(one, error, scene) };
      }
    }
    return { applied };
  } finally {
    await work.close();
  }
}

/** A session that works: with its timeouts, and holding the lock that tells later runs it is there. */
async function openWorker(scene: Scene, number: number): Promise<Session> {
  const { host, limits, space, workers, applicationName } = scene;
  const signal = graceAfter(host.signal, GRACE_MS);
  const work = await connect(await scene.source(), { signal, clock: host.clock, applicationName });
  workers.add(work.pid);
  const key = lockArguments({ space, kind: 'worker' });
  await work.query(`${sessionSettings(limits, number, work.version)}, pg_try_advisory_lock_shared(${key})`);
  return work;
}

async function stoppedAt(one: ScriptedMigration, error: unknown, scene: Scene): Promise<Stopped> {
  const { migration, transaction } = one;
  const stop = error instanceof ScriptStopped ? error : new ScriptStopped(error, undefined, 0);
  const { file } = migration;
  const { statement, seconds } = stop;
  const done = transaction ? [] : await doneOf(one, scene);
  return {
    migration,
    ...(statement !== undefined && { statement: { file, line: statement.line, sql: statement.sql, seconds } }),
    error: stop.cause,
    left: done.length > 0 ? 'part' : 'nothing',
    leftStatements: done.map(({ sql }) => discreet(sql)),
    resumes: true,
  };
}

/** The statements that the history calls done; none where it can't be asked any more. */
async function doneOf({ migration, statements }: ScriptedMigration, { control }: Scene): Promise<readonly Statement[]> {
  try {
    const history = await openHistory(control, '');
    const begun = await begunMigrations(control, history);
    return statements.slice(0, begun.get(migration.id)?.statements ?? 0);
  } catch {
    return [];
  }
}
