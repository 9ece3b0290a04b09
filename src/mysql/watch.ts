import type { Clock } from '../action/host.ts';
import type { Log } from '../action/log.ts';
import type { Watched } from '../apply/watch.ts';
import { type Activity, describeActivity, spoken } from '../postgres/activity.ts';
import { blockersOf, queueBehind } from './activity.ts';
import type { MysqlSession } from './connect.ts';

export interface MysqlWatchOptions {
  /** Ids of the sessions that work now, and since when their statement runs (`performance.now`). */
  readonly work: ReadonlyMap<number, { readonly since: number }>;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds that a statement may run; 0 for no limit. MySQL itself limits nothing but SELECT. */
  readonly statementTimeout: number;
  /** Blockers with an older transaction are ended; seconds. */
  readonly terminateOlderThan?: number;
}

const LOOK_MS = 300;

/**
 * Looks from another session who keeps ours waiting, and who waits behind them, and ends what runs for too long. A look
 * that fails ends the looking: what is wrong then shows elsewhere.
 */
export function watchMysql(control: MysqlSession, options: MysqlWatchOptions): { stop(): Promise<Watched> } {
  const { work, clock, log, statementTimeout, terminateOlderThan } = options;
  const end = new AbortController();
  const told = new Set<string>();
  const ended: Activity[] = [];
  let blockers: readonly Activity[] = [];
  let queue = { sessions: 0, seconds: 0 };

  async function look(): Promise<void> {
    for (const [id, { since }] of work) {
      if (statementTimeout > 0 && performance.now() - since > statementTimeout) {
        log.warning(`ended a statement that ran for ${spoken((performance.now() - since) / 1000)}`);
        await control.query(`KILL QUERY ${id}`).catch(() => undefined);
      }
      const { sessions, isSure } = await blockersOf(control, id);
      if (sessions.length > 0) blockers = sessions;
      for (const one of sessions) {
        if (!told.has(`${one.pid} ${one.query}`)) log.info(`waiting for a lock of ${describeActivity(one)}`);
        told.add(`${one.pid} ${one.query}`);
        // Nobody is ended on a guess.
        const isOld = terminateOlderThan !== undefined && (one.transactionSeconds ?? 0) > terminateOlderThan;
        if (!isSure || !isOld || !one.isClient) continue;
        await control.query(`KILL ${one.pid}`);
        ended.push(one);
        log.warning(`ended a session, as terminate-blockers-older-than allows: ${describeActivity(one)}`);
      }
    }
    const behind = await queueBehind(control, [...work.keys()]);
    queue = { sessions: Math.max(queue.sessions, behind.sessions), seconds: Math.max(queue.seconds, behind.seconds) };
  }

  async function watch(): Promise<void> {
    while (!end.signal.aborted) {
      await clock.sleep(LOOK_MS, end.signal);
      if (work.size > 0) await look();
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
