// Several statements of one query through the relay, which sends them one by one, and to the server itself: the same.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Client } from 'pg';
import type { Connection } from '../../src/postgres/database.ts';
import { type Relay, openRelay } from '../../src/postgres/relay.ts';
import { upstreamOf } from '../../src/postgres/upstream.ts';
import { splitScript } from '../../src/sql/split.ts';
import { postgres, urlOf } from '../postgres.ts';

const server = postgres();
let connection: Connection;
let relay: Relay;
let clients: Client[];
let committed: string[];

beforeEach(async () => {
  connection = await server.createDatabase();
  clients = [];
  committed = [];
  relay = await openRelay(upstreamOf(connection, new AbortController().signal), {
    split: (sql) => splitScript(sql).statements.map((one) => one.sql),
    after: async ({ sql, inTransaction }, { error }, between) => {
      if (inTransaction && between.state === 'I') committed.push(error === undefined ? sql : error.code);
    },
  });
});
afterEach(async () => {
  for (const client of clients) await client.end().catch(() => undefined);
  await relay.close();
});

async function client(url: string): Promise<Client> {
  const made = new Client(url);
  clients.push(made);
  await made.connect();
  return made;
}

/** What the query says to its own client and leaves for others. */
async function outcome(
  one: Client,
  query: string,
): Promise<{ code: string; left: readonly number[]; goesOn: boolean }> {
  const other = await client(urlOf(connection));
  await other.query('CREATE TABLE a (i int UNIQUE DEFERRABLE INITIALLY DEFERRED)');
  const code = await one.query(query).then(
    () => 'ok',
    (error: { code: string }) => error.code,
  );
  const { rows } = await other.query<{ i: number }>('SELECT i FROM a ORDER BY i');
  await one.query('ROLLBACK');
  const goesOn = (await one.query('SELECT 1 AS one')).rows.length === 1;
  await other.query('DROP TABLE a');
  return { code, left: rows.map(({ i }) => i), goesOn };
}

test.each<[string, readonly number[], string]>([
  ['INSERT INTO a VALUES (1); INSERT INTO a VALUES (2)', [1, 2], 'ok'],
  ['INSERT INTO a VALUES (1); INSERT INTO a VALUES (1/0)', [], '22012'],
  ['INSERT INTO a VALUES (1); COMMIT; INSERT INTO a VALUES (2); INSERT INTO a VALUES (1/0)', [1], '22012'],
  ['INSERT INTO a VALUES (1); /* all of it */ ROLLBACK; INSERT INTO a VALUES (2)', [2], 'ok'],
  ['INSERT INTO a VALUES (1); -- stays open\nBEGIN; INSERT INTO a VALUES (2)', [], 'ok'],
  ['BEGIN; INSERT INTO a VALUES (1); COMMIT; INSERT INTO a VALUES (2); SELECT nope', [1], '42703'],
  ['BEGIN; SAVEPOINT s; INSERT INTO a VALUES (1); ROLLBACK TO s; INSERT INTO a VALUES (2); COMMIT', [2], 'ok'],
  ['INSERT INTO a VALUES (1); INSERT INTO a VALUES (1)', [], '23505'],
])('%j', async (query, left, code) => {
  const direct = await outcome(await client(urlOf(connection)), query);
  expect(direct).toEqual({ code, left, goesOn: true });
  expect(await outcome(await client(urlOf(relay.address)), query)).toEqual(direct);
});

test('the COMMIT that is theirs is told when it ended, and so is its refusal', async () => {
  const one = await client(urlOf(relay.address));
  await one.query('CREATE TABLE a (i int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO a VALUES (1)');
  expect(committed).toEqual(['COMMIT']);
  await expect(one.query('INSERT INTO a VALUES (2); INSERT INTO a VALUES (1)')).rejects.toMatchObject({
    code: '23505',
    detail: 'Key (i)=(1) already exists.',
  });
  expect(committed).toEqual(['COMMIT', '23505']);
});
