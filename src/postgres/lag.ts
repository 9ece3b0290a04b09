import type { Database } from './database.ts';

/** How far a replica is behind. */
export interface Lag {
  /** Its `application_name` or, on Aurora, its server. */
  readonly replica: string;
  /** Undefined where the role may not see it (it needs pg_monitor). */
  readonly seconds?: number;
}

/**
 * How far the replicas are behind, worst first. Subscribers of logical slots are no replicas of readers and left out.
 * Aurora's replicas share the storage and tell their lag by a function of their own (Aurora User Guide,
 * aurora_replica_status).
 */
export async function replicationLag(database: Database, isAurora: boolean): Promise<readonly Lag[]> {
  const rows = await database.query(
    isAurora
      ? `SELECT server_id AS replica, replica_lag_in_msec / 1000.0::float8 AS seconds, true AS visible
         FROM aurora_replica_status() WHERE session_id <> 'MASTER_SESSION_ID' ORDER BY 2 DESC NULLS LAST LIMIT 50`
      : `SELECT coalesce(r.application_name, '') AS replica, CASE WHEN r.replay_lsn >= pg_current_wal_lsn() THEN 0 ELSE extract(epoch FROM r.replay_lag)::float8 END AS seconds,
           r.state IS NOT NULL AS visible
         FROM pg_stat_replication r
         WHERE NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
           AND (r.state IS NULL OR r.state IN ('streaming', 'catchup'))
         ORDER BY 2 DESC NULLS LAST LIMIT 50`,
  );
  return rows.map((row) => ({
    replica: String(row['replica'] ?? ''),
    // NULL where it had caught up and nothing was written since; what was measured last stays there for a while.
    ...(row['visible'] === true && { seconds: Number(row['seconds'] ?? 0) }),
  }));
}
