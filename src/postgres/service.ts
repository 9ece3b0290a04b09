import { randomBytes } from 'node:crypto';
import { UserError, messageOf } from '../action/errors.ts';
import { connect } from './connect.ts';
import type { Connection } from './database.ts';
import type { ShadowServer } from './shadow-server.ts';

/**
 * A server that somebody else runs, such as a service of the job: databases of random names are made there, and dropped
 * again. Nothing else of it is touched.
 * @throws UserError where it is not reached, or its user may not create databases
 */
export async function useService(connection: Connection, host: Parameters<typeof connect>[1]): Promise<ShadowServer> {
  const session = await connect(connection, host);
  const [may] = await session.query<{ may: boolean }>(
    'SELECT rolcreatedb OR rolsuper AS may FROM pg_roles WHERE rolname = current_user',
  );
  if (may?.may !== true) {
    await session.close();
    throw new UserError(`${connection.user} may not create databases on ${connection.host}:${connection.port}`, {
      remedy: 'Rehearsals need databases of their own: name a throwaway server, with a user that has CREATEDB.',
    });
  }
  const made: string[] = [];
  let stopped: Promise<void> | undefined;
  const drop = async (): Promise<void> => {
    try {
      // A session of its own: by now the first one may have been cancelled.
      const last = await connect(connection, { ...host, signal: AbortSignal.timeout(DROP_MS) });
      for (const database of made) await last.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
      await last.close();
    } catch (error) {
      throw new UserError(`${made.join(', ')} could not be dropped: ${messageOf(error)}`, { cause: error });
    } finally {
      await session.close();
    }
  };
  return {
    kind: 'service',
    version: session.version,
    async createDatabase() {
      const database = `shadow_${randomBytes(6).toString('hex')}`;
      made.push(database);
      await session.query(`CREATE DATABASE ${database} TEMPLATE template0 ENCODING 'UTF8'`);
      return { ...connection, database };
    },
    stop: async () => (stopped ??= drop()),
  };
}

const DROP_MS = 20_000;
