import { SqlError } from './database.ts';
import type { Outcome, TransactionState } from './relay-hooks.ts';

// Several statements of one simple query share a transaction that nobody names, unless one of them begins or ends one
// (manual, "Multiple Statements in a Simple Query"): BEGIN makes it one that stays open, and what follows a COMMIT or
// ROLLBACK shares another.

const COMMENTS = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[^]*?\*\/)+/;

/** The statements of one query, which are sent one by one. */
export class Several {
  private left: readonly string[] = [];
  private wrapped = false;

  begin(statements: readonly string[]): void {
    this.left = statements;
  }

  /** The next one; `opens` where it needs a transaction that nobody names before it. */
  next(state: TransactionState): { readonly sql: string; readonly opens: boolean } {
    const [sql = '', ...left] = this.left;
    this.left = left;
    const text = sql.replace(COMMENTS, '');
    const opens = state === 'I' && !BEGINS.test(text) && !ENDS.test(text);
    this.wrapped = opens || (this.wrapped && !BEGINS.test(text));
    return { sql, opens };
  }

  /** What follows once a statement ended; nothing where there is no more and no transaction to be ended. */
  after(state: TransactionState, failed: boolean): 'next' | 'COMMIT' | 'ROLLBACK' | undefined {
    // It may have ended the transaction itself.
    if (state === 'I') this.wrapped = false;
    if (this.left.length > 0 && !failed) return 'next';
    this.left = [];
    const isOpen = this.wrapped;
    this.wrapped = false;
    if (!isOpen) return undefined;
    return failed ? 'ROLLBACK' : 'COMMIT';
  }
}

const BEGINS = /^(?:begin|start\s+transaction)\b/i;
const ENDS = /^(?:commit|end|rollback|abort|prepare\s+transaction)\b(?!\s+(?:work\s+|transaction\s+)?to\b)/i;

/** How a question of the relay's own ended. @throws what is no refusal of the server */
export async function timed(question: Promise<unknown>): Promise<Outcome> {
  const began = performance.now();
  const error = await question.then(
    () => undefined,
    (reason: unknown) => {
      if (reason instanceof SqlError) return reason;
      throw reason;
    },
  );
  return { seconds: (performance.now() - began) / 1000, ...(error !== undefined && { error }) };
}
