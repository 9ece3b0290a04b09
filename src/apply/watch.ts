import type { Clock } from '../action/host.ts';
import type { Log } from '../action/log.ts';
import { type Activity, blockersOf, describeActivity, queueBehind, terminate } from '../postgres/activity.ts';
import type { Database } from '../postgres/database.ts';

/** What was seen while sessions of ours worked. */
export interface Watched {
  /** Who kept them waiting when last somebody did. */
  readonly blockers: readonly Activity[];
  readonly terminated: readonly Activity[];
  readonly queue: { readonly sessions: number; readonly seconds: number };
}

export interface WatchOptions {
  /** Process ids of the sessions that work now. */
  readonly pids: () => readonly number[];
  readonly clock: Clock;
  readonly log: Log;
  /** Blockers with an older transaction are ended; seconds. */
  readonly terminateOlderThan?: number;
}

const LOOK_MS = 300;

/**
 * Looks from another session who keeps ours waiting, and who waits behind them, until it is stopped. A look that fails
 * ends the looking: what is wrong then shows elsewhere.
 */
export function watchWork(control: Database, options: WatchOptions): { stop(): Promise<Watched> } {
  const { pids, clock, log, terminateOlderThan } = options;
  const end = new AbortController();
  const told = new Set<string>();
  const ended: Activity[] = [];
  let blockers: readonly Activity[] = [];
  let queue = { sessions: 0, seconds: 0 };

  async function look(): Promise<void> {
    const ours = pids();
    if (ours.length === 0) return;
    const found = await blockersOf(control, ours);
    if (found.length > 0) blockers = found;
    for (const blocker of found.filter(({ waitsFor }) => waitsFor.length === 0)) {
      const about = `${blocker.pid} ${blocker.query}`;
      if (!told.has(about)) log.info(`waiting for a lock of ${describeActivity(blocker)}`);
      told.add(about);
    }
    if (found.length > 0 && terminateOlderThan !== undefined) {
      for (const one of await terminate(control, found, terminateOlderThan)) {
        ended.push(one);
        log.warning(`ended a session, as terminate-blockers-older-than allows: ${describeActivity(one)}`);
      }
    }
    const behind = await queueBehind(control, ours);
    queue = {
      sessions: Math.max(queue.sessions, behind.sessions),
      seconds: Math.max(queue.seconds, behind.seconds),
    };
  }

  async function watch(): Promise<void> {
    while (!end.signal.aborted) {
      await clock.sleep(LOOK_MS, end.signal);
      await look();
    }
  }

  const done = watch().catch(() => undefined);
  return {
    async stop() {
      end.abort();
      await done;
      return { blockers, terminated: ended, queue };
    },
  };
}
