import type { Severity } from '../migration/finding.ts';
import { MYSQL_HAZARDS } from './mysql-hazards.ts';

/** What is known of a hazard wherever it stands. */
export interface HazardKind {
  /** What it is, as half a sentence. */
  readonly title: string;
  readonly severity: Severity;
  /** It breaks the version that runs now. */
  readonly phase?: 'contract';
  /** Its harm grows with the table: on one known to be small it is no more than a notice. */
  readonly bySize?: true;
}

const slow = { severity: 'error', bySize: true } as const;
const breaks = { severity: 'error', phase: 'contract' } as const;
const fails = { severity: 'error' } as const;
const mild = { severity: 'warning' } as const;
const hint = { severity: 'notice' } as const;

/** Every hazard that the linter knows, by the code under which it is allowed. The families are those of src/sql-lint/rules. */
export const HAZARDS = {
  // Indexes
  'index-not-concurrent': { title: 'an index is built while writes wait', ...slow },
  'index-drop-not-concurrent': { title: 'an index is dropped while reads and writes wait', ...mild },
  'reindex-not-concurrent': { title: 'indexes are rebuilt while writes wait', ...slow },
  'concurrently-in-transaction': { title: 'CONCURRENTLY stands in a transaction, where it fails', ...fails },
  'concurrently-on-partitioned': { title: 'CONCURRENTLY on a partitioned table, where it fails', ...fails },
  'index-if-not-exists': { title: 'an invalid index of an interrupted run is taken for the whole one', ...hint },
  'unique-index-data': { title: 'a unique index fails where the data has duplicates', ...hint },
  // Constraints
  'check-scans': { title: 'a CHECK is added and all rows are checked under the lock', ...slow },
  'foreign-key-scans': { title: 'a foreign key is added and all rows are checked under the lock', ...slow },
  'validated-under-lock': { title: 'a constraint is validated in the transaction that added it', ...slow },
  'foreign-key-without-index': { title: 'no index serves a foreign key', ...hint },
  'unique-builds-index': { title: 'a unique constraint builds its index under the lock', ...slow },
  'primary-key-builds-index': { title: 'a primary key builds its index under the lock', ...slow },
  'exclusion-builds-index': { title: 'an exclusion constraint builds its index under the lock', ...slow },
  'set-not-null-scans': { title: 'SET NOT NULL reads all rows under the lock', ...slow, phase: 'contract' },
  'not-null-breaks-writers': { title: 'the running version may still leave the column empty', ...breaks },
  'domain-constraint-scans': { title: 'a domain gets a constraint and every table of it is read', ...slow },
  // Columns
  'column-not-null-without-default': { title: 'a NOT NULL column without default', ...breaks },
  'column-volatile-default': { title: 'a default that differs by row rewrites the table', ...slow },
  'column-default-rewrites': { title: 'a default rewrites the table before PostgreSQL 11', ...slow },
  'column-generated': { title: 'a stored generated column rewrites the table', ...slow },
  'column-serial': { title: 'a serial or identity column rewrites the table', ...slow },
  'column-json': { title: 'a json column breaks queries with DISTINCT', ...mild },
  'column-constrained-domain': { title: 'a column of a domain with constraints rewrites the table', ...slow },
  'column-type-rewrites': { title: 'a change of type rewrites the table', ...slow },
  'column-type-breaks': { title: 'the running version uses the column as it was', ...breaks },
  'table-rewrites': { title: 'the whole table is copied', ...slow },
  // What goes or gets another name
  'table-dropped': { title: 'a table is dropped', ...breaks },
  'column-dropped': { title: 'a column is dropped', ...breaks },
  'schema-dropped': { title: 'a schema is dropped with all in it', ...breaks },
  'object-dropped': { title: 'a view, type, function or sequence is dropped', ...breaks },
  'constraint-dropped': { title: 'a constraint is dropped that queries may name or rely on', ...breaks },
  'default-dropped': { title: 'a default is dropped that the running version relies on', ...breaks },
  'not-null-dropped': { title: 'readers meet NULL where there was none', ...hint },
  'table-renamed': { title: 'a table gets another name', ...breaks },
  'column-renamed': { title: 'a column gets another name', ...breaks },
  'object-renamed': { title: 'a view, type, function, sequence or value gets another name', ...breaks },
  // Data
  truncate: { title: 'a table is emptied', ...fails },
  'truncate-cascade': { title: 'a table is emptied, and all that refer to it', ...fails },
  'update-all-rows': { title: 'all rows are updated at once', ...slow },
  'delete-all-rows': { title: 'all rows are deleted at once', ...slow },
  'update-unbatched': { title: 'any number of rows is updated at once', ...mild, bySize: true },
  'delete-unbatched': { title: 'any number of rows is deleted at once', ...mild, bySize: true },
  // Partitions
  'partition-attach-scans': { title: 'a partition is read while it is attached', ...slow },
  'partition-detach-blocks': { title: 'a partition is detached while all queries wait', ...fails },
  'partition-created-in-place': { title: 'a partition is created while all queries wait', ...mild },
  // Maintenance and locks
  'vacuum-full': { title: 'VACUUM FULL rewrites the table', ...slow },
  cluster: { title: 'CLUSTER rewrites the table', ...slow },
  'refresh-not-concurrent': { title: 'a materialized view is refreshed while its readers wait', ...slow },
  'lock-table': { title: 'a table is locked by hand', ...fails },
  'trigger-created': { title: 'a trigger works on every write of the running version', ...hint },
  'trigger-disabled': { title: 'triggers are off for everybody', ...hint },
  // Transactions
  'transaction-nested': { title: 'BEGIN or COMMIT in a transaction of the tool', ...fails },
  'transaction-left-open': { title: 'a transaction is never committed', ...fails },
  'commit-without-begin': { title: 'COMMIT without BEGIN', ...mild },
  'rolled-back': { title: 'the script takes itself back', ...mild },
  'cannot-run-in-transaction': { title: 'a statement that fails in a transaction', ...fails },
  'work-under-lock': { title: 'slow work while an earlier statement holds a lock', ...slow },
  'several-alters': { title: 'one table is altered several times', ...hint },
  'enum-value-used': { title: 'an enum value is used in the transaction that adds it', ...fails },
  // Timeouts
  'lock-timeout-missing': { title: 'nothing limits the wait for a lock', ...mild },
  'lock-timeout-too-long': { title: 'the wait for a lock is not limited, or too long', ...mild },
  'statement-timeout-missing': { title: 'nothing limits how long a statement runs', ...hint },
  'set-local-without-transaction': { title: 'SET LOCAL outside a transaction does nothing', ...mild },
  // What can't be judged by its text
  'opaque-sql': { title: 'SQL that is made while it runs', ...mild },
  'syntax-error': { title: 'PostgreSQL does not understand it', ...fails },
  'copy-from-stdin': { title: 'data in the script, which only psql reads', ...fails },
  'psql-command': { title: 'a command of psql, which the server does not know', ...fails },
  'not-text': { title: 'the file is no text in UTF-8', ...fails },
  'script-too-large': { title: 'the script is too large to be checked', ...fails },
  'statement-too-long': { title: 'a statement is too long to be checked', ...mild },
  // Comments that allow
  'allow-without-reason': { title: 'a hazard is allowed without a reason', ...fails },
  'allow-unknown-code': { title: 'a hazard is allowed that does not exist', ...fails },
  'allow-unused': { title: 'a hazard is allowed that is not there', ...mild },
} as const satisfies Readonly<Record<string, HazardKind>>;

/** What no text tells: a server has to run the statement. */
const ONLY_SEEN = {
  'table-scanned-under-lock': { title: 'a table is read while others wait', ...slow },
} as const satisfies Readonly<Record<string, HazardKind>>;

export type Code = keyof typeof HAZARDS | keyof typeof MYSQL_HAZARDS | keyof typeof ONLY_SEEN;

const ALL: Readonly<Record<Code, HazardKind>> = { ...HAZARDS, ...MYSQL_HAZARDS, ...ONLY_SEEN };

/** Whether a rehearsal may find it where the text tells nothing of it. */
export function isSeen(code: Code): boolean {
  return code === 'table-rewrites' || Object.hasOwn(ONLY_SEEN, code);
}

/** What the registry says of a code. */
export function hazardKind(code: Code): HazardKind {
  return ALL[code];
}

export function isCode(text: string): text is Code {
  return Object.hasOwn(ALL, text);
}
