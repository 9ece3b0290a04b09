import type { Host } from '../action/host.ts';
import type { ConnectionSource } from '../apply/attempt.ts';
import { recordedStatements } from '../apply/record.ts';
import { type Leftover, leftoversOf } from '../migration/leftovers.ts';
import type { Applied, Migration } from '../migration/migration.ts';
import { type Activity, connectedSessions, longTransactions } from '../postgres/activity.ts';
import { type Session, connect } from '../postgres/connect.ts';
import { type InvalidIndex, invalidIndexes } from '../postgres/invalid-indexes.ts';
import { type ServerState, serverState } from '../postgres/server-state.ts';
import { tableSizes } from '../postgres/sizes.ts';
import type { Earlier } from '../rehearsal/estimate.ts';
import { type KnownSchema, readKnownSchema } from '../rehearsal/known-schema.ts';
import type { TableSize } from '../rehearsal/rehearsal.ts';
import type { MigrationSet } from './sets.ts';

/** A set of migrations, and what the database has of it. */
export interface Surveyed {
  readonly set: MigrationSet;
  readonly applied: readonly Applied[];
  /** Not applied, in order. */
  readonly pending: readonly Migration[];
  readonly leftovers: readonly Leftover[];
}

/** What was read of the target; nothing of it is changed. */
export interface Survey {
  readonly server: ServerState;
  readonly sets: readonly Surveyed[];
  readonly sizes: ReadonlyMap<string, TableSize>;
  /** What statements took here before. */
  readonly past: readonly Earlier[];
  readonly connected: Awaited<ReturnType<typeof connectedSessions>>;
  readonly longTransactions: readonly Activity[];
  readonly invalidIndexes: readonly InvalidIndex[];
  /** What the database holds before what is pending; absent where nothing is. */
  readonly schema?: KnownSchema;
}

const LONG_SECONDS = 60;

/** Reads a database: what it has, what is pending, how large its tables are, who is connected. */
export async function survey(
  source: ConnectionSource,
  sets: readonly MigrationSet[],
  host: Pick<Host, 'signal' | 'clock'>,
): Promise<Survey> {
  return withSession(source, host, async (session) => {
    const server = await serverState(session);
    const surveyed: Surveyed[] = [];
    for (const set of sets) surveyed.push(await surveySet(session, set));
    const isPending = surveyed.some(({ pending }) => pending.length > 0);
    return {
      server,
      sets: surveyed,
      sizes: new Map((await tableSizes(session)).map((size) => [size.relation, size])),
      // A role that may not read the record estimates without it.
      past: await recordedStatements(session).catch(() => []),
      connected: await connectedSessions(session),
      longTransactions: await longTransactions(session, LONG_SECONDS),
      invalidIndexes: await invalidIndexes(session),
      ...(isPending && { schema: await readKnownSchema(session) }),
    };
  });
}

async function surveySet(session: Session, set: MigrationSet): Promise<Surveyed> {
  const { tool, found, migrations } = set;
  const applied = await tool.applied(session, found, migrations);
  const done = new Set(applied.filter(({ state }) => state === 'applied').map(({ id }) => id));
  const leftovers = await leftoversOf(session, found, migrations);
  return { set, applied, pending: migrations.filter(({ id }) => !done.has(id)), leftovers };
}

/** A session for some questions. */
export async function withSession<T>(
  source: ConnectionSource,
  { signal, clock }: Pick<Host, 'signal' | 'clock'>,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await connect(await source(), { signal, clock, applicationName: 'delivery-actions migrate-db' });
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}
