import { expect, test } from '@jest/globals';
import { databaseOf } from '../../src/postgres/between-database.ts';
import { connect } from '../../src/postgres/connect.ts';
import { postgres } from '../postgres.ts';

const server = postgres();

test('values reach the server as they are, whatever stands in them', async () => {
  const clock = { now: () => Date.now(), sleep: async () => undefined };
  const session = await connect(await server.createDatabase(), { signal: new AbortController().signal, clock });
  const database = databaseOf({ ask: async (sql) => session.query(sql), state: 'I' }, session.version);
  for (const text of ["O'Neill", String.raw`a\'; DROP TABLE t; --`, '$1', 'ä😀', '', String.raw`\\`]) {
    const rows = await database.query(
      'SELECT $1::text AS text, $2::int AS n, $3::bool AS b, $4::text IS NULL AS none',
      [text, 7, true, null],
    );
    expect(rows).toEqual([{ text, n: 7, b: true, none: true }]);
  }
  await session.close();
});
