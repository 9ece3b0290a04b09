import { randomBytes } from 'node:crypto';
import { UserError, messageOf } from '../action/errors.ts';
import type { Session } from './connect.ts';

const LOOKS = 3;

/**
 * Sees whether something between here and the server gives one session's statements to several of the server's own
 * sessions: PgBouncer in its transaction or statement mode, Pgpool, Odyssey and the like. Advisory locks, timeouts and
 * everything else that a session holds is lost there, or worse, found by others.
 *
 * What one session sets must be there afterwards in it, and nowhere else; while the other is in a transaction, a pooler
 * that shares has to give it the first one's place.
 * @returns what was seen, as a sentence; undefined where sessions are one's own
 */
export async function sharedSessions(first: Session, second: Session): Promise<string | undefined> {
  const isPgpool = await first.query('SHOW pool_version').then(
    () => true,
    () => false,
  );
  if (isPgpool) return 'it answers SHOW pool_version, as only Pgpool does, which spreads statements over servers';
  const token = randomBytes(8).toString('hex');
  const [begun] = await first.query(`SELECT pg_backend_pid() AS pid, set_config('delivery_actions.probe', $1, false)`, [
    token,
  ]);
  const look = `SELECT pg_backend_pid() AS pid, current_setting('delivery_actions.probe', true) AS probe`;
  for (let looked = 0; looked < LOOKS; looked += 1) {
    const refused = await second.query('BEGIN').then(
      () => undefined,
      (error: unknown) => error,
    );
    if (refused !== undefined) return `it takes no transactions: ${messageOf(refused)}`;
    const [other] = await second.query(look);
    // Where the pooler has one place only, `first` would now wait for `second`, so this is looked at before.
    if (other?.['pid'] === begun?.['pid'] || other?.['probe'] === token) {
      await second.query('ROLLBACK');
      return 'two connections to it share a session of the server';
    }
    const [own] = await first.query(look);
    await second.query('ROLLBACK');
    if (own?.['pid'] !== begun?.['pid'] || own?.['probe'] !== token) {
      return "a connection's statements go to several sessions of the server";
    }
  }
  await first.query(`SELECT set_config('delivery_actions.probe', '', false)`);
  return undefined;
}

/** The refusal to migrate through such a pooler. */
export function poolerFault(host: string, seen: string): UserError {
  return new UserError(`A connection pooler that shares sessions stands before the database (${host}): ${seen}`, {
    remedy:
      'Advisory locks and lock_timeout do not hold there, so two migrations could run at once. Give the address of the database itself, or of a pool in session mode.',
  });
}
