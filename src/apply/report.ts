import type { RelationLock } from '../migration/finding.ts';
import type { Migration } from '../migration/migration.ts';
import type { Activity } from '../postgres/activity.ts';
import type { SqlError } from '../postgres/database.ts';
import type { SchemaDifference } from '../postgres/schema.ts';

/** A statement as it ran on the real database. */
export interface AppliedStatement {
  /** Relative to the repository. */
  readonly file: string;
  /** Where it stands in the file, from 1; absent where it does not stand there as it was sent. */
  readonly line?: number;
  readonly sql: string;
  readonly seconds: number;
  /** Locks on relations that were there before, as far as they were seen. */
  readonly locks: readonly RelationLock[];
}

/** A migration that this run applied. */
export interface AppliedMigration {
  readonly migration: Migration;
  readonly statements: readonly AppliedStatement[];
  readonly seconds: number;
  /** It was begun by an earlier run that ended in it, and finished by this one. */
  readonly resumed?: true;
}

/** A try that ended since a lock was not to be had, or in a deadlock. */
export interface LockedOut {
  readonly migration?: Migration;
  readonly statement: string;
  readonly error: SqlError;
  /** Milliseconds that a lock was waited for in this try. */
  readonly lockTimeout: number;
  /** Who held it, as far as seen. */
  readonly blockers: readonly Activity[];
}

/** What stopped a run, and what it left. */
export interface ApplyFailure {
  /** Undefined where no migration was under way. */
  readonly migration?: Migration;
  readonly statement?: Omit<AppliedStatement, 'locks'>;
  readonly message: string;
  readonly error?: SqlError;
  /**
   * What is there of the migration that failed: `nothing`, since its transaction was rolled back; `part`, its first
   * statements; `unknown` where the database could not be asked any more.
   */
  readonly left: 'nothing' | 'part' | 'unknown';
  /** The statements that stay, discreetly, where it is a part. */
  readonly leftStatements: readonly string[];
  /** Whether the version that runs now still works, as a sentence. */
  readonly running: string;
  /** The exact next step. */
  readonly next: string;
}

/** What came of applying. */
export interface ApplyReport {
  readonly state: 'applied' | 'nothing' | 'failed' | 'cancelled';
  readonly applied: readonly AppliedMigration[];
  /** What is not applied, in order; the first is the one that failed. */
  readonly pending: readonly Migration[];
  readonly failure?: ApplyFailure;
  readonly lockedOut: readonly LockedOut[];
  /** Sessions that were ended as they blocked for longer than allowed. */
  readonly terminated: readonly Activity[];
  /** Invalid indexes that were dropped. */
  readonly droppedIndexes: readonly string[];
  /** Others that waited behind a statement of this run: how many at once, and the longest, in seconds. */
  readonly queue: { readonly sessions: number; readonly seconds: number };
  /** Where the schema now differs from the rehearsal's; absent where they were not compared. */
  readonly drift?: readonly SchemaDifference[];
  /** Seconds, waiting among them. */
  readonly seconds: number;
}
