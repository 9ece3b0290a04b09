import type { Limits } from '../apply/limits.ts';
import { checksumOf } from '../apply/own-history.ts';
import type { AppliedStatement } from '../apply/report.ts';
import { type Moment, ScriptStopped } from '../apply/run-script.ts';
import { isSetting } from '../apply/scripts.ts';
import type { Migration } from '../migration/migration.ts';
import { commitsImplicitly, readStatement } from '../mysql-sql/statement.ts';
import type { Statement } from '../sql/statement.ts';
import type { MysqlSession } from './connect.ts';
import { definitionsOf } from './definitions.ts';
import { type MysqlBegun, recordApplied, recordBegun, recordProgress } from './history.ts';

/** A migration whose script is cut into statements. */
export interface MysqlScript {
  readonly migration: Migration;
  readonly statements: readonly Statement[];
}

/** What running a script needs. */
export interface MysqlRun {
  /** The session that works. */
  readonly work: MysqlSession;
  /** Of this run, as the history names it. */
  readonly run: string;
  readonly limits: Limits;
  /** Throws when nothing more may be begun. */
  readonly check: () => void;
  readonly moment: (moment: Moment) => void;
  readonly log: (message: string) => void;
}

/** Statements that change rows alone, so that they and the note that they are done are one transaction. */
const ROWS = /^\W*(?:insert|update|delete|replace|select|with|values|table)\b/i;
/** Whether running it again does no harm, when nobody knows whether it ended. */
const TWICE =
  /^\W*(?:set|use|grant|revoke|analyze|optimize|flush|check|(?:create|drop|alter)\b[^;]{0,200}?\bif\s+(?:not\s+)?exists\b|create\s+or\s+replace)\b/i;

/**
 * Runs a script statement by statement and writes after each that it is done: rows together with that note in one
 * transaction; a change of the schema, which commits by itself, between two notes, the first of which keeps what the
 * change is about, so that the next run can tell whether it took place.
 * @param begun what an earlier run left of it
 * @throws ScriptStopped
 */
export async function runMysqlScript(
  one: MysqlScript,
  run: MysqlRun,
  begun?: MysqlBegun,
): Promise<readonly AppliedStatement[]> {
  const { work, moment } = run;
  const { statements, migration } = one;
  const started = performance.now();
  const first = begun === undefined ? 0 : await resumeAt(one, run, begun);
  for (const statement of statements.slice(0, first).filter(({ sql }) => isForSession(sql)))
    await timed(run, statement);
  if (begun !== undefined) await recordProgress(work, migration, statements.slice(0, first));
  await recordBegun(work, migration, run.run);
  moment('begun');
  const applied: AppliedStatement[] = [];
  let isOwn = false;
  for (let at = first; at < statements.length; at += 1) {
    const statement = statements[at] as Statement;
    const { sql, line } = statement;
    const { kind } = readStatement(sql.slice(0, 10_000), work.flavour);
    const began = performance.now();
    const done = statements.slice(0, at + 1);
    if (kind === 'begin') isOwn = true;
    if (kind === 'end') await inOwn(run, async () => recordProgress(work, migration, done));
    if (kind === 'begin' || kind === 'end' || (isOwn && !commitsImplicitly(sql)))
      await inOwn(run, async () => timed(run, statement));
    else if (isForSession(sql)) await timed(run, statement);
    else if (ROWS.test(sql)) await withRows(one, at, run);
    else await byItself(one, at, run);
    if (kind === 'end' || commitsImplicitly(sql)) isOwn = kind === 'begin';
    applied.push({ file: migration.file, line, sql, seconds: (performance.now() - began) / 1000, locks: [] });
    moment('statement');
  }
  run.check();
  await recordApplied(work, migration, statements, (performance.now() - started) / 1000);
  moment('committed');
  return applied;
}

function isForSession(sql: string): boolean {
  return isSetting(sql) || /^\W*use\b/i.test(sql);
}

/** Rows and the note that they are there, together. */
async function withRows(one: MysqlScript, at: number, run: MysqlRun): Promise<void> {
  const { work, moment } = run;
  const statement = one.statements[at] as Statement;
  await inOwn(run, async () => {
    await work.query('START TRANSACTION');
    await timed(run, statement);
    await recordProgress(work, one.migration, one.statements.slice(0, at + 1));
    moment('committing');
    await work.query('COMMIT');
  });
}

/** A statement that commits by itself. */
async function byItself(one: MysqlScript, at: number, run: MysqlRun): Promise<void> {
  const { work, moment } = run;
  const { statements, migration } = one;
  const statement = statements[at] as Statement;
  const before = await definitionsOf(work, statement.sql);
  await recordProgress(work, migration, statements.slice(0, at), { outside: true, before: before ?? '' });
  moment('begun');
  try {
    await timed(run, statement);
  } catch (error) {
    // It failed for sure, unless nobody knows.
    if (!work.lost.aborted) await recordProgress(work, migration, statements.slice(0, at)).catch(() => undefined);
    throw error;
  }
  moment('committing');
  await recordProgress(work, migration, statements.slice(0, at + 1));
}

/** How many of its statements are done. @throws ScriptStopped where nobody can know, with what to look at */
async function resumeAt(one: MysqlScript, run: MysqlRun, begun: MysqlBegun): Promise<number> {
  const { statements } = one;
  const done = statements.slice(0, begun.statements);
  const earlier = `an earlier run (${begun.run}, ${begun.startedAt})`;
  if (done.length < begun.statements || checksumOf(done) !== begun.statementsChecksum) {
    throw stopped(
      `${earlier} did its first ${begun.statements} statements, and those stand in it no more as they were; put them back`,
    );
  }
  const next = statements[begun.statements];
  if (!begun.outside || next === undefined) return begun.statements;
  if (begun.before !== '') {
    const isSame = (await definitionsOf(run.work, next.sql)) === begun.before;
    run.log(
      `${earlier} broke off in line ${next.line}: ${isSame ? 'what it changes is as it was, so it is run again' : 'what it changes has changed, so it is done'}`,
    );
    return begun.statements + (isSame ? 0 : 1);
  }
  if (TWICE.test(next.sql)) return begun.statements;
  throw stopped(
    `${earlier} broke off in this statement, which commits by itself, and whether it ended is not known: look whether what it does is there, then UPDATE delivery_migrations SET outside = 0, statements = ${begun.statements} (it is not) WHERE id = '${one.migration.id}', or take it out of the file (it is)`,
    next,
  );
}

function stopped(message: string, statement?: Statement): ScriptStopped {
  return new ScriptStopped(new Error(message), statement, 0);
}

async function timed(run: MysqlRun, statement: Statement): Promise<void> {
  run.check();
  const started = performance.now();
  try {
    await run.work.query(statement.sql);
  } catch (error) {
    throw error instanceof ScriptStopped
      ? error
      : new ScriptStopped(error, statement, (performance.now() - started) / 1000);
  }
}

async function inOwn(run: MysqlRun, what: () => Promise<void>): Promise<void> {
  try {
    await what();
  } catch (error) {
    if (!run.work.lost.aborted) await run.work.query('ROLLBACK').catch(() => undefined);
    throw error instanceof ScriptStopped ? error : new ScriptStopped(error, undefined, 0);
  }
}
