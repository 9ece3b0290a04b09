// Real clients through the relay to a real server: nothing changes for them, and nothing of what they do is missed.
import { execFile, spawn } from 'node:child_process';
import { connect as connectSocket } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Client, type ClientConfig } from 'pg';
import type { Connection } from '../../src/postgres/database.ts';
import { type Relay, openRelay } from '../../src/postgres/relay.ts';
import type { Outcome, RelayHooks, Seen } from '../../src/postgres/relay-hooks.ts';
import { upstreamOf } from '../../src/postgres/upstream.ts';
import { postgres, urlOf } from '../postgres.ts';

const server = postgres();
let connection: Connection;
let relay: Relay;
let ended: (Seen & Outcome)[] = [];
let clients: Client[] = [];
let stop = new AbortController();

beforeEach(async () => {
  connection = await server.createDatabase();
  ended = [];
  clients = [];
  stop = new AbortController();
});
afterEach(async () => {
  for (const client of clients) await client.end().catch(() => undefined);
  await relay.close();
});

const record: RelayHooks = {
  after: async (seen, outcome) => void ended.push({ ...seen, ...outcome }),
};

async function through(hooks: RelayHooks = record): Promise<void> {
  relay = await openRelay(upstreamOf(connection, stop.signal), hooks);
}

async function client(options: ClientConfig = {}): Promise<Client> {
  const made = new Client({ ...relay.address, ...options });
  made.on('error', () => undefined);
  clients.push(made);
  await made.connect();
  return made;
}

async function psql(...args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const url = urlOf(relay.address);
  return promisify(execFile)('psql', ['-X', '-v', 'ON_ERROR_STOP=1', ...args, url], { maxBuffer: 1e8 });
}

describe('a client', () => {
  test('gets the rows, and the statement is seen with its time', async () => {
    await through();
    const { rows } = await (await client()).query('SELECT 1 AS one, pg_sleep(0.2)');
    expect(rows).toEqual([{ one: 1, pg_sleep: '' }]);
    expect(ended).toMatchObject([{ sql: 'SELECT 1 AS one, pg_sleep(0.2)', inTransaction: false }]);
    expect(ended[0]?.seconds).toBeGreaterThan(0.19);
    expect(ended[0]?.seconds).toBeLessThan(1);
  });

  test('may prepare statements, whose parameters are seen', async () => {
    await through();
    const one = await client();
    await one.query('CREATE TABLE carriers (id int, name text)');
    for (const name of ['DHL', 'UPS']) {
      await one.query({ name: 'add', text: 'INSERT INTO carriers VALUES ($1, $2)', values: [1, name] });
    }
    expect(ended.slice(1).map(({ parameters }) => parameters)).toEqual([
      ['1', 'DHL'],
      ['1', 'UPS'],
    ]);
    expect(new Set(ended.slice(1).map(({ sql }) => sql))).toEqual(new Set(['INSERT INTO carriers VALUES ($1, $2)']));
  });

  test('is told its errors, and goes on after them', async () => {
    await through();
    const one = await client();
    await expect(one.query('SELECT nope')).rejects.toMatchObject({ code: '42703' });
    await expect(one.query('SELECT $1::int', ['x'])).rejects.toMatchObject({ code: '22P02' });
    await one.query('BEGIN');
    await expect(one.query('SELECT 1/0')).rejects.toMatchObject({ code: '22012' });
    await expect(one.query('SELECT 1')).rejects.toMatchObject({ code: '25P02' });
    await one.query('ROLLBACK');
    expect((await one.query('SELECT 2 AS two')).rows).toEqual([{ two: 2 }]);
    expect(ended.map(({ error }) => error?.code)).toEqual([
      '42703',
      '22P02',
      undefined,
      '22012',
      '25P02',
      undefined,
      undefined,
    ]);
  });

  test('without the password of this relay is not let in, and the server hears nothing of it', async () => {
    await through();
    await expect(client({ password: connection.password })).rejects.toMatchObject({ code: '28P01' });
    await expect(client({ ssl: true })).rejects.toThrow(/does not support SSL/);
    expect(ended).toEqual([]);
  });

  test('hears what the server says when it lets nobody in', async () => {
    await through();
    await expect(client({ database: 'nobody' })).rejects.toMatchObject({ code: '3D000' });
  });

  test('copies in and out', async () => {
    await through();
    const lines = Array.from({ length: 50_000 }, (_, i) => `${i}\tcarrier ${i}`).join('\n');
    const child = spawn(
      'psql',
      ['-X', urlOf(relay.address), '-c', 'CREATE TABLE c (i int, t text)', '-c', 'COPY c FROM STDIN'],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    child.stdin.end(lines);
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
    const { stdout } = await psql('-c', 'COPY c TO STDOUT');
    expect(stdout.trimEnd()).toBe(lines);
  });

  test('sends 20 MB in one statement', async () => {
    await through();
    const text = 'x'.repeat(20_000_000);
    const { rows } = await (await client()).query(`SELECT length('${text}') AS length`);
    expect(rows).toEqual([{ length: text.length }]);
  });

  test('cancels what it runs, and no other client of the server may', async () => {
    await through();
    const running = psql('-c', 'SELECT pg_sleep(60)').catch((error: unknown) => error as { stderr: string });
    const other = await client();
    const find = async () =>
      (
        await other.query<{ pid: number }>(
          "SELECT pid FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'",
        )
      ).rows;
    while ((await find()).length === 0);
    const { pid } = (await find())[0] ?? { pid: 0 };
    const stranger = connectSocket(relay.address.port, '127.0.0.1');
    const request = Buffer.alloc(16);
    [16, 80_877_102, pid, 12_345].forEach((value, i) => request.writeInt32BE(value, i * 4));
    stranger.end(request);
    await new Promise((resolve) => stranger.once('close', resolve).resume());
    expect(await find()).toHaveLength(1);
    await other.query('SELECT pg_cancel_backend($1)', [pid]);
    expect(await running).toMatchObject({ stderr: expect.stringContaining('canceling statement') });
  });
});

describe('several at once', () => {
  test('each have a session of their own', async () => {
    await through();
    const all = await Promise.all(Array.from({ length: 10 }, async () => client()));
    const pids = await Promise.all(
      all.map(async (one) => (await one.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid),
    );
    expect(new Set(pids).size).toBe(10);
    expect(new Set(ended.map(({ pid }) => pid))).toEqual(new Set(pids));
  });

  test('10,000 statements come in order, none lost', async () => {
    await through();
    const one = await client();
    await one.query('CREATE TABLE n (i int)');
    await Promise.all(Array.from({ length: 10_000 }, async (_, i) => one.query('INSERT INTO n VALUES ($1)', [i])));
    const { rows } = await one.query('SELECT count(*)::int AS count, max(i) AS max FROM n');
    expect(rows).toEqual([{ count: 10_000, max: 9999 }]);
    expect(ended.slice(1, 10_001).map(({ parameters }) => Number(parameters[0]))).toEqual(
      Array.from({ length: 10_000 }, (_, i) => i),
    );
  }, 60_000);
});

describe('a hook', () => {
  test('sets what holds for the session before the client is in it', async () => {
    await through({ opened: async (between) => void (await between.ask("SET lock_timeout = '2s'")) });
    expect((await (await client()).query('SHOW lock_timeout')).rows).toEqual([{ lock_timeout: '2s' }]);
  });

  test("asks within the client's own transaction, by either protocol", async () => {
    const locks: unknown[] = [];
    await through({
      after: async ({ sql }, _, between) => {
        if (!sql.startsWith('ALTER')) return;
        locks.push(
          ...(await between.ask(
            "SELECT relation::regclass::text AS relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND mode = 'AccessExclusiveLock' AND locktype = 'relation'",
          )),
        );
      },
    });
    const one = await client();
    await one.query('CREATE TABLE shipments (id int)');
    await one.query('BEGIN');
    await one.query('ALTER TABLE shipments ADD COLUMN a int');
    await one.query({ text: 'ALTER TABLE shipments ADD COLUMN b int', values: [] });
    await one.query('COMMIT');
    const lock = { relation: 'shipments', mode: 'AccessExclusiveLock' };
    expect(locks).toEqual([lock, lock]);
  });

  test('sees each of several statements by itself, which fail together as they would without it', async () => {
    const split = (sql: string): readonly string[] => sql.split(';').filter((part) => part.trim() !== '');
    await through({ ...record, split });
    const one = await client();
    await one.query('CREATE TABLE a (i int); INSERT INTO a VALUES (1); INSERT INTO a VALUES (2)');
    expect(ended.map(({ sql, inTransaction }) => [sql.trim(), inTransaction])).toEqual([
      ['CREATE TABLE a (i int)', true],
      ['INSERT INTO a VALUES (1)', true],
      ['INSERT INTO a VALUES (2)', true],
      ['COMMIT', true],
    ]);
    await expect(one.query('INSERT INTO a VALUES (3); SELECT 1/0; INSERT INTO a VALUES (4)')).rejects.toMatchObject({
      code: '22012',
    });
    expect((await one.query('SELECT count(*)::int AS count FROM a')).rows).toEqual([{ count: 2 }]);
  });

  test('that fails ends the session with the reason, and leaves nothing half done', async () => {
    await through({
      after: async ({ sql }) => {
        if (sql.startsWith('ALTER')) throw new Error('enough seen');
      },
    });
    const one = await client();
    await one.query('CREATE TABLE shipments (id int)');
    await one.query('BEGIN');
    await expect(one.query('ALTER TABLE shipments ADD COLUMN a int')).rejects.toThrow('enough seen');
    const other = await client();
    expect(
      (await other.query("SELECT attname FROM pg_attribute WHERE attrelid = 'shipments'::regclass AND attnum > 0"))
        .rows,
    ).toEqual([{ attname: 'id' }]);
  });
});

describe('what goes wrong', () => {
  test('a client that does not sign in is sent away in time, and one that is in stays', async () => {
    relay = await openRelay(upstreamOf(connection, stop.signal), record, 1000);
    const good = await client();
    for (const bytes of ['', '\0\0\0\x30', '\0\0\0\x08\x04\xd2\x16\x2f']) {
      const silent = connectSocket(relay.address.port, '127.0.0.1');
      const said: Buffer[] = [];
      silent.on('data', (chunk: Buffer) => void said.push(chunk));
      silent.write(Buffer.from(bytes, 'latin1'));
      await new Promise((resolve) => silent.once('close', resolve));
      expect(Buffer.concat(said).toString()).toContain('no sign-in for 1 s');
    }
    expect((await good.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  test('garbage ends its own connection alone', async () => {
    await through();
    const good = await client();
    for (const bytes of ['GET / HTTP/1.1\r\n\r\n', '\0\0\0\x08\0\0\0\0', '\x7f\xff\xff\xff', 'Q'.repeat(100_000)]) {
      const bad = connectSocket(relay.address.port, '127.0.0.1');
      bad.on('error', () => undefined);
      bad.end(Buffer.from(bytes, 'latin1'));
      await new Promise((resolve) => bad.once('close', resolve).resume());
    }
    expect((await good.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  test('a client that goes takes its transaction back', async () => {
    await through();
    const one = await client();
    await one.query('CREATE TABLE a (i int)');
    await one.query('BEGIN');
    await one.query('INSERT INTO a VALUES (1)');
    (one as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    const other = await client();
    const gone = async () =>
      (await other.query("SELECT count(*)::int AS count FROM pg_stat_activity WHERE state LIKE 'idle in%'")).rows[0]
        ?.count === 0;
    while (!(await gone()));
    expect((await other.query('SELECT * FROM a')).rows).toEqual([]);
  });

  test('a session that the server ends is ended for its client, with the reason', async () => {
    await through();
    const [one, other] = [await client(), await client()];
    const { rows } = await one.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const sleeping = one.query('SELECT pg_sleep(60)');
    const failed = sleeping.catch((error: unknown) => error);
    await other.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
    expect(await failed).toMatchObject({ code: '57P01' });
  });
});
