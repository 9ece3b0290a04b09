import type { Address } from '../migration/tool.ts';
import type { Database } from '../postgres/database.ts';
import { readSchema } from '../postgres/read-schema.ts';
import type { Schema } from '../postgres/schema.ts';
import type { Between } from '../postgres/relay-hooks.ts';
import type { Closing, Ledger } from './ledger.ts';
import type { Observer, Sighting } from './observer.ts';
import { type KnownSchema, readKnownSchema } from './known-schema.ts';
import { INVALID_INDEXES } from './relations.ts';
import type { RehearsalHost, RehearsalRequest } from './request.ts';

/** What a rehearsal works with. */
export interface Stage {
  readonly request: RehearsalRequest;
  readonly host: RehearsalHost;
  readonly observer: Observer;
  readonly ledger: Ledger;
  /** The shadow database, past the relay. */
  readonly beside: Database;
  /** The same through the relay, so that what is run there is seen. */
  readonly address: Address;
  /** Tables of the tool itself, as far as they are known. */
  history: readonly string[];
  /** The schema before the first pending migration, where ways back are tried. */
  before?: Schema | undefined;
  /** What the linter goes by: as it was before the first pending migration. */
  known?: KnownSchema | undefined;
  /** Called after each statement that came through the relay. */
  heard?: ((sighting: Sighting, between: Between) => Promise<void>) | undefined;
}

/** A pending migration is about to run. @param database a session that sees what those before it did */
export async function startWatching(stage: Stage, database: Database): Promise<void> {
  const { observer, request, history } = stage;
  observer.watching = true;
  await observer.begin(async (sql) => database.query(sql));
  stage.known ??= await readKnownSchema(database);
  if (request.reverse) stage.before ??= await readSchema(database, { without: history });
}

/** How a migration ended, as a session sees it that sees what it did. */
export async function closingOf({ request, history }: Stage, database: Database): Promise<Closing> {
  const invalid = await database.query<{ name: string }>(INVALID_INDEXES);
  return {
    invalidIndexes: invalid.map(({ name }) => name),
    ...(request.reverse && { schema: await readSchema(database, { without: history }) }),
  };
}
