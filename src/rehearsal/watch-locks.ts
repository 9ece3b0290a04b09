import type { Database } from '../postgres/database.ts';
import { LOCKS_OF, type LockRow, MAKE_WATCH, WATCH } from './relations.ts';

/** Milliseconds that a statement is held at most, until it asks for a lock. */
const HOLD_MS = 1000;

/**
 * Watches the locks of another session until told to stop. The tables are held so that whoever wants to change them
 * has to wait, until it is seen what it waits for: else a statement on a small table would be over unseen.
 * @param tables names as SQL
 * @returns stops and gives the locks that were seen
 */
export async function watchLocks(
  beside: Database,
  pid: number,
  tables: readonly string[],
): Promise<() => Promise<readonly LockRow[]>> {
  await beside.query(MAKE_WATCH);
  const seen: LockRow[] = [];
  const end = new AbortController();
  const holding = await hold(beside, tables);
  const watching = (async (): Promise<void> => {
    if (holding) await awaitWish(beside, pid, { seen, signal: end.signal });
    do seen.push(...(await beside.query<LockRow>(WATCH, [pid])));
    while (!end.signal.aborted);
  })();
  watching.catch(() => {}); // told when it is stopped
  return async () => {
    end.abort();
    await watching;
    return seen;
  };
}

async function hold(beside: Database, tables: readonly string[]): Promise<boolean> {
  if (tables.length === 0) return false;
  await beside.query('BEGIN');
  try {
    await beside.query("SET LOCAL lock_timeout = '200ms'");
    await beside.query(`LOCK TABLE ONLY ${tables.join(', ONLY ')} IN SHARE UPDATE EXCLUSIVE MODE`);
    return true;
  } catch {
    // Another session of the tool has it; then it is watched as it comes.
    await beside.query('ROLLBACK');
    return false;
  }
}

async function awaitWish(
  beside: Database,
  pid: number,
  { seen, signal }: { readonly seen: LockRow[]; readonly signal: AbortSignal },
): Promise<void> {
  try {
    const until = Date.now() + HOLD_MS;
    for (let waits = false; !waits && !signal.aborted && Date.now() < until;) {
      const rows = await beside.query<LockRow & { readonly waits: boolean }>(LOCKS_OF, [pid]);
      seen.push(...rows);
      waits = rows.some((row) => row.waits);
    }
  } finally {
    await beside.query('COMMIT');
  }
}
