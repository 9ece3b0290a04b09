import type { Hazard } from '../sql-lint/rule.ts';
import type { Catalog } from './catalog.ts';
import type { Reading } from '../mysql-sql/statement.ts';
import type { Server } from './way.ts';

/** A statement as rules see it, with all that was before it. */
export interface MysqlStep {
  readonly sql: string;
  readonly reading: Reading;
  /** The schema before it. */
  readonly catalog: Catalog;
  readonly server: Server;
  /** The session before it. */
  readonly session: {
    readonly inTransaction: boolean;
    /** Lines of the changes of the schema so far, and whether one was of a table that others use. */
    readonly ddl: readonly { readonly line: number; readonly isShared: boolean }[];
    readonly checksForeignKeys: boolean;
    readonly hasLockTimeout: boolean;
  };
}

export type MysqlRule = (step: MysqlStep) => Iterable<Hazard>;

/** A name as MySQL takes it literally. */
export function quoted(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** Writes wait for it, as for PostgreSQL's lock of that name. */
export function writesWait(relation: string): Pick<Hazard, 'lock'> {
  return { lock: { relation, mode: 'ShareLock' } };
}

/** Reads and writes wait for it, as for PostgreSQL's lock of that name. */
export function allWait(relation: string): Pick<Hazard, 'lock'> {
  return { lock: { relation, mode: 'AccessExclusiveLock' } };
}
