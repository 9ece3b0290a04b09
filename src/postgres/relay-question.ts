import type { Row, SqlError } from './database.ts';
import { RowReader } from './rows.ts';
import { type Message, message, sqlError } from './wire.ts';

/** What the relay itself asks, whose answer the client does not see. */
export class Question {
  /** What to send for it. */
  readonly bytes: Buffer;
  readonly answer: Promise<readonly Row[]>;
  private readonly rows = new RowReader();
  private readonly settle: { resolve(rows: readonly Row[]): void; reject(error: Error): void };
  private error: SqlError | undefined;

  /** @param extended leaves the client's statement without a name as it is, which a simple query would end */
  constructor(sql: string, extended: boolean) {
    this.bytes = extended ? extendedQuery(sql) : message('Q', sql);
    const { promise, ...settle } = Promise.withResolvers<readonly Row[]>();
    [this.answer, this.settle] = [promise, settle];
  }

  /** Takes a message of the server up to ReadyForQuery. @returns false for what is meant for the client */
  hear({ type, body }: Message): boolean {
    if (type === 'E') this.error = sqlError(body);
    else if (type === 'T') this.rows.columns(body);
    else if (type === 'D') this.rows.row(body);
    return type !== 'N' && type !== 'S' && type !== 'A';
  }

  /** The server is ready again. */
  end(): void {
    if (this.error !== undefined) this.settle.reject(this.error);
    else this.settle.resolve(this.rows.all);
  }

  giveUp(): void {
    this.settle.reject(new Error('the session ended'));
  }
}

function extendedQuery(sql: string): Buffer {
  const name = 'migrate_db_question';
  const none = Buffer.alloc(2);
  return Buffer.concat([
    message('C', Buffer.from('S'), name),
    message('P', name, sql, none),
    message('B', name, name, none, none, none),
    message('D', Buffer.from('P'), name),
    message('E', name, 0),
    // Left open it would count as a use of what it read.
    message('C', Buffer.from('P'), name),
    message('S'),
  ]);
}
