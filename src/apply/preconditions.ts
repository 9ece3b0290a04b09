import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { describeActivity, longTransactions, spoken } from '../postgres/activity.ts';
import type { Session } from '../postgres/connect.ts';
import { type Lag, replicationLag } from '../postgres/lag.ts';
import { poolerFault, sharedSessions } from '../postgres/pooler.ts';
import { type ServerState, serverState } from '../postgres/server-state.ts';
import type { Limits } from './limits.ts';

type Waiting = Pick<Host, 'clock' | 'log' | 'signal'>;

/** The sessions that a tool opens besides ours, at the least. */
const NEEDED_CONNECTIONS = 2;
const LOOK_MS = 2000;

/**
 * Looks whether one can migrate there at all.
 * @param probe a second session, to tell a pooler
 * @throws UserError with why not
 */
export async function checkServer(control: Session, probe: Session, host: string): Promise<ServerState> {
  const shared = await sharedSessions(control, probe);
  if (shared !== undefined) throw poolerFault(host, shared);
  const state = await serverState(control);
  const problem = unfit(state, host);
  if (problem !== undefined) throw problem;
  return state;
}

function unfit({ inRecovery, readOnly, connections, database }: ServerState, host: string): UserError | undefined {
  if (inRecovery) {
    return new UserError(`${host} is a standby: it takes no writes`, {
      remedy:
        'Give the address of the primary; of an Aurora cluster the cluster endpoint, not the one with -ro- in it.',
    });
  }
  if (readOnly) {
    return new UserError(`Transactions in ${database} are read-only (default_transaction_read_only)`, {
      remedy:
        'Somebody set that, often before a failover or when the disk was full: find out why, then ALTER DATABASE or ALTER ROLE … RESET default_transaction_read_only.',
    });
  }
  if (connections.free < NEEDED_CONNECTIONS) {
    return new UserError(
      `The server has ${connections.free} of ${connections.max} connections left, and migrating needs ${NEEDED_CONNECTIONS} more`,
      { remedy: 'Run it again when there is less load, or raise max_connections.' },
    );
  }
  return undefined;
}

/** Waits for what makes changes of the schema dangerous, saying what it waits for. */
export interface Patience {
  /** @throws UserError when transactions older than allowed are still there after the time for waiting */
  forTransactions(): Promise<void>;
  /** @throws UserError when replicas are still too far behind after the time for waiting */
  forReplicas(): Promise<void>;
}

/** The time for waiting counts for all of it together. */
export function patience(control: Session, limits: Limits, isAurora: boolean, host: Waiting): Patience {
  const { clock, log, signal } = host;
  let left = limits.patience;
  let isBlind = false;

  async function waitWhile(look: () => Promise<string | undefined>, limit: string): Promise<void> {
    let told = '';
    for (;;) {
      const seen = await look();
      if (seen === undefined) return;
      if (left <= 0) {
        throw new UserError(`After waiting for ${spoken(limits.patience / 1000)}, ${seen}`, {
          remedy: `Run it again when that is over, or raise ${limit}.`,
        });
      }
      if (told === '') log.info(`waiting: ${seen}`);
      told = seen;
      const pause = Math.min(LOOK_MS, left);
      await clock.sleep(pause, signal);
      left -= pause;
    }
  }

  return {
    forTransactions: async () =>
      waitWhile(async () => {
        const [oldest] = await longTransactions(control, limits.maxTransactionAge / 1000);
        return oldest && `a transaction is open that changes would queue behind: ${describeActivity(oldest)}`;
      }, 'max-transaction-age'),
    forReplicas: async () =>
      waitWhile(async () => {
        const lags = await replicationLag(control, isAurora);
        if (!isBlind && lags.some(({ seconds }) => seconds === undefined)) {
          isBlind = true;
          log.warning(
            'The lag of the replicas is hidden from this role: GRANT pg_monitor to it, or it is not waited for.',
          );
        }
        return tooFarBehind(lags, limits.maxLag);
      }, 'max-lag'),
  };
}

function tooFarBehind(lags: readonly Lag[], maxLag: number): string | undefined {
  const worst = lags.find(({ seconds = 0 }) => seconds * 1000 > maxLag);
  return worst && `replica ${worst.replica.slice(0, 100)} is ${spoken(worst.seconds ?? 0)} behind`;
}
