import { createHash } from 'node:crypto';
import { UserError } from '../action/errors.ts';
import type { Clock } from '../action/host.ts';
import { type Activity, describeActivity, spoken } from './activity.ts';
import type { Session } from './connect.ts';
import type { Database } from './database.ts';

/**
 * Two numbers of an advisory lock; PostgreSQL keeps those of each database apart. `migrator` is held by the one run that
 * may migrate. Every session in which it migrates holds `worker`, shared: a run that was killed lets go of `migrator` at
 * once, while its last statement may go on in the server for some time.
 */
export interface LockKey {
  readonly space: number;
  readonly kind: 'migrator' | 'worker';
}

/** The advisory lock of the one migrator. */
export interface MigratorLock {
  /** @throws UserError once it is lost: nothing more may be done then */
  check(): void;
  /** Aborts when it is lost. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

export interface LockOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Milliseconds to wait for another migrator. */
  readonly wait: number;
  /** Told once for each holder that is waited for. */
  readonly waiting?: (message: string) => void;
}

const POLL_MS = 500;
const HEARTBEAT_MS = 5000;
const OBJECTS = { migrator: 1, worker: 2 } as const;

/** The number that stands for the migrations of one tool. */
export function lockSpace(tool: string): number {
  return createHash('sha256').update(`delivery-actions migrate-db ${tool}`).digest().readInt32BE(0);
}

/** The arguments of the server's functions for this lock, as SQL. */
export function lockArguments({ space, kind }: LockKey): string {
  return `${space}, ${OBJECTS[kind]}`;
}

/**
 * Becomes the one migrator, by asking again and again: a session that waits within the server holds a snapshot, for
 * which the CREATE INDEX CONCURRENTLY of the holder waits in turn. The session has to stay out of transactions.
 * @throws UserError when somebody else still migrates after `wait`, and who
 */
export async function becomeMigrator(session: Session, space: number, options: LockOptions): Promise<MigratorLock> {
  const { clock, signal } = options;
  const until = clock.now() + options.wait;
  const told = new Set<string>();
  for (const kind of ['migrator', 'worker'] as const) {
    const key = lockArguments({ space, kind });
    while (!(await tryLock(session, key))) {
      const holders = await holdersOf(session, { space, kind });
      const who = holders.map(describeActivity).join('; ') || 'a session that has just gone';
      if (clock.now() >= until) throw stillHeld(kind, who, options.wait);
      const pids = `${kind} ${holders.map(({ pid }) => pid).join(',')}`;
      if (holders.length > 0 && !told.has(pids)) {
        told.add(pids);
        options.waiting?.(
          `${kind === 'migrator' ? 'Another migration runs' : 'A statement of an earlier run goes on'}: waiting for ${who}`,
        );
      }
      await clock.sleep(POLL_MS * (0.75 + Math.random() / 2), signal);
    }
    // That nobody works any more is all that was to be known.
    if (kind === 'worker') await session.query(`SELECT pg_advisory_unlock(${key})`);
  }
  return guarded(session, lockArguments({ space, kind: 'migrator' }));
}

/** Who holds the lock now. */
export async function holdersOf(database: Database, { space, kind }: LockKey): Promise<readonly Activity[]> {
  const rows = await database.query(
    `SELECT a.pid, coalesce(a.usename, '') AS "user", a.application_name AS application,
       coalesce(host(a.client_addr), 'local') AS client, coalesce(a.state, '') AS state,
       extract(epoch FROM clock_timestamp() - a.backend_start)::float8 AS seconds
     FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
     WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.pid <> pg_backend_pid()
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND l.classid = $1::bigint::oid AND l.objid = $2::bigint::oid
     ORDER BY a.backend_start LIMIT 10`,
    [space >>> 0, OBJECTS[kind]],
  );
  return rows.map((row) => ({
    pid: Number(row['pid']),
    user: String(row['user']),
    application: String(row['application']),
    client: String(row['client']),
    state: `connected, ${String(row['state'])},`,
    query: '',
    transactionSeconds: Number(row['seconds']),
    isClient: true,
    waitsFor: [],
  }));
}

async function tryLock(session: Session, key: string): Promise<boolean> {
  const [row] = await session.query(`SELECT pg_try_advisory_lock(${key}) AS got`);
  return row?.['got'] === true;
}

/** Asks now and then, as a connection may die without a word. */
function guarded(session: Session, key: string): MigratorLock {
  const lost = new AbortController();
  const lose = (): void => lost.abort(gone());
  if (session.lost.aborted) lose();
  session.lost.addEventListener('abort', lose, { once: true });
  const timer = setInterval(() => void session.query('SELECT 1').catch(lose), HEARTBEAT_MS);
  timer.unref();
  return {
    lost: lost.signal,
    check() {
      if (lost.signal.aborted) throw lost.signal.reason;
    },
    async release() {
      clearInterval(timer);
      session.lost.removeEventListener('abort', lose);
      await session.query(`SELECT pg_advisory_unlock(${key})`).catch(() => undefined);
    },
  };
}

function gone(): UserError {
  return new UserError('The session that holds the lock of migrations broke off, so nothing more was begun', {
    remedy: 'Run it again: what is done is recorded, and the rest follows.',
  });
}

function stillHeld(kind: LockKey['kind'], who: string, wait: number): UserError {
  const since = `after ${spoken(wait / 1000)}`;
  if (kind === 'migrator') {
    return new UserError(`Another migration of this database still runs ${since}: ${who}`, {
      remedy: 'Wait for that run, or cancel it; then run this one again.',
    });
  }
  return new UserError(`A statement of an earlier run, which ended, still runs in the database ${since}: ${who}`, {
    remedy: 'Wait until it is through, or end it by SELECT pg_cancel_backend(<pid>); then run this again.',
  });
}
