import { systemClock } from '../../src/action/main.ts';
import { type Session, connect } from '../../src/postgres/connect.ts';
import type { Connection, Row } from '../../src/postgres/database.ts';

/** A session of a test's own. */
export async function client(connection: Connection, applicationName = 'shop'): Promise<Session> {
  return connect(connection, { signal: new AbortController().signal, clock: systemClock, applicationName });
}

/** One question in a session of its own. */
export async function ask(connection: Connection, sql: string): Promise<readonly Row[]> {
  const session = await client(connection);
  try {
    return await session.query(sql);
  } finally {
    await session.close();
  }
}

/** Waits until a question has an answer, for 10 seconds at the most. */
export async function until(connection: Connection, sql: string): Promise<Row> {
  const session = await client(connection);
  try {
    for (let tries = 0; tries < 200; tries += 1) {
      const [row] = await session.query(sql);
      if (row !== undefined) return row;
      await systemClock.sleep(50);
    }
    throw new Error(`still no row: ${sql}`);
  } finally {
    await session.close();
  }
}

/** The session that runs such a statement now. */
export function running(like: string): string {
  return `SELECT pid FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND query LIKE '${like}'`;
}
