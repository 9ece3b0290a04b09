import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError, messageOf } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import type { Migration } from '../migration/migration.ts';
import type { Connection } from '../postgres/database.ts';
import { provideShadow } from '../postgres/shadow.ts';
import { masksOf, parsePostgresUrl } from '../postgres/url.ts';
import type { ShadowServer } from '../postgres/shadow-server.ts';
import type { SchemaFile } from '../rehearsal/base.ts';
import type { MigrateInputs } from './inputs.ts';
import type { MigrationSet } from './sets.ts';
import { type Tried, tryOut } from './shadow.ts';

/** Rehearses one set after the other on one server. */
export interface Rehearsing {
  tryOut(set: MigrationSet, migrations: readonly Migration[]): Promise<Tried>;
  /** Why there is no server to rehearse on. */
  readonly missing?: string;
}

/**
 * A throwaway server while `use` runs. Without one the change is judged by its text alone, and the summary says so.
 * @param major version of the target, where it is known
 */
export async function withRehearsing<T>(
  given: MigrateInputs,
  major: number | undefined,
  host: Host,
  use: (rehearsing: Rehearsing | undefined) => Promise<T>,
): Promise<T> {
  if (!given.rehearse) return use(undefined);
  const schema = await readSchemaFile(given, host);
  const service = serviceOf(given, host);
  let server: ShadowServer | undefined;
  let missing: string | undefined;
  try {
    const wanted = given.postgresVersion === '' ? major : Number(given.postgresVersion);
    server = await provideShadow({ ...(wanted !== undefined && { major: wanted }), ...(service && { service }) }, host);
  } catch (error) {
    // Whoever names a server wants the rehearsal: without it the check would pass on the text alone.
    if (!(error instanceof UserError) || service !== undefined) throw error;
    missing = messageOf(error);
    host.log.warning(`nothing is rehearsed: ${missing}`);
  }
  const running = server;
  try {
    return await use({
      ...(missing !== undefined && { missing }),
      async tryOut(set, migrations) {
        if (running === undefined) return { missing: missing ?? 'there is no server' };
        const options = { server: running, statementTimeout: given.statementTimeout, ...(schema && { schema }) };
        return host.log.group(`rehearsing ${migrations.length} of ${set.tool.title}`, async () =>
          tryOut(set, migrations, options, host),
        );
      },
    });
  } finally {
    await running?.stop();
  }
}

/** The server that the input `shadow-url` names. */
function serviceOf({ shadowUrl }: MigrateInputs, { mask }: Host): Connection | undefined {
  if (shadowUrl === '') return undefined;
  const { connection } = parsePostgresUrl(shadowUrl, 'shadow-url');
  for (const secret of masksOf(connection.password)) mask(secret);
  return connection;
}

async function readSchemaFile({ schema }: MigrateInputs, { info }: Host): Promise<SchemaFile | undefined> {
  if (schema === '') return undefined;
  try {
    return { file: schema, sql: await readFile(path.join(info.workspace, schema), 'utf8') };
  } catch (error) {
    throw new UserError(`input schema: ${schema} cannot be read (${messageOf(error)})`, {
      remedy:
        'Give its path from the root of the repository, or leave it out: the migrations so far make the schema then.',
    });
  }
}
