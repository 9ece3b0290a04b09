/*
 * PostgreSQL as the judge of the linter. Each case of the corpus runs on a copy of a database with rows in it, statement
 * by statement, as a tool would. A statement is harmful when at least one of these was observed:
 *
 * - fails: the server refuses it, or warns about the transaction it stands in, or it ends or leaves open a transaction
 *   behind its tool's back.
 * - blocks: a lock of ShareLock or stronger on a table with rows that others use was held while the statement read or
 *   wrote more than PAGES pages, or wrote a table or index anew (relfilenode). A lock that is taken and given back
 *   without such work is a moment.
 * - avoidable: it locks a table with rows so that queries queue behind it, although another script with the same result
 *   (`weaker` of the case, run as well) needs less.
 * - waits: it wants such a lock while lock_timeout is 0 or above LONGEST_WAIT_MS.
 * - breaks: a query of the running version (old-version.sql) that worked before does not work after it, or that read at
 *   most PAGES pages before reads more than that.
 * - many rows: it changes more than ROWS rows of a table in one go, each locked until the end.
 *
 * What takes locks inside a transaction is asked there, before COMMIT. What can't run in one is held up by another
 * session that uses all tables: the lock it then waits for is the one it wants.
 */
import { Client, type ClientConfig } from 'pg';
import { LOCK_MODES, type LockMode, type RelationLock } from '../../src/migration/finding.ts';
import type { Statement } from '../../src/sql/statement.ts';
import { splitScript } from '../../src/sql/split.ts';
import { type Case, oldVersion } from './corpus.ts';
import { type Work, workOf } from './observe.ts';

const PAGES = 150;
const ROWS = 1000;
const LONGEST_WAIT_MS = 10_000;
const HELD_UP_MS = 2000;

/** What was observed of a statement. */
export interface Verdict {
  readonly statement: Statement;
  /** Why it is harmful; empty where it is not. */
  readonly harm: readonly string[];
  /** The locks it held at its end, or waited for, on tables with rows. */
  readonly locks: readonly RelationLock[];
}

/**
 * Runs a case on a database of its own and says of each statement that was reached what it does.
 * @param queries what the running version asks
 */
export async function judge(
  { sql, transaction, timeouts }: Pick<Case, 'sql' | 'transaction' | 'timeouts'>,
  config: ClientConfig,
  queries: readonly string[] = oldVersion,
): Promise<readonly Verdict[]> {
  const session = await open(config);
  const other = await open(config);
  try {
    const trial = new Trial(session, other, transaction);
    if (timeouts) await session.query("SET lock_timeout = '2s'; SET statement_timeout = '60s'");
    await trial.prepare(queries);
    for (const statement of splitScript(sql).statements) if (!(await trial.statement(statement))) break;
    return trial.verdicts();
  } finally {
    await session.end();
    await other.end();
  }
}

export async function open(config: ClientConfig): Promise<Client> {
  const client = new Client(config);
  await client.connect();
  return client;
}

class Trial {
  readonly #session: Client;
  readonly #other: Client;
  readonly #isTool: boolean;
  readonly #verdicts: { statement: Statement; harm: string[]; locks: readonly RelationLock[] }[] = [];
  #warnings: string[] = [];
  #working: ReadonlySet<string> = new Set();
  #before: Work | undefined;
  /** Tables and views with rows that are there from the start, and what lies on them. */
  #used: readonly { readonly oid: string; readonly name: string; readonly kind: string }[] = [];
  #begun: Statement | undefined;
  #pid = 0;

  constructor(session: Client, other: Client, isTool: boolean) {
    [this.#session, this.#other, this.#isTool] = [session, other, isTool];
    session.on('notice', ({ code, severity }) => {
      if (severity === 'WARNING') this.#warnings.push(code ?? '');
    });
  }

  async prepare(queries: readonly string[]): Promise<void> {
    const { rows } = await this.#other.query<{ oid: string; name: string; kind: string }>(`
      SELECT c.oid::text, CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname AS name, c.relkind AS kind
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname !~ '^pg_|information_schema' AND c.relkind IN ('r', 'm', 'p') AND (c.relkind = 'p' OR c.relpages > ${PAGES})`);
    this.#used = rows;
    this.#pid = (await this.#session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid ?? 0;
    this.#working = new Set(await this.#probe(queries));
    if (this.#isTool) await this.#session.query('BEGIN');
    this.#before = await workOf(this.#session);
  }

  /** @returns false where nothing can come after it */
  async statement(statement: Statement): Promise<boolean> {
    this.#warnings = [];
    const wasOpen = this.#isOpen();
    const run = await this.#run(statement.sql, wasOpen);
    const harm = run.error === undefined ? [] : [`fails: ${run.error}`];
    const verdict = { statement, harm, locks: run.locks };
    this.#verdicts.push(verdict);
    if (this.#warnings.some((code) => code === '25001' || code === '25P01'))
      harm.push('fails: the server warns of the transaction');
    if (this.#isTool && !this.#isOpen() && run.error === undefined && wasOpen)
      harm.push("fails: it ends the tool's transaction");
    if (!wasOpen && this.#isOpen()) this.#begun = statement;
    if (run.error !== undefined) return false;
    const blocking = run.locks.filter((lock) => this.#isBlocking(lock));
    if (blocking.length > 0 && (run.work.pages > PAGES || run.work.rewritten.length > 0)) {
      harm.push(
        `blocks: ${blocking.map(({ relation, mode }) => `${mode} on ${relation}`).join(', ')}, ${run.work.pages} pages, rewrites ${run.work.rewritten.join(', ')}`,
      );
    }
    if (run.work.rows > ROWS) harm.push(`many rows: ${run.work.rows}`);
    const waits = await this.#lockTimeout();
    if (blocking.length > 0 && (waits === 0 || waits > LONGEST_WAIT_MS))
      harm.push(`waits: lock_timeout is ${waits} ms`);
    const works = new Set(await this.#probe([...this.#working]));
    const broken = [...this.#working].filter((query) => !works.has(query));
    if (broken.length > 0) harm.push(`breaks: ${broken.join(' ')}`);
    this.#working = works;
    this.#before = await workOf(this.#session);
    return true;
  }

  verdicts(): readonly Verdict[] {
    const begun = this.#verdicts.find(({ statement }) => statement === this.#begun);
    const last = this.#verdicts.at(-1);
    if (this.#isOpen() && !this.#isTool && last?.harm.some((one) => one.startsWith('fails')) !== true)
      begun?.harm.push('fails: its transaction is never committed');
    return this.#verdicts;
  }

  async #run(sql: string, wasOpen: boolean): Promise<Run> {
    const isBorder = /^\s*(?:begin|start|commit|end|rollback|savepoint|release)\b/i.test(sql);
    const isWrapped = !wasOpen && !isBorder && !/^\s*(?:set|reset|select\s+set_config)\b/i.test(sql);
    if (isWrapped) await this.#session.query('BEGIN');
    const error = await failure(this.#session.query(sql));
    // It can't run in a transaction: then it is watched from outside.
    if (isWrapped && error?.code === '25001') {
      await this.#session.query('ROLLBACK');
      return this.#heldUp(sql);
    }
    if (error) {
      if (isWrapped) await this.#session.query('ROLLBACK');
      return { error: error.message, locks: [], work: NONE };
    }
    const locks = this.#isOpen() ? await this.#locks(this.#session, true) : [];
    const work = await this.#done();
    if (isWrapped) await this.#session.query('COMMIT');
    return { locks, work };
  }

  /** Runs a statement while another session uses all tables, until that sees what it waits for. */
  async #heldUp(sql: string): Promise<Run> {
    await this.#other.query('BEGIN');
    for (const { name, kind } of this.#used)
      await this.#other.query(
        kind === 'm' ? `SELECT 1 FROM ${name} LIMIT 1` : `LOCK TABLE ${name} IN ROW EXCLUSIVE MODE`,
      );
    const done = new AbortController();
    const running = failure(this.#session.query(sql)).finally(() => done.abort());
    const deadline = Date.now() + HELD_UP_MS;
    let locks: readonly RelationLock[] = [];
    for (let isWaiting = false; !done.signal.aborted && !isWaiting && Date.now() < deadline;) {
      const { rows } = await this.#other.query('SELECT 1 FROM pg_locks WHERE pid = $1 AND NOT granted', [this.#pid]);
      isWaiting = rows.length > 0;
      locks = await this.#locks(this.#other, false);
    }
    await this.#other.query('ROLLBACK');
    const error = await running;
    return { ...(error && { error: error.message }), locks, work: await this.#done() };
  }

  async #locks(client: Client, granted: boolean): Promise<readonly RelationLock[]> {
    const { rows } = await client.query<{ oid: string; mode: LockMode }>(
      "SELECT relation::text AS oid, mode FROM pg_locks WHERE locktype = 'relation' AND pid = $1 AND granted = $2",
      [this.#pid, granted],
    );
    return this.#used.flatMap(({ oid, name }) => {
      const modes = new Set(rows.filter((row) => row.oid === oid).map(({ mode }) => mode));
      const strongest = LOCK_MODES.findLast((mode) => modes.has(mode));
      return strongest === undefined ? [] : [{ relation: name, mode: strongest }];
    });
  }

  async #done(): Promise<{ pages: number; rows: number; rewritten: readonly string[] }> {
    const [before, after] = [this.#before, await workOf(this.#session)];
    const names = new Set(this.#used.map(({ name }) => name));
    let [pages, rows] = [0, 0];
    for (const [oid, one] of after.tables) {
      const was = before?.tables.get(oid);
      // The server hands its counts over when a transaction ends: then they begin at zero.
      pages += one.pages < (was?.pages ?? 0) ? one.pages : one.pages - (was?.pages ?? 0);
      const changed = one.rows < (was?.rows ?? 0) ? one.rows : one.rows - (was?.rows ?? 0);
      if (this.#used.some((used) => used.oid === oid)) rows = Math.max(rows, changed);
    }
    const rewritten = [...(before?.files ?? [])].filter(
      ([oid, { file, table }]) => names.has(table) && after.files.has(oid) && after.files.get(oid)?.file !== file,
    );
    return { pages, rows, rewritten: rewritten.map(([, { name }]) => name) };
  }

  async #lockTimeout(): Promise<number> {
    const { rows } = await this.#session.query<{ ms: string }>(
      "SELECT setting AS ms FROM pg_settings WHERE name = 'lock_timeout'",
    );
    return Number(rows[0]?.ms);
  }

  /** Which queries work, without leaving a trace. */
  async #probe(queries: readonly string[]): Promise<readonly string[]> {
    const isOpen = this.#isOpen();
    const works: string[] = [];
    if (queries.length === 0) return works;
    let before = pagesOf(await this.#session.query(`${isOpen ? 'SAVEPOINT probe' : 'BEGIN'}; ${READ}`));
    for (const query of queries) {
      // In one message, since there are many of them.
      const answer = await this.#session
        .query(`SAVEPOINT one; ${query} ${READ}`)
        .catch(() => this.#session.query('ROLLBACK TO one').then(() => undefined));
      if (answer === undefined) continue;
      const after = pagesOf(answer);
      if (after - before <= PAGES) works.push(query);
      before = after;
      await this.#session.query('ROLLBACK TO one');
    }
    await this.#session.query(isOpen ? 'ROLLBACK TO probe; RELEASE probe' : 'ROLLBACK');
    return works;
  }

  /** Nobody writes to a materialized view: only what keeps its readers waiting blocks. */
  #isBlocking({ relation, mode }: RelationLock): boolean {
    const isView = this.#used.some(({ name, kind }) => name === relation && kind === 'm');
    return isView ? mode === 'AccessExclusiveLock' : isBlocking(mode);
  }

  #isOpen(): boolean {
    return (this.#session as Client & { getTransactionStatus(): string }).getTransactionStatus() !== 'I';
  }
}

interface Run {
  readonly error?: string;
  readonly locks: readonly RelationLock[];
  readonly work: { readonly pages: number; readonly rows: number; readonly rewritten: readonly string[] };
}

/** Asks how many pages of tables the session has read in its transaction. */
const READ = 'SELECT sum(pg_stat_get_xact_blocks_fetched(relid)) AS pages FROM pg_stat_user_tables';

/** The answer to the last of several statements. */
function pagesOf(answer: unknown): number {
  const last = (answer as readonly { readonly rows: readonly { readonly pages: string }[] }[]).at(-1);
  return Number(last?.rows[0]?.pages);
}

const NONE = { pages: 0, rows: 0, rewritten: [] };

export function isBlocking(mode: LockMode): boolean {
  return LOCK_MODES.indexOf(mode) >= LOCK_MODES.indexOf('ShareLock');
}

async function failure(
  query: Promise<unknown>,
): Promise<{ readonly code: string; readonly message: string } | undefined> {
  return query.then(
    () => undefined,
    (error: unknown) => error as { readonly code: string; readonly message: string },
  );
}
