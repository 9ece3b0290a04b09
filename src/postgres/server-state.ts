import type { Database } from './database.ts';

/** What of a server decides whether one can migrate there. */
export interface ServerState {
  /** Such as `MariaDB 10.11`, where it is not PostgreSQL. */
  readonly product?: string;
  /** `server_version_num`. */
  readonly version: number;
  readonly database: string;
  /** Where unqualified names go to; undefined where the search path names no schema that exists. */
  readonly schema?: string;
  /** A standby: it takes no writes. */
  readonly inRecovery: boolean;
  /** Transactions write nothing unless told so (`default_transaction_read_only`). */
  readonly readOnly: boolean;
  readonly isAurora: boolean;
  readonly connections: { readonly used: number; readonly free: number; readonly max: number };
}

/** Asks a server about itself. */
export async function serverState(database: Database): Promise<ServerState> {
  const [row = {}] = await database.query(
    `SELECT current_database() AS database, current_schema() AS schema, pg_is_in_recovery() AS in_recovery,
       current_setting('transaction_read_only') = 'on' AS read_only,
       current_setting('max_connections')::int AS max,
       CASE WHEN (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN 0
         ELSE current_setting('superuser_reserved_connections')::int
           + coalesce(current_setting('reserved_connections', true), '0')::int END AS reserved,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
       EXISTS (SELECT FROM pg_proc WHERE proname = 'aurora_version') AS is_aurora`,
  );
  const [used, max] = [Number(row['used']), Number(row['max'])];
  return {
    version: database.version,
    database: String(row['database']),
    ...(typeof row['schema'] === 'string' && { schema: row['schema'] }),
    inRecovery: row['in_recovery'] === true,
    readOnly: row['read_only'] === true,
    isAurora: row['is_aurora'] === true,
    connections: { used, max, free: Math.max(0, max - Number(row['reserved']) - used) },
  };
}
