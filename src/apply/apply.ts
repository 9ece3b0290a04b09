import { graceAfter } from '../action/grace.ts';
import { becomeMigrator, lockSpace } from '../postgres/advisory-lock.ts';
import { type Session, connect } from '../postgres/connect.ts';
import type { ServerState } from '../postgres/server-state.ts';
import type { ApplyHost, Scene } from './attempt.ts';
import { concluded } from './conclude.ts';
import { Leftovers } from './leftovers.ts';
import { LIMITS } from './limits.ts';
import { checkServer, patience } from './preconditions.ts';
import { tryUntilDone } from './progress.ts';
import type { ApplyReport } from './report.ts';
import { type ApplyRequest, notApplied } from './request.ts';

/** A question to the server that is answered later than that finds nobody any more. */
const QUERY_MS = 60_000;
const GRACE_MS = 4500;

/**
 * Applies what is pending, as the one migrator of the database, and tells what came of it. It may be run again after
 * whatever happened: what is done is recorded together with it, and the rest follows.
 * @throws UserError when nothing was begun: no way in, a standby, a pooler that shares sessions, another migrator
 */
export async function applyMigrations(request: ApplyRequest, host: ApplyHost): Promise<ApplyReport> {
  const started = performance.now();
  const { tool, found, moment = () => {} } = request;
  const limits = { ...LIMITS, ...request.limits };
  const space = lockSpace(tool.name);
  const applicationName = `delivery-actions migrate-db ${host.info.runId}`.trim();
  const open = async (): Promise<Session> =>
    connect(await request.connection(), {
      signal: graceAfter(host.signal, GRACE_MS),
      clock: host.clock,
      timeouts: { connect: limits.connectTimeout, retry: limits.connectRetry, query: QUERY_MS },
      applicationName: `${applicationName} control`.slice(0, 63),
    });
  const control = await open();
  try {
    const state = await checkedServer(control, open, (await request.connection()).host);
    const { clock, signal, log } = host;
    const waiting = (message: string): void => log.info(message);
    const lock = await becomeMigrator(control, space, { clock, signal, wait: limits.migratorWait, waiting });
    moment('locked');
    try {
      const pending = await notApplied(request, control);
      const wait = patience(control, limits, state.isAurora, host);
      if (pending.length > 0) await wait.forTransactions();
      const scene: Scene = {
        host,
        tool,
        found,
        migrations: request.migrations,
        stops: request.stops === true,
        limits,
        source: request.connection,
        control,
        lock,
        leftovers: new Leftovers(open, pending, log),
        space,
        applicationName,
        workers: new Set(),
        between: async () => wait.forReplicas(),
        moment,
      };
      const progress = await tryUntilDone(pending, scene, async () => notApplied(request, control));
      return await concluded(request, { started, progress, pending, scene, open });
    } finally {
      await lock.release();
    }
  } finally {
    await control.close();
  }
}

async function checkedServer(control: Session, open: () => Promise<Session>, host: string): Promise<ServerState> {
  const probe = await open();
  try {
    return await checkServer(control, probe, host);
  } finally {
    await probe.close();
  }
}
