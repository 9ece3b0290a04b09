import type { Place } from '../action/errors.ts';
import type { RelationLock } from '../migration/finding.ts';
import type { Migration } from '../migration/migration.ts';
import type { SqlError } from '../postgres/database.ts';
import type { Schema } from '../postgres/schema.ts';
import type { KnownSchema } from './known-schema.ts';

export type { TableSize } from '../postgres/sizes.ts';

/** What a server did when it ran a statement. */
export interface ObservedStatement {
  readonly sql: string;
  /** In the migration's file; only `file` where the statement's text does not stand in it. */
  readonly place: Place;
  readonly seconds: number;
  /** Strongest lock on each relation that was there before the migration began. */
  readonly locks: readonly RelationLock[];
  /** Tables and indexes, there before the migration began, whose file was written anew (`relfilenode`). */
  readonly rewritten: readonly string[];
  /** Tables, there before the migration began, that it read from end to end while it held its locks. */
  readonly scanned: readonly string[];
  readonly inTransaction: boolean;
  readonly error?: SqlError;
}

/** A migration that was rehearsed. */
export interface RehearsedMigration {
  readonly migration: Migration;
  readonly statements: readonly ObservedStatement[];
  readonly seconds: number;
  /** Indexes that were left invalid. */
  readonly invalidIndexes: readonly string[];
  /** The way back: `same` when up, down and up again gave the same schema, else what differs; absent where not tried. */
  readonly reversed?: { readonly same: boolean; readonly differences: readonly string[]; readonly error?: SqlError };
}

/** What kept the migrations from being applied. */
export interface RehearsalFailure {
  /** Absent where it failed before the first, or after the last. */
  readonly migration?: Migration;
  readonly message: string;
  readonly place?: Place;
  readonly error?: SqlError;
  /** The last lines that the tool wrote. */
  readonly said?: string;
}

/** What came of a rehearsal. */
export interface Rehearsal {
  readonly server: {
    readonly kind: 'binaries' | 'service' | 'pglite';
    /** `server_version_num`. */
    readonly version: number;
  };
  /** Who ran the migrations: the repository's own tool, or this product by their SQL. */
  readonly ranBy: 'tool' | 'sql';
  /** What was rehearsed, in order; ends with the one that failed. */
  readonly migrations: readonly RehearsedMigration[];
  readonly failed?: RehearsalFailure;
  /** What could not be made as production has it, such as an extension that is not installed; a sentence each. */
  readonly notes: readonly string[];
  /** What was there before the first of them; absent where none was reached. */
  readonly known?: KnownSchema;
  /** The schema afterwards: what production should look like once this is applied. */
  readonly schema: Schema;
  readonly seconds: number;
}
