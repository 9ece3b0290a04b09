import type { Log } from '../action/log.ts';
import type { Migration } from '../migration/migration.ts';
import type { Session } from '../postgres/connect.ts';
import { type Trace, traceOf } from '../postgres/concurrent-trace.ts';
import { type InvalidIndex, dropInvalidIndex, invalidIndexes } from '../postgres/invalid-indexes.ts';
import { splitScript } from '../sql/split.ts';

const PATIENT_MS = 30_000;

/**
 * Invalid indexes that a CONCURRENTLY of this run left, or that of a pending script in an earlier run: an IF NOT EXISTS
 * would pass over them, and anything else fail. Others, which somebody else may still look into, are left alone.
 */
export class Leftovers {
  readonly #open: () => Promise<Session>;
  readonly #traces: Trace[] = [];
  readonly #log: Log;
  /** Those that were there before this run. */
  #before: ReadonlySet<number> | undefined;
  readonly #dropped: string[] = [];

  constructor(open: () => Promise<Session>, pending: readonly Migration[], log: Log) {
    this.#open = open;
    this.#log = log;
    for (const { up } of pending) for (const { sql } of splitScript(up?.sql ?? '').statements) this.note(sql);
  }

  /** Takes note of a statement that runs. */
  note(sql: string): void {
    const trace = traceOf(sql);
    if (trace !== undefined) this.#traces.push(trace);
  }

  /**
   * Drops what is there of them, in a session of its own, since it waits for the transactions of others.
   * @param wait milliseconds for each of those
   * @throws SqlError when that is not enough
   */
  async drop(wait = PATIENT_MS): Promise<void> {
    const session = await this.#open();
    try {
      await session.query(`SET lock_timeout = ${wait}`);
      const found = await invalidIndexes(session);
      const mine = found.filter((index) => this.#isMine(index));
      this.#before ??= new Set(found.map(({ oid }) => oid));
      for (const index of mine) {
        if (!(await dropInvalidIndex(session, index))) continue;
        this.#dropped.push(index.name);
        this.#log.info(
          `dropped the index ${index.name} of ${index.table}, which a CONCURRENTLY that failed left invalid`,
        );
      }
    } finally {
      await session.close();
    }
  }

  #isMine(index: InvalidIndex): boolean {
    const isNew = this.#before !== undefined && !this.#before.has(index.oid);
    return this.#traces.some((isLeft) => isLeft(index, isNew));
  }

  /** Names of those that were dropped. */
  get dropped(): readonly string[] {
    return this.#dropped;
  }
}
