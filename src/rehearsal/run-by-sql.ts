import { UserError } from '../action/errors.ts';
import { connect } from '../postgres/connect.ts';
import { inTime } from './in-time.ts';
import type { RehearsalFailure } from './rehearsal.ts';
import { runScript, scriptOf } from './run-scripts.ts';
import { type Stage, closingOf, startWatching } from './stage.ts';

/** Runs the migrations' SQL without their tool. @returns what failed */
export async function runBySql(stage: Stage): Promise<RehearsalFailure | undefined> {
  const { request, host, observer, ledger, beside, address } = stage;
  const session = await connect({ ...address, tls: 'off' }, host);
  try {
    for (const migration of request.migrations) {
      const pending = request.pending.has(migration.id);
      if (!pending && request.schema !== undefined) continue;
      host.signal.throwIfAborted();
      observer.watching = pending;
      if (pending) await startWatching(stage, beside);
      ledger.drop();
      const failed = await runScript(session, migration, scriptOf(migration));
      if (failed !== undefined) await checkAlive(stage, failed);
      if (pending) await ledger.close(migration, await closingOf(stage, beside), []);
      if (failed !== undefined) return inTime(failed, request.timeouts.statement);
    }
    return undefined;
  } finally {
    await session.close();
  }
}

/** @throws UserError where the server went with the statement, so that nothing more can be asked of it */
async function checkAlive({ beside, request }: Stage, { place, message }: RehearsalFailure): Promise<void> {
  try {
    await beside.query('SELECT 1');
  } catch (error) {
    throw new UserError(`the server of the rehearsal (${request.server.kind}) ended in this statement: ${message}`, {
      ...(place !== undefined && { place }),
      remedy: 'Rehearse on a PostgreSQL of its own: install the package postgresql in a step before.',
      cause: error,
    });
  }
}
