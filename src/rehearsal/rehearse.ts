import { connect } from '../postgres/connect.ts';
import { readSchema } from '../postgres/read-schema.ts';
import { openRelay } from '../postgres/relay.ts';
import { upstreamOf } from '../postgres/upstream.ts';
import { loadSchema } from './base.ts';
import { historyTables } from './history.ts';
import { Ledger } from './ledger.ts';
import { Observer } from './observer.ts';
import type { Rehearsal } from './rehearsal.ts';
import type { RehearsalHost, RehearsalRequest } from './request.ts';
import { reverse } from './reverse.ts';
import { runBySql } from './run-by-sql.ts';
import { runByTool } from './run-by-tool.ts';
import type { Stage } from './stage.ts';

/**
 * Applies the pending migrations to a throwaway database that is made as production is, and tells what the server did:
 * locks, files written anew, tables read in full, time, and the way back. SQL that fails is part of the answer.
 * @throws UserError where the rehearsal itself can't be: the schema's file is refused, or the tool can't be run
 */
export async function rehearse(request: RehearsalRequest, host: RehearsalHost): Promise<Rehearsal> {
  const began = host.clock.now();
  const { server, tool, found, workspace, timeouts } = request;
  const connection = await server.createDatabase();
  const beside = await connect(connection, host);
  const ledger = new Ledger(workspace);
  const observer = new Observer({
    // PGlite runs one session at a time, so nothing is seen beside it.
    ...(server.kind !== 'pglite' && { beside }),
    statementTimeout: timeouts.statement,
    ended: async (sighting, between) => {
      ledger.note(sighting);
      await stage?.heard?.(sighting, between);
    },
  });
  const relay = await openRelay(upstreamOf(connection, host.signal), observer.hooks);
  const { address } = relay;
  let stage: Stage | undefined;
  try {
    const notes = request.schema === undefined ? [] : await loadSchema(beside, request.schema);
    const history = await historyTables(beside, tool, found, request.migrations);
    stage = { request, host, beside, observer, ledger, address, history };
    const failed = await (request.runBy === 'tool' ? runByTool(stage) : runBySql(stage));
    stage.history = await historyTables(beside, tool, found, request.migrations);
    const schema = await readSchema(beside, { without: stage.history });
    const { before, known } = stage;
    const isWhole = before !== undefined && failed === undefined;
    const entries = isWhole ? await reverse(stage, before, schema) : ledger.entries;
    return {
      server: { kind: server.kind, version: beside.version },
      ranBy: request.runBy,
      migrations: entries,
      ...(failed !== undefined && { failed }),
      notes,
      ...(known !== undefined && { known }),
      schema,
      seconds: (host.clock.now() - began) / 1000,
    };
  } catch (error) {
    // Whatever broke because of it.
    host.signal.throwIfAborted();
    throw error;
  } finally {
    await relay.close();
    await beside.close();
  }
}
