import path from 'node:path';
import { UserError } from '../action/errors.ts';
import { graceAfter } from '../action/grace.ts';
import type { ApplyHost, Attempted, ConnectionSource, Stopped } from '../apply/attempt.ts';
import { type Limits, lockTimeoutOf } from '../apply/limits.ts';
import type { AppliedMigration } from '../apply/report.ts';
import { type Moment, ScriptStopped } from '../apply/run-script.ts';
import type { Applied, Migration } from '../migration/migration.ts';
import type { Found, Tool } from '../migration/tool.ts';
import type { MigratorLock } from '../postgres/advisory-lock.ts';
import { discreet } from './activity.ts';
import { type MysqlSession, connectMysql } from './connect.ts';
import { mysqlCommand } from './environment.ts';
import { begunMigrations } from './history.ts';
import { lockName, tryLock } from './named-lock.ts';
import { type MysqlScript, runMysqlScript } from './run-script.ts';
import { mysqlScripts } from './scripts.ts';

/** What both ways of applying, by a tool and by this product, work with. */
export interface MysqlScene {
  readonly host: ApplyHost;
  readonly tool: Tool;
  readonly found: Found;
  readonly limits: Limits;
  readonly source: ConnectionSource;
  readonly control: MysqlSession;
  readonly lock: MigratorLock;
  readonly applicationName: string;
  /** Sessions that work now, and since when their statement runs. */
  readonly work: Map<number, { since: number }>;
  readonly applied: () => Promise<readonly Applied[]>;
  readonly moment: (moment: Moment) => void;
}

/** A statement that is ended may take so long to be heard of. */
const GRACE_MS = 4000;
const WORKER_MS = 10_000;
const LAST_LINES = 15;

/** Applies scripts in their order, each in a session that an earlier one left nothing in, up to the first that stops. */
export async function runMysqlScripts(
  pending: readonly Migration[],
  number: number,
  scene: MysqlScene,
): Promise<Attempted> {
  const { host, limits, moment } = scene;
  const scripts = mysqlScripts(pending);
  const applied: AppliedMigration[] = [];
  const run = host.info.runId ? `${host.info.runId}/${host.info.runAttempt}` : 'local';
  for (const one of scripts) {
    const { migration } = one;
    const started = performance.now();
    const own = { since: started };
    const session = await openWorker(scene, number);
    scene.work.set(session.id, own);
    try {
      const begun = (await begunMigrations(session)).get(migration.id);
      const check = (): void => {
        host.signal.throwIfAborted();
        scene.lock.check();
        own.since = performance.now();
      };
      const log = (message: string): void => host.log.info(message);
      const statements = await runMysqlScript(one, { work: session, run, limits, check, moment, log }, begun);
      const seconds = (performance.now() - started) / 1000;
      applied.push({ migration, statements, seconds, ...(begun !== undefined && { resumed: true }) });
      host.log.info(`applied ${migration.name} in ${Math.round(seconds * 1000) / 1000} s`);
    } catch (error) {
      return { applied, stopped: await stoppedAt(one, error, scene) };
    } finally {
      scene.work.delete(session.id);
      await session.close();
    }
  }
  return { applied };
}

/** A session that works: with its timeouts, and holding the lock that tells later runs it is there. */
async function openWorker(scene: MysqlScene, number: number): Promise<MysqlSession> {
  const { host, limits, tool, applicationName, source } = scene;
  const signal = graceAfter(host.signal, GRACE_MS);
  const timeouts = { connect: limits.connectTimeout, retry: limits.connectRetry };
  const session = await connectMysql(await source(), { signal, clock: host.clock, timeouts, applicationName });
  const seconds = Math.max(1, Math.round(lockTimeoutOf(limits, number) / 1000));
  await session.query(`SET SESSION lock_wait_timeout = ${seconds}, SESSION innodb_lock_wait_timeout = ${seconds}`);
  // The server lets go of a lock a moment after its session was closed.
  for (const until = host.clock.now() + WORKER_MS; host.clock.now() < until; await host.clock.sleep(50)) {
    if (await tryLock(session, lockName('worker', tool.name, session.database))) return session;
  }
  await session.close();
  throw new UserError('A statement of an earlier try still runs in the database', {
    remedy: 'Wait until it is through, then run this again.',
  });
}

async function stoppedAt({ migration, statements }: MysqlScript, error: unknown, scene: MysqlScene): Promise<Stopped> {
  const stop = error instanceof ScriptStopped ? error : new ScriptStopped(error, undefined, 0);
  const { statement, seconds } = stop;
  const begun = await begunMigrations(scene.control).catch(() => undefined);
  const done = statements.slice(0, begun?.get(migration.id)?.statements ?? 0);
  return {
    migration,
    ...(statement !== undefined && {
      statement: { file: migration.file, line: statement.line, sql: statement.sql, seconds },
    }),
    error: stop.cause,
    left: done.length > 0 ? 'part' : 'nothing',
    leftStatements: done.map(({ sql, line }) => `line ${line}: ${discreet(sql)}`),
    resumes: true,
  };
}

/** Applies everything pending by the repository's own tool, which gets the connection by its environment. */
export async function runMysqlTool(pending: readonly Migration[], scene: MysqlScene): Promise<Attempted> {
  const { host, tool, found, moment } = scene;
  const { program, args, cwd, env } = mysqlCommand(tool, found, await scene.source());
  const started = performance.now();
  const lines: string[] = [];
  let fault: unknown;
  try {
    const { exitCode } = await host.log.group(`${tool.title}: ${[program, ...args].join(' ')}`, async () =>
      host.exec.run(program, args, {
        cwd: path.resolve(host.info.workspace, cwd),
        env,
        onLine(line) {
          host.log.info(line);
          lines.push(line);
          if (lines.length > LAST_LINES) lines.shift();
        },
      }),
    );
    if (exitCode !== 0) {
      fault = new UserError(`${tool.title} failed with exit code ${exitCode}: ${lines.join('\n').slice(-2000)}`, {
        remedy: `Each change of the schema commits by itself, so some of the failed migration may be there: compare it with the database, take back by hand what is, then run this again.`,
      });
    }
  } catch (error) {
    fault = error;
  }
  moment('committed');
  const now = new Set((await scene.applied()).filter(({ state }) => state === 'applied').map(({ id }) => id));
  const done = pending.filter(({ id }) => now.has(id));
  const seconds = (performance.now() - started) / 1000 / Math.max(1, done.length);
  const applied = done.map((migration) => ({ migration, statements: [], seconds }));
  if (fault === undefined && done.length === pending.length) return { applied };
  const next = pending.find(({ id }) => !now.has(id));
  return {
    applied,
    stopped: {
      ...(next !== undefined && { migration: next }),
      error:
        fault ??
        new UserError(`${tool.title} ended well and did not apply everything that is pending`, {
          remedy: 'See its output above; does it read the same folder as this action?',
        }),
      left: 'nothing',
      leftStatements: [],
      resumes: false,
    },
  };
}
