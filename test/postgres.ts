import { afterAll, beforeAll } from '@jest/globals';
import type { Connection } from '../src/postgres/database.ts';
import { startServer } from '../src/postgres/server.ts';
import type { ShadowServer } from '../src/postgres/shadow-server.ts';
import { bringPostgres } from './lab/postgres.ts';

export { bringPostgres, urlOf } from './lab/postgres.ts';

/** A PostgreSQL server of the file's own. */
export interface TestServer {
  /** The server; only while tests run. */
  readonly server: ShadowServer;
  /** An empty database, and how to get in as a superuser. */
  readonly createDatabase: () => Promise<Connection>;
}

/**
 * A real server for the tests of a file, started before the first and thrown away after the last.
 * @param settings of postgresql.conf, such as `max_connections`
 */
export function postgres(settings: Readonly<Record<string, string>> = {}): TestServer {
  let server: ShadowServer | undefined;
  const running = (): ShadowServer => {
    if (server === undefined) throw new Error('The server runs only while tests run');
    return server;
  };
  beforeAll(async () => {
    await bringPostgres();
    server = await startServer(
      { settings },
      { env: process.env, signal: new AbortController().signal, mask: () => {} },
    );
  }, 300_000);
  afterAll(async () => server?.stop());
  return {
    get server() {
      return running();
    },
    createDatabase: async () => running().createDatabase(),
  };
}
