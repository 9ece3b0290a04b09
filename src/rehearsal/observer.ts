import { LOCK_MODES, type LockMode, type RelationLock } from '../migration/finding.ts';
import type { Database, SqlError } from '../postgres/database.ts';
import type { Between, Outcome, RelayHooks, Seen } from '../postgres/relay-hooks.ts';
import { splitScript } from '../sql/split.ts';
import {
  type LockRow,
  OWN_LOCKS,
  type RelationRow,
  SCANS,
  type ScansRow,
  relationsAbove,
  relationsOf,
} from './relations.ts';
import { bare } from './names.ts';
import { watchLocks } from './watch-locks.ts';
import { controlsTransaction, knownLock, readsAll, takesBack, watchedHow } from './statement-kind.ts';

/** What was seen of one statement. */
export interface Sighting {
  readonly sql: string;
  readonly seconds: number;
  readonly locks: readonly RelationLock[];
  readonly rewritten: readonly string[];
  readonly scanned: readonly string[];
  readonly inTransaction: boolean;
  readonly error?: SqlError;
}

export interface ObserverOptions {
  /** A session beside those of the tool, for what runs in no transaction; absent where the server has one session alone. */
  readonly beside?: Database;
  /** Seconds that a statement may take. */
  readonly statementTimeout: number;
  /** After each statement of a client. */
  readonly ended: (sighting: Sighting, between: Between) => Promise<void>;
}

/** What is known of a session's open transaction. */
interface Transaction {
  /** Opened here, around a statement that has none. */
  readonly own: boolean;
  readonly held: Set<string>;
  /** Before the statement that runs. */
  scans: ReadonlyMap<number, number>;
}

/** What strong locks keep out others, and only those come with a new file or a scan under them. */
const STRONG = LOCK_MODES.indexOf('ShareUpdateExclusiveLock');

/**
 * Sees what statements do to relations that were there before: which locks they take, which files they write anew and
 * which tables they read in full. A statement without a transaction gets one around it, so that its locks are still
 * there to be asked for; what can't have one is watched from beside.
 */
export class Observer {
  readonly hooks: RelayHooks;
  /** Whether anything is looked for; without it statements are only timed. */
  watching = true;
  private readonly options: ObserverOptions;
  private known = new Map<number, RelationRow>();
  private newest = 0;
  private stale = true;
  private readonly transactions = new Map<number, Transaction>();
  private readonly watches = new Map<number, () => Promise<readonly LockRow[]>>();

  constructor(options: ObserverOptions) {
    this.options = options;
    this.hooks = {
      opened: async (between) => {
        await between.ask(`SET statement_timeout = ${Math.ceil(options.statementTimeout * 1000)}`);
      },
      split: (sql) => splitScript(sql).statements.map((one) => one.sql),
      before: async (seen, between) => this.before(seen, between),
      after: async (seen, outcome, between) => this.after(seen, outcome, between),
    };
  }

  /** From now on what is there is known; asked before each migration, outside of failed transactions. */
  async begin(ask: (sql: string) => Promise<readonly RelationRow[]>): Promise<void> {
    if (this.stale) [this.known, this.newest, this.stale] = [new Map(), 0, false];
    for (const row of await ask(relationsAbove(this.newest))) {
      this.known.set(row.oid, row);
      this.newest = Math.max(this.newest, row.oid);
    }
  }

  private async before({ pid, sql, inTransaction }: Seen, between: Between): Promise<void> {
    if (!this.watching) return;
    const how = watchedHow(sql);
    if (how === 'beside' && !inTransaction) return this.watch(pid, sql, between);
    if (how === 'not' && !inTransaction) return;
    if (!inTransaction) await between.ask('BEGIN');
    const running = this.transactions.get(pid) ?? { own: !inTransaction, held: new Set(), scans: new Map() };
    this.transactions.set(pid, running);
    if (how !== 'not' && between.state === 'T') running.scans = scansIn(await between.ask<ScansRow>(SCANS));
  }

  private async after(seen: Seen, { seconds, error }: Outcome, between: Between): Promise<void> {
    const { pid, sql } = seen;
    const running = this.transactions.get(pid);
    const found = await this.found(seen, running, error, between);
    if (running?.own === true) await between.ask(error === undefined ? 'COMMIT' : 'ROLLBACK');
    if (between.state === 'I') this.transactions.delete(pid);
    if (error !== undefined || takesBack(sql)) this.stale = true;
    if (controlsTransaction(sql) && error === undefined) return;
    const { inTransaction } = seen;
    await this.options.ended({ sql, seconds, ...found, inTransaction, ...(error !== undefined && { error }) }, between);
  }

  private async found(
    { pid, sql }: Seen,
    running: Transaction | undefined,
    error: SqlError | undefined,
    between: Between,
  ): Promise<Pick<Sighting, 'locks' | 'rewritten' | 'scanned'>> {
    const watch = this.watches.get(pid);
    this.watches.delete(pid);
    const beside = await watch?.();
    if (beside !== undefined) {
      const locks = this.locks(beside);
      const scanned = readsAll(sql) && error === undefined ? this.tablesIn(beside) : [];
      return { locks, rewritten: await this.renewed(between), scanned };
    }
    if (running === undefined || error !== undefined || between.state !== 'T') {
      return { locks: [], rewritten: [], scanned: [] };
    }
    const held = await between.ask<LockRow>(OWN_LOCKS);
    const fresh = held.filter(({ oid, mode }) => !running.held.has(`${oid} ${mode}`));
    for (const { oid, mode } of held) running.held.add(`${oid} ${mode}`);
    const locks = this.locks(fresh);
    const strong = held.filter(({ oid, mode }) => this.known.has(oid) && rank(mode) >= STRONG).map(({ oid }) => oid);
    if (strong.length === 0) return { locks, rewritten: [], scanned: [] };
    const now = await between.ask<RelationRow>(relationsOf([...new Set(strong)]));
    const scans = scansIn(await between.ask<ScansRow>(SCANS));
    const scanned = now.filter(
      ({ oid }) => strong.includes(oid) && (scans.get(oid) ?? 0) > (running.scans.get(oid) ?? 0),
    );
    return {
      locks,
      scanned: scanned.map(({ name }) => name).toSorted(),
      rewritten: this.compare(now, new Set(strong)),
    };
  }

  /** The strongest lock on each relation that was there before; none on an index that its table's lock tells of. */
  private locks(rows: readonly LockRow[]): readonly RelationLock[] {
    const strongest = new Map<number, LockRow>();
    for (const row of rows) {
      if (rank(row.mode) > rank(strongest.get(row.oid)?.mode ?? '')) strongest.set(row.oid, row);
    }
    return [...strongest.values()]
      .flatMap(({ oid, mode }) => {
        const relation = this.known.get(oid);
        if (relation === undefined || ('iIS'.includes(relation.kind) && rank(mode) < STRONG)) return [];
        const table = strongest.get(relation.table ?? 0);
        if (table !== undefined && rank(table.mode) >= rank(mode)) return [];
        return [{ relation: relation.name, mode: mode as LockMode }];
      })
      .toSorted((a, b) => rank(b.mode) - rank(a.mode) || a.relation.localeCompare(b.relation));
  }

  /** What has another file than before under the same name. Takes note of what is new. */
  private compare(now: readonly RelationRow[], asked: ReadonlySet<number>): readonly string[] {
    const there = new Set(now.map(({ oid }) => oid));
    const gone = [...asked].filter((oid) => !there.has(oid));
    const byName = new Map([...this.known.values()].map((row) => [row.name, row]));
    const rewritten = now.filter((row) => {
      const before = this.known.get(row.oid) ?? byName.get(row.name);
      // An index that is made anew for a changed column keeps its name, not its number.
      return before !== undefined && before.kind === row.kind && before.file !== row.file && row.file !== 0;
    });
    for (const row of now) if (this.known.has(row.oid) || rewritten.includes(row)) this.known.set(row.oid, row);
    for (const oid of gone) this.known.delete(oid);
    return rewritten.map(({ name }) => name).toSorted();
  }

  /** After a statement that had no transaction: what has another file now. */
  private async renewed(between: Between): Promise<readonly string[]> {
    if (between.state !== 'I') return [];
    const all = await between.ask<RelationRow>(relationsAbove(0));
    return this.compare(all, new Set(this.known.keys()));
  }

  private tablesIn(rows: readonly LockRow[]): readonly string[] {
    const strong = rows.filter(({ mode }) => rank(mode) >= STRONG).flatMap(({ oid }) => this.known.get(oid) ?? []);
    return [...new Set(strong.filter(({ kind }) => 'rpm'.includes(kind)).map(({ name }) => name))].toSorted();
  }

  private async watch(pid: number, sql: string, between: Between): Promise<void> {
    const { beside } = this.options;
    const rows = [...this.known.values()];
    const named = rows.filter(({ name }) => sql.includes(bare(name)));
    const tables = new Set(named.map(({ oid, table }) => table ?? oid));
    if (beside === undefined) {
      const mode = knownLock(sql);
      const known = mode === undefined ? [] : [...tables].map((oid) => ({ oid, mode }));
      this.watches.set(pid, async () => known);
      return;
    }
    const held = rows.filter(({ oid, kind }) => tables.has(oid) && 'rp'.includes(kind)).map(({ name }) => name);
    this.watches.set(pid, await watchLocks(beside, pid, held));
    // What is over in a moment must not be over before anybody looks.
    await between.ask('SELECT pg_sleep(0.005)');
  }
}

function scansIn(rows: readonly ScansRow[]): ReadonlyMap<number, number> {
  return new Map(rows.map(({ oid, scans }) => [oid, scans]));
}

function rank(mode: string): number {
  return LOCK_MODES.indexOf(mode as LockMode);
}
