// A real PgBouncer of Debian in each of its modes.
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Connection } from '../../src/postgres/database.ts';
import { sharedSessions } from '../../src/postgres/pooler.ts';
import { ask, client } from '../apply/client.ts';
import { type Script, apply } from '../apply/scene.ts';
import { postgres } from '../postgres.ts';
import { bringPgBouncer, throughPgBouncer } from './pgbouncer.ts';

const server = postgres();
let connection: Connection;

beforeAll(bringPgBouncer, 300_000);
beforeEach(async () => {
  connection = await server.createDatabase();
});

const SCRIPTS: readonly Script[] = [['01', 'CREATE TABLE shipments (id int);']];

test.each([
  ['one place', { pool_mode: 'transaction', default_pool_size: 1 }],
  ['many places', { pool_mode: 'transaction', default_pool_size: 20 }],
  ['places in turn', { pool_mode: 'transaction', default_pool_size: 20, min_pool_size: 5, server_round_robin: 1 }],
  ['no transactions at all', { pool_mode: 'statement' }],
  ['places that are always reset', { pool_mode: 'transaction', default_pool_size: 20, server_reset_query_always: 1 }],
])('a pool that shares sessions, with %s, is refused, and nothing is begun', async (_, settings) => {
  await throughPgBouncer(connection, settings, async (pooled) => {
    await expect(apply(pooled, SCRIPTS)).rejects.toThrow(/A connection pooler that shares sessions stands before/);
  });
  expect(
    await ask(connection, "SELECT to_regclass('shipments') AS made, to_regclass('delivery_migrations') AS own"),
  ).toEqual([{ made: null, own: null }]);
});

test('a pool in session mode will do', async () => {
  await throughPgBouncer(connection, { pool_mode: 'session', default_pool_size: 20 }, async (pooled) => {
    expect(await apply(pooled, SCRIPTS)).toMatchObject({ state: 'applied' });
  });
});

test('a pool in session mode that has one place only: said in time', async () => {
  await throughPgBouncer(connection, { pool_mode: 'session', default_pool_size: 1 }, async (pooled) => {
    const limits = { connectTimeout: 500, connectRetry: 600 };
    await expect(apply(pooled, SCRIPTS, { limits })).rejects.toThrow(
      /cannot be reached as postgres: no answer in time/,
    );
  });
});

test('the server itself is no pool, however often one looks', async () => {
  for (let i = 0; i < 20; i += 1) {
    const [first, second] = [await client(connection), await client(connection)];
    expect(await sharedSessions(first, second)).toBeUndefined();
    await Promise.all([first.close(), second.close()]);
  }
});
