import { systemClock } from '../../src/action/main.ts';
import type { Connection } from '../../src/postgres/database.ts';
import { client } from '../mariadb.ts';

/** Somebody who keeps a table's definition, as a reader in a transaction does. */
export async function reader(
  to: Connection,
  sql = 'SELECT * FROM shipments',
): Promise<{ readonly id: number; end(): Promise<void> }> {
  const session = await client(to);
  await session.query('START TRANSACTION');
  await session.query(sql);
  return {
    id: session.id,
    async end() {
      await session.query('COMMIT').catch(() => undefined);
      await session.close();
    },
  };
}

/** Waits until a question has an answer, for 10 seconds at the most. */
export async function until(connection: Connection, sql: string): Promise<void> {
  const session = await client(connection);
  try {
    for (let tries = 0; tries < 200; tries += 1) {
      if ((await session.query(sql)).length > 0) return;
      await systemClock.sleep(50);
    }
    throw new Error(`still no row: ${sql}`);
  } finally {
    await session.close();
  }
}
