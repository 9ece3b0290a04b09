import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { LOCK_MODES } from '../migration/finding.ts';
import type { Migration } from '../migration/migration.ts';
import type { Schema } from '../postgres/schema.ts';
import type { Sighting } from './observer.ts';
import { bare } from './names.ts';
import { Places } from './place.ts';
import type { ObservedStatement, RehearsedMigration } from './rehearsal.ts';
import { onlyReads } from './statement-kind.ts';

/** How a migration ended, as the database tells. */
export interface Closing {
  readonly invalidIndexes: readonly string[];
  readonly schema?: Schema;
}

/** Which statements belong to which migration. */
export class Ledger {
  readonly entries: RehearsedMigration[] = [];
  /** What each left, where that is needed for its way back. */
  readonly schemas = new Map<RehearsedMigration, Schema>();
  private readonly workspace: string;
  private open: Sighting[] = [];

  constructor(workspace: string) {
    this.workspace = workspace;
  }

  note(sighting: Sighting): void {
    this.open.push(sighting);
  }

  /** The statement that failed last since the last migration was closed. */
  get failed(): Sighting | undefined {
    return this.open.findLast(({ error }) => error !== undefined);
  }

  /** What was run since belongs to none of the migrations that are told of. */
  drop(): void {
    this.open = [];
  }

  /**
   * What was run since the last one was this migration.
   * @param history tables of the tool itself: what it does to them is none of the migration
   */
  async close(
    migration: Migration,
    { invalidIndexes, schema }: Closing,
    history: readonly string[],
  ): Promise<RehearsedMigration> {
    const text = await readFile(path.join(this.workspace, migration.file), 'utf8').catch(() => '');
    const places = new Places(migration, text);
    const statements = this.open
      .filter((one) => isOfMigration(one, history))
      .map(({ locks, error, ...one }): ObservedStatement => ({
        ...one,
        place: places.find(one.sql, error),
        locks: locks.filter(({ relation }) => !history.includes(relation)),
        ...(error !== undefined && { error }),
      }));
    this.open = [];
    const seconds = statements.reduce((sum, one) => sum + one.seconds, 0);
    const entry = { migration, statements, seconds, invalidIndexes };
    this.entries.push(entry);
    if (schema !== undefined) this.schemas.set(entry, schema);
    return entry;
  }
}

const STRONG = LOCK_MODES.indexOf('ShareUpdateExclusiveLock');

function isOfMigration({ sql, locks, error }: Sighting, history: readonly string[]): boolean {
  if (history.some((name) => sql.includes(bare(name)))) return false;
  return error !== undefined || !onlyReads(sql) || locks.some(({ mode }) => LOCK_MODES.indexOf(mode) >= STRONG);
}
