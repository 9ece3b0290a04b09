import { createHash } from 'node:crypto';
import { UserError } from '../action/errors.ts';
import { describeActivity, spoken } from '../postgres/activity.ts';
import type { LockOptions, MigratorLock } from '../postgres/advisory-lock.ts';
import { sessionsOf } from './activity.ts';
import type { MysqlSession } from './connect.ts';

const POLL_MS = 500;
const HEARTBEAT_MS = 5000;

/**
 * The name of a lock; the server keeps one list for all of its databases, of names of 64 characters (GET_LOCK). The run
 * that may migrate holds `migrator`. The session in which it migrates holds `worker`: a run that was killed lets go of
 * `migrator` at once, while its last statement goes on in the server until it is done.
 */
export function lockName(kind: 'migrator' | 'worker', tool: string, database: string): string {
  const hash = createHash('sha256').update(`${tool}\0${database}`).digest('hex').slice(0, 24);
  return `delivery-actions.${kind}.${hash}`;
}

/** Takes a lock if it is free. */
export async function tryLock(session: MysqlSession, name: string): Promise<boolean> {
  const [row] = await session.query('SELECT GET_LOCK(?, 0) AS got', [name]);
  return Number(row?.['got']) === 1;
}

/**
 * Becomes the one migrator, by asking again and again, so that whoever holds it can be shown.
 * @throws UserError when somebody else still migrates after `wait`, and who
 */
export async function becomeMigrator(session: MysqlSession, tool: string, options: LockOptions): Promise<MigratorLock> {
  const { clock, signal } = options;
  const until = clock.now() + options.wait;
  const told = new Set<string>();
  const name = lockName('migrator', tool, session.database);
  for (const kind of ['migrator', 'worker'] as const) {
    const own = lockName(kind, tool, session.database);
    while (!(kind === 'migrator' ? await tryLock(session, own) : await isFree(session, own))) {
      const who = await holderOf(session, own);
      if (clock.now() >= until) throw stillHeld(kind, who, options.wait);
      if (!told.has(`${kind} ${who}`)) {
        options.waiting?.(
          `${kind === 'migrator' ? 'Another migration runs' : 'A statement of an earlier run goes on'}: waiting for ${who}`,
        );
      }
      // Its age is in the words, and changes.
      told.add(`${kind} ${who}`);
      await clock.sleep(POLL_MS * (0.75 + Math.random() / 2), signal);
    }
  }
  return guarded(session, name);
}

async function isFree(session: MysqlSession, name: string): Promise<boolean> {
  const [row] = await session.query('SELECT IS_FREE_LOCK(?) AS free', [name]);
  return Number(row?.['free']) === 1;
}

/** Who holds a lock now, in words. */
async function holderOf(session: MysqlSession, name: string): Promise<string> {
  const [row] = await session.query('SELECT IS_USED_LOCK(?) AS id', [name]);
  const id = row?.['id'];
  if (id === null || id === undefined) return 'a session that has just gone';
  const [holder] = await sessionsOf(session, [Number(id)]);
  if (holder === undefined) return `connection ${Number(id)}, which this user may not see (GRANT PROCESS shows it)`;
  const { querySeconds: _, transactionSeconds: __, ...still } = holder;
  return describeActivity(still);
}

/** Asks now and then whether it is still ours: a connection may die without a word, and a proxy may change it. */
function guarded(session: MysqlSession, name: string): MigratorLock {
  const lost = new AbortController();
  const lose = (): void => lost.abort(gone());
  if (session.lost.aborted) lose();
  session.lost.addEventListener('abort', lose, { once: true });
  const timer = setInterval(() => {
    session
      .query('SELECT IS_USED_LOCK(?) = CONNECTION_ID() AS ours', [name])
      .then(([row]) => (Number(row?.['ours']) === 1 ? undefined : lose()), lose);
  }, HEARTBEAT_MS);
  timer.unref();
  return {
    lost: lost.signal,
    check() {
      if (lost.signal.aborted) throw lost.signal.reason;
    },
    async release() {
      clearInterval(timer);
      session.lost.removeEventListener('abort', lose);
      await session.query('DO RELEASE_LOCK(?)', [name]).catch(() => undefined);
    },
  };
}

function gone(): UserError {
  return new UserError('The session that holds the lock of migrations broke off, so nothing more was begun', {
    remedy: 'Run it again: what is done is recorded, and the rest follows.',
  });
}

function stillHeld(kind: 'migrator' | 'worker', who: string, wait: number): UserError {
  const since = `after ${spoken(wait / 1000)}`;
  if (kind === 'migrator') {
    return new UserError(`Another migration of this database still runs ${since}: ${who}`, {
      remedy: 'Wait for that run, or cancel it; then run this one again.',
    });
  }
  return new UserError(`A statement of an earlier run, which ended, still runs in the database ${since}: ${who}`, {
    remedy: 'Wait until it is through, or end it by KILL QUERY <id>; then run this again.',
  });
}
