/** A value of a row as it comes over the wire in text, turned into JavaScript by its type. */
export type Value = string | number | boolean | null | Date | readonly Value[];
export type Row = Readonly<Record<string, Value>>;

/** One session of a PostgreSQL server. */
export interface Database {
  /** `server_version_num`, such as 150018 for 15.18. */
  readonly version: number;
  /**
   * Runs one statement; `$1` stands for the first parameter.
   * @throws SqlError with what the server said
   */
  query<T extends Row = Row>(
    sql: string,
    parameters?: readonly (string | number | boolean | null)[],
  ): Promise<readonly T[]>;
  close(): Promise<void>;
}

/** How a server is reached. The password is masked before it gets here. */
export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** `verify` checks certificate and name; `off` is for loopback and Unix sockets only. */
  readonly tls: 'verify' | 'off';
  /** Certificates that are trusted besides the system's, as PEM. */
  readonly ca?: string;
}

/** What a server answered to a statement that failed (PostgreSQL manual, appendix A and 55.8). */
export class SqlError extends Error {
  override readonly name = 'SqlError';
  /** SQLSTATE, five characters: `55P03` is a lock that was not free in time. */
  readonly code: string;
  readonly detail?: string;
  readonly hint?: string;
  /** Character of the statement, from 1. */
  readonly position?: number;

  constructor(
    message: string,
    code: string,
    more: {
      readonly detail?: string;
      readonly hint?: string;
      readonly position?: number;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    if (more.detail !== undefined) this.detail = more.detail;
    if (more.hint !== undefined) this.hint = more.hint;
    if (more.position !== undefined) this.position = more.position;
  }
}
