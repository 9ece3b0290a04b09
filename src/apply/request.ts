import type { Migration } from '../migration/migration.ts';
import type { Found, Tool } from '../migration/tool.ts';
import type { Database } from '../postgres/database.ts';
import type { Schema } from '../postgres/schema.ts';
import type { ConnectionSource } from './attempt.ts';
import type { Limits } from './limits.ts';
import type { Moment } from './run-script.ts';

/** What is to be applied, and how. */
export interface ApplyRequest {
  readonly tool: Tool;
  readonly found: Found;
  /** All that the tool has, in its order. */
  readonly migrations: readonly Migration[];
  /** Those of them that are to be applied; what the database has already is passed over. */
  readonly pending: readonly Migration[];
  /** The tool has to stop after them, as what follows is not to be applied now. */
  readonly stops?: boolean;
  readonly connection: ConnectionSource;
  readonly limits?: Partial<Limits>;
  /** The schema that the rehearsal ended with, and how one is read. */
  readonly expected?: Schema;
  readonly readSchema?: (database: Database) => Promise<Schema>;
  /** Whether statements with their times and locks are kept in the database, for later estimates. */
  readonly keepRecord?: boolean;
  /** For tests. */
  readonly moment?: (moment: Moment) => void;
}

/** What the database has not of what is to be applied, as the tool's own table tells. */
export async function notApplied(
  { tool, found, migrations, pending }: ApplyRequest,
  database: Database,
): Promise<readonly Migration[]> {
  const applied = await tool.applied(database, found, migrations);
  const ids = new Set(applied.filter(({ state }) => state === 'applied').map(({ id }) => id));
  return pending.filter(({ id }) => !ids.has(id));
}
