import type { Row, SqlError } from './database.ts';

/** A statement that a client sent through the relay, by either protocol. */
export interface Seen {
  /** Process id of the server's session (`pg_backend_pid()`). */
  readonly pid: number;
  readonly sql: string;
  /** Parameters in text form where the client bound some; null for NULL and for binary ones. */
  readonly parameters: readonly (string | null)[];
  /** Whether a transaction is open when it begins. */
  readonly inTransaction: boolean;
}

/** How a statement ended. */
export interface Outcome {
  readonly seconds: number;
  readonly error?: SqlError;
}

/** ReadyForQuery's word: idle, in a transaction, or in one that failed. */
export type TransactionState = 'I' | 'T' | 'E';

/** A session of the relay between two messages of its client: what is asked here runs in the client's own transaction. */
export interface Between {
  ask<T extends Row = Row>(sql: string): Promise<readonly T[]>;
  /** As it is now, after what was asked. */
  readonly state: TransactionState;
}

/** What the relay tells and asks on the way. None of them may throw: what goes wrong in them ends the session. */
export interface RelayHooks {
  /** After the server let the session in, before its client's first statement: to set its timeouts. */
  readonly opened?: (between: Between) => Promise<void>;
  /**
   * The statements of a query that has several, to run them one by one in one transaction as the server would: so each
   * can be watched by itself, and the COMMIT that is theirs is told after them. Nothing, or one, leaves the query as it is.
   */
  readonly split?: (sql: string) => readonly string[];
  /** Before a statement is passed on. */
  readonly before?: (seen: Seen, between: Between) => Promise<void>;
  /** After the server ended it, before its client hears of that. */
  readonly after?: (seen: Seen, outcome: Outcome, between: Between) => Promise<void>;
}
