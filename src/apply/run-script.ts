import { UserError } from '../action/errors.ts';
import { literal } from '../migration/history.ts';
import { SqlError } from '../postgres/database.ts';
import type { Session } from '../postgres/connect.ts';
import { HELD_LOCKS, type HeldLock, heldLocks, newLocks, ofOthersConcern } from './held-locks.ts';
import { concurrentIndexOf, invalidIndexes, isConcurrent } from '../postgres/invalid-indexes.ts';
import type { Statement } from '../sql/statement.ts';
import type { Limits } from './limits.ts';
import { type Begun, type OwnHistory, checksumOf, recordApplied, recordBegun, recordProgress } from './own-history.ts';
import { relax } from './relax.ts';
import type { AppliedStatement } from './report.ts';
import { type ScriptedMigration, controlOf, isSetting, mayRunTwice } from './scripts.ts';

/** Points of a run at which the tests end it. */
export type Moment = 'locked' | 'begun' | 'statement' | 'committing' | 'committed' | 'checked';

/** What running a script needs. */
export interface ScriptRun {
  /** The session that works. */
  readonly work: Session;
  /** Another one, which sees what everybody sees. */
  readonly other: Session;
  readonly history: OwnHistory;
  readonly limits: Limits;
  /** Milliseconds that a statement waits for a lock in this try. */
  readonly lockTimeout: number;
  /** Throws when nothing more may be begun. */
  readonly check: () => void;
  readonly moment: (moment: Moment) => void;
}

/** A script that stopped. Its statements before `at` are done for good where it is not one transaction. */
export class ScriptStopped extends Error {
  override readonly name = 'ScriptStopped';
  /** Undefined where it stopped between statements. */
  readonly statement: Statement | undefined;
  readonly seconds: number;
  override readonly cause: unknown;

  constructor(cause: unknown, statement: Statement | undefined, seconds: number) {
    super(cause instanceof Error ? cause.message : String(cause));
    this.cause = cause;
    this.statement = statement;
    this.seconds = seconds;
  }
}

/** active_sql_transaction, invalid_transaction_termination: the statement has to run outside of a transaction. */
const NEEDS_NO_TRANSACTION = new Set(['25001', '2D000']);
/** Locks of plain changes of rows are what every client takes. */
const PLAIN = /^\s*(insert|update|delete|merge|select|values|copy|with|set|reset)\b/i;

/**
 * Runs a script and writes into the history that it is done: in one transaction with it, or, where it runs outside of
 * one, statement by statement in transactions of their own as far as the server allows that.
 * @param begun what an earlier run left of it
 * @throws ScriptStopped, with the transaction rolled back
 */
export async function runScript(
  one: ScriptedMigration,
  run: ScriptRun,
  begun?: Begun,
): Promise<readonly AppliedStatement[]> {
  return one.transaction ? inOneTransaction(one, run) : oneByOne(one, run, begun);
}

async function inOneTransaction(one: ScriptedMigration, run: ScriptRun): Promise<readonly AppliedStatement[]> {
  const { work, history, moment } = run;
  const applied: AppliedStatement[] = [];
  const locks = lockReader(run);
  await rolledBack(work, async () => {
    await work.query('BEGIN');
    // First, so that a second runner waits here and not within the changes.
    await recordApplied(work, history, one.migration, one.statements.length);
    moment('begun');
    for (const statement of one.statements) {
      const seconds = await timed(run, statement);
      applied.push({ ...about(one, statement, seconds), locks: await locks(statement) });
      moment('statement');
    }
    run.check();
    moment('committing');
    await work.query('COMMIT');
  });
  moment('committed');
  return applied;
}

async function oneByOne(
  one: ScriptedMigration,
  run: ScriptRun,
  begun: Begun | undefined,
): Promise<readonly AppliedStatement[]> {
  const { work, history, moment } = run;
  const { statements, migration } = one;
  const first = begun === undefined ? 0 : await resumeAt(one, run, begun);
  for (const statement of statements.slice(0, first).filter(({ sql }) => isSetting(sql))) await timed(run, statement);
  await recordBegun(work, history, migration);
  moment('begun');
  const applied: AppliedStatement[] = [];
  let isOwn = false;
  for (let at = first; at < statements.length; at += 1) {
    const statement = statements[at] as Statement;
    const done = statements.slice(0, at + 1);
    const control = controlOf(statement.sql);
    const started = performance.now();
    let locks: AppliedStatement['locks'] = [];
    if (isOwn || control !== undefined) {
      // The script's own transaction: what is done of it counts with its COMMIT.
      await rolledBack(work, async () => {
        if (control === 'end') await recordProgress(work, history, migration, done);
        await timed(run, statement);
      });
      isOwn = control === undefined ? isOwn : control === 'begin';
    } else if (isSetting(statement.sql)) {
      await timed(run, statement);
    } else locks = await alone(statement, done, one, run);
    applied.push({ ...about(one, statement, (performance.now() - started) / 1000), locks });
    moment('statement');
  }
  run.check();
  await recordProgress(work, history, migration, statements, { ended: true });
  moment('committed');
  return applied;
}

/** One statement, in a transaction together with the note that it is done; outside of one where the server insists. */
async function alone(
  statement: Statement,
  done: readonly Statement[],
  one: ScriptedMigration,
  run: ScriptRun,
): Promise<AppliedStatement['locks']> {
  const { work, history, limits, lockTimeout, moment } = run;
  const { migration } = one;
  if (!isConcurrent(statement.sql)) {
    const locks = lockReader(run);
    try {
      return await rolledBack(work, async () => {
        await work.query('BEGIN');
        await timed(run, statement);
        const taken = await locks(statement);
        await recordProgress(work, history, migration, done);
        moment('committing');
        await work.query('COMMIT');
        return taken;
      });
    } catch (error) {
      const cause = error instanceof ScriptStopped ? error.cause : error;
      if (!(cause instanceof SqlError && NEEDS_NO_TRANSACTION.has(cause.code))) throw error;
    }
  }
  await recordProgress(work, history, migration, done.slice(0, -1), { outside: true });
  moment('begun');
  const restore = isConcurrent(statement.sql)
    ? await relax(async (sql) => work.query(sql), limits, lockTimeout)
    : async () => undefined;
  try {
    await timed(run, statement);
  } catch (error) {
    // It failed for sure, unless nobody knows.
    if (!work.lost.aborted) await recordProgress(work, history, migration, done.slice(0, -1)).catch(() => undefined);
    throw error;
  }
  await restore();
  await recordProgress(work, history, migration, done);
  return [];
}

/** How many of its statements are done. @throws ScriptStopped where nobody can know, with what to look at */
async function resumeAt(one: ScriptedMigration, run: ScriptRun, begun: Begun): Promise<number> {
  const { statements } = one;
  const done = statements.slice(0, begun.statements);
  if (done.length < begun.statements || checksumOf(done) !== begun.statementsChecksum) {
    throw new ScriptStopped(
      new UserError(
        `an earlier run (${begun.run}, ${begun.startedAt}) did its first ${begun.statements} statements, and those stand in it no more as they were`,
        { remedy: 'Put them back as they were; only what comes after them may be mended.' },
      ),
      undefined,
      0,
    );
  }
  const next = statements[begun.statements];
  if (!begun.outside || next === undefined || mayRunTwice(next.sql)) return begun.statements;
  const index = concurrentIndexOf(next.sql);
  if (index !== undefined) return begun.statements + ((await isThere(run, index)) ? 1 : 0);
  const through = statements.slice(0, begun.statements + 1);
  const { table } = run.history;
  throw new ScriptStopped(
    new UserError(
      `an earlier run (${begun.run}, ${begun.startedAt}) broke off in this statement, which runs outside of a transaction: whether it ended is not known`,
      {
        remedy: `Look in the database whether it did. If not, mode: repair with repair: sql-begun:${begun.id} lets it run again. If it did, note that: UPDATE ${table} SET outside = false, statements = ${through.length}, statements_checksum = '${checksumOf(through)}' WHERE id = ${literal(begun.id)};`,
      },
    ),
    next,
    0,
  );
}

/** Whether the index is there and valid; an invalid one of that name was dropped before. */
async function isThere({ other }: ScriptRun, index: string): Promise<boolean> {
  const [row] = await other.query(
    `SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname = $1 AND i.indisvalid
       AND c.relnamespace = ANY (SELECT n.oid FROM pg_namespace n WHERE n.nspname = ANY (current_schemas(false)))`,
    [index],
  );
  const invalid = await invalidIndexes(other);
  return row !== undefined && !invalid.some(({ bare }) => bare === index);
}

async function timed(run: ScriptRun, statement: Statement): Promise<number> {
  run.check();
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  try {
    await run.work.query(statement.sql);
    return seconds();
  } catch (error) {
    throw new ScriptStopped(error, statement, seconds());
  }
}

async function rolledBack<T>(work: Session, what: () => Promise<T>): Promise<T> {
  try {
    return await what();
  } catch (error) {
    if (!work.lost.aborted) await work.query('ROLLBACK').catch(() => undefined);
    throw error instanceof ScriptStopped ? error : new ScriptStopped(error, undefined, 0);
  }
}

/** What each statement of a transaction takes besides the locks of those before it. */
function lockReader({ work, other }: ScriptRun): (statement: Statement) => Promise<AppliedStatement['locks']> {
  let held: readonly HeldLock[] = [];
  return async ({ sql }) => {
    if (PLAIN.test(sql)) return [];
    const before = held;
    held = heldLocks(await work.query(HELD_LOCKS));
    return ofOthersConcern(other, newLocks(before, held));
  };
}

function about(
  { migration: { file } }: ScriptedMigration,
  { sql, line }: Statement,
  seconds: number,
): Omit<AppliedStatement, 'locks'> {
  return { file, line, sql, seconds };
}
