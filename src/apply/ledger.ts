import type { Between, Outcome, Seen } from '../postgres/relay-hooks.ts';
import type { RelationLock } from '../migration/finding.ts';

/** A statement of a tool, as the relay saw it. */
export interface Entry {
  readonly sql: string;
  readonly seconds: number;
  readonly locks: readonly RelationLock[];
  readonly error?: Outcome['error'];
  /** The migration that it belongs to, once the tool's own table told so within the session. */
  migration?: string;
}

/** in_failed_sql_transaction: what comes after the statement that failed. */
const AFTERMATH = '25P02';

const CHANGES =
  /^\s*(?:\/\*[^]*?\*\/\s*|--[^\n]*\n\s*)*(?:create|alter|drop|truncate|comment|grant|revoke|insert|update|delete|merge|copy|do|call|reindex|refresh|vacuum|cluster|security|reassign|with|select\s+(?:setval|pg_catalog\.set))/i;
const ROLLS_BACK = /^\s*(?:rollback|abort)\b(?!\s+(?:work\s+|transaction\s+)?(?:to|prepared)\b)/i;

/** Tables in which tools keep what they applied, and that they are at work. */
const BOOKS =
  /\b(knex_migrations(_lock)?|pgmigrations|SequelizeMeta|__drizzle_migrations|alembic_version|django_migrations|flyway_schema_history|databasechangelog(lock)?|schema_migrations|_prisma_migrations)\b/i;

/** Whether a statement is the tool's own bookkeeping, by its usual tables and the one that the project names. */
export function isBookkeeping(sql: string, table: string | undefined): boolean {
  const head = sql.slice(0, 500);
  return BOOKS.test(head) || (table !== undefined && names(head, table));
}

/** Whether a text has a name as a word of its own: `log` is none of `catalog`. */
function names(text: string, name: string): boolean {
  return new RegExp(`(?<![\\w$])${name.replaceAll(/[^\w]/g, '\\$&')}(?![\\w$])`).test(text);
}

/** Whether a statement changes something that a rollback takes back. */
export function changes(sql: string): boolean {
  return CHANGES.test(sql);
}

/**
 * Follows what the sessions of a tool did, so that after a failure it is known what stays: what was committed since the
 * last migration that the tool calls applied. What a session did in a transaction counts once that is committed.
 */
export class Ledger {
  readonly #open = new Map<number, Entry[]>();
  #committed: Entry[] = [];
  /** The statement that failed last by itself. */
  failed: Entry | undefined;
  /** Migrations that were through in the transaction which failed last. */
  undone: ReadonlySet<string> = new Set();

  /** @returns whether something was committed by it */
  note({ pid, sql }: Pick<Seen, 'pid' | 'sql'>, entry: Entry, state: Between['state']): boolean {
    const open = this.#open.get(pid) ?? [];
    if (entry.error !== undefined) {
      if (entry.error.code !== AFTERMATH) this.failed = entry;
    } else if (changes(sql)) open.push(entry);
    if (state === 'T') {
      this.#open.set(pid, open);
      return false;
    }
    this.#open.delete(pid);
    // A failed transaction ends in a rollback, whatever the client says then; so does one whose COMMIT is refused.
    if (state === 'E' || entry.error !== undefined || ROLLS_BACK.test(sql)) {
      if (open.length > 0) this.undone = new Set(open.flatMap(({ migration }) => migration ?? []));
      return false;
    }
    this.#committed.push(...open);
    return open.length > 0;
  }

  /** What the session did since the last migration belongs to these, which its table now calls applied. */
  belongs(pid: number, migrations: readonly string[]): void {
    const open = this.#open.get(pid) ?? [];
    const last = migrations.at(-1);
    if (last !== undefined) for (const entry of open) entry.migration ??= last;
  }

  /** What was committed and belongs to no migration yet; it is forgotten here. */
  close(): readonly Entry[] {
    const closed = this.#committed;
    this.#committed = [];
    return closed;
  }

  /** What was committed and belongs to no migration. */
  get left(): readonly Entry[] {
    return this.#committed;
  }
}
