import { messageOf } from '../action/errors.ts';
import { SqlError } from '../postgres/database.ts';

/** What a MySQL or MariaDB server answered to a statement that failed. */
export class MysqlError extends SqlError {
  /** The server's own number, such as 1205 for a lock that was not free in time; 0 where the connection broke. */
  readonly errno: number;

  constructor(message: string, code: string, errno: number, cause?: unknown) {
    super(message, code, { cause });
    this.errno = errno;
  }
}

/** Errors of the server that mean what a SQLSTATE of PostgreSQL means, so that one logic decides what to do about both. */
const CODES: Readonly<Record<number, string>> = {
  // Locks: ER_LOCK_WAIT_TIMEOUT, ER_LOCK_NOWAIT, ER_LOCK_DEADLOCK
  1205: '55P03',
  3572: '55P03',
  1213: '40P01',
  // ER_QUERY_INTERRUPTED, ER_QUERY_TIMEOUT, MariaDB's ER_STATEMENT_TIMEOUT
  1317: '57014',
  3024: '57014',
  1969: '57014',
  // ER_DISK_FULL, ER_RECORD_FILE_FULL
  1021: '53100',
  1114: '53100',
  // ER_OUTOFMEMORY, ER_OUT_OF_SORTMEMORY, ER_OUT_OF_RESOURCES
  1037: '53200',
  1038: '53200',
  1041: '53200',
  // ER_OPTION_PREVENTS_STATEMENT (read_only), ER_READ_ONLY_MODE, ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
  1290: '25006',
  1836: '25006',
  1792: '25006',
  // ER_DBACCESS_DENIED, ER_TABLEACCESS_DENIED, ER_COLUMNACCESS_DENIED, ER_SPECIFIC_ACCESS_DENIED, ER_PROCACCESS_DENIED
  1044: '42501',
  1142: '42501',
  1143: '42501',
  1227: '42501',
  1370: '42501',
  // ER_ACCESS_DENIED, ER_ACCESS_DENIED_NO_PASSWORD, ER_BAD_DB
  1045: '28P01',
  1698: '28000',
  1049: '3D000',
  // ER_CON_COUNT, ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED
  1040: '53300',
  1203: '53300',
  1226: '53300',
  // ER_SERVER_SHUTDOWN, MariaDB's ER_CONNECTION_KILLED
  1053: '57P01',
  1927: '57P01',
  1064: '42601',
};

/** The server's refusal; 08006 where the connection broke instead of an answer. */
export function mysqlError(error: unknown): MysqlError {
  if (error instanceof MysqlError) return error;
  const { errno, sqlState, sqlMessage } = (error ?? {}) as {
    readonly errno?: unknown;
    readonly sqlState?: unknown;
    readonly sqlMessage?: unknown;
  };
  // Numbers of this machine's sockets are negative.
  if (typeof errno !== 'number' || errno <= 0 || typeof sqlMessage !== 'string') {
    return new MysqlError(messageOf(error), '08006', 0, error);
  }
  const state = typeof sqlState === 'string' && /^[0-9A-Z]{5}$/.test(sqlState) ? sqlState : 'HY000';
  return new MysqlError(`${sqlMessage} (error ${errno})`, CODES[errno] ?? state, errno, error);
}
