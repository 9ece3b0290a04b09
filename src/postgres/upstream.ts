import type { Connection } from './database.ts';
import type { UpstreamSource } from './relay.ts';
import { cancelStatement, signIn } from './sign-in.ts';

/** A server behind the relay; each session of a client is one of the server. */
export function upstreamOf(connection: Connection, signal: AbortSignal): UpstreamSource {
  return {
    user: connection.user,
    database: connection.database,
    open: async (parameters) => signIn(connection, parameters, signal),
    cancel: async (key) => cancelStatement(connection, key),
  };
}
