// What no ordinary client does, said to the relay message by message.
import { type Socket, connect } from 'node:net';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { type Relay, openRelay } from '../../src/postgres/relay.ts';
import type { RelayHooks } from '../../src/postgres/relay-hooks.ts';
import { upstreamOf } from '../../src/postgres/upstream.ts';
import { Frames, type Message, errorFields, message } from '../../src/postgres/wire.ts';
import { postgres } from '../postgres.ts';

const server = postgres();
let relay: Relay;
let seen: string[] = [];
let sockets: Socket[] = [];

const asking: RelayHooks = {
  before: async (_, between) => void (await between.ask('SELECT 1')),
  after: async ({ sql }, _, between) => {
    seen.push(sql);
    if (between.state !== 'E') await between.ask('SELECT 2');
  },
};

beforeEach(async () => {
  [seen, sockets] = [[], []];
  relay = await openRelay(upstreamOf(await server.createDatabase(), new AbortController().signal), asking);
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await relay.close();
});

interface Raw {
  send(...messages: readonly Buffer[]): void;
  /** Types of all messages up to and with ReadyForQuery, without notices. */
  ready(): Promise<string>;
  last(type: string): Message | undefined;
  readonly closed: Promise<unknown>;
}

async function signedIn(): Promise<Raw> {
  const socket = connect(relay.address.port, '127.0.0.1');
  sockets.push(socket);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const frames = new Frames(false);
  const arrived: Message[] = [];
  let wake = (): void => {};
  socket.on('error', () => undefined).on('close', () => wake());
  socket.on('data', (chunk) => {
    frames.push(chunk);
    for (let next = frames.next(); next !== undefined; next = frames.next()) arrived.push(next);
    wake();
  });
  const raw: Raw = {
    send: (...messages) => void socket.write(Buffer.concat(messages)),
    async ready() {
      for (;;) {
        const end = arrived.findIndex(({ type }) => type === 'Z');
        if (end >= 0 || socket.destroyed) {
          const all = arrived.splice(0, end < 0 ? arrived.length : end + 1);
          kept = all;
          return all.map(({ type }) => type).join('');
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    last: (type) => kept.findLast((one) => one.type === type),
    closed,
  };
  let kept: readonly Message[] = [];
  const protocol = Buffer.from([0, 3, 0, 0]);
  raw.send(message('', protocol, 'user', 'x', 'database', relay.address.database, Buffer.from([0])));
  raw.send(message('p', relay.address.password));
  expect(await raw.ready()).toMatch(/^RR?S+KZ$/);
  return raw;
}

const none = Buffer.alloc(2);
const parse = (name: string, sql: string) => message('P', name, sql, none);
const bind = (portal: string, name: string) => message('B', portal, name, none, none, none);
const execute = (portal = '') => message('E', portal, 0);
const [sync, flush] = [message('S'), message('H')];

test('questions of hooks leave a statement without a name as its client parsed it', async () => {
  const raw = await signedIn();
  raw.send(parse('', 'SELECT 7'), sync);
  expect(await raw.ready()).toBe('1Z');
  for (const _ of [1, 2]) {
    raw.send(bind('', ''), execute(), sync);
    expect(await raw.ready()).toBe('2DCZ');
    expect(raw.last('D')?.body.toString('latin1')).toContain('7');
  }
  expect(seen).toEqual(['SELECT 7', 'SELECT 7']);
});

test('a pipeline is told statement by statement, and what follows its error is not', async () => {
  const raw = await signedIn();
  const run = (sql: string): Buffer => Buffer.concat([parse('', sql), bind('', ''), execute()]);
  raw.send(run('SELECT 1'), run('SELECT 1/0'), run('SELECT 3'), sync, run('SELECT 4'), sync);
  expect(await raw.ready()).toBe('12DC1EZ');
  expect(await raw.ready()).toBe('12DCZ');
  expect(seen).toEqual(['SELECT 1', 'SELECT 1/0', 'SELECT 4']);
});

test('Flush brings answers before Sync', async () => {
  const raw = await signedIn();
  raw.send(parse('s', 'SELECT 1'), flush);
  raw.send(bind('p', 's'), execute('p'), sync);
  expect(await raw.ready()).toBe('12DCZ');
  raw.send(message('C', Buffer.from('S'), 's'), bind('p', 's'), sync);
  expect(await raw.ready()).toBe('3EZ');
  expect(errorFields(raw.last('E')?.body ?? Buffer.alloc(0)).get('C')).toBe('26000');
});

test('messages that come byte by byte are messages', async () => {
  const raw = await signedIn();
  for (const byte of message('Q', 'SELECT 42')) {
    raw.send(Buffer.from([byte]));
    await new Promise((resolve) => void setTimeout(resolve, 1));
  }
  expect(await raw.ready()).toBe('TDCZ');
});

test('an empty query, and one that ends mid-way, are errors of nobody else', async () => {
  const raw = await signedIn();
  raw.send(message('Q', ''));
  expect(await raw.ready()).toBe('IZ');
  raw.send(message('Q', 'SELECT'), message('Q', "SELECT 'never"), message('Q', 'SELECT 1'));
  expect(await raw.ready()).toBe('TDCZ');
  expect(await raw.ready()).toBe('EZ');
  expect(await raw.ready()).toBe('TDCZ');
});

test('after sign-in too, garbage ends its own session alone', async () => {
  const good = new Client(relay.address);
  await good.connect();
  for (let round = 0; round < 60; round += 1) {
    const raw = await signedIn();
    // Types that the protocol has, with bodies that it has not, and then lengths that no message has.
    const type = 'QPBEDCHSfdcpFX'.charAt(round % 14);
    raw.send(message(type, randomBytes(round * 7)), sync, Buffer.from([0x51, 0xff, 0xff, 0xff, 0xff]));
    await raw.closed;
  }
  expect((await good.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  await good.end();
});

test('a client that reads nothing is waited for, without its rows being kept here', async () => {
  const socket = connect(relay.address.port, '127.0.0.1');
  sockets.push(socket);
  const protocol = Buffer.from([0, 3, 0, 0]);
  socket.write(message('', protocol, 'user', 'x', 'database', relay.address.database, Buffer.from([0])));
  socket.write(message('p', relay.address.password));
  socket.write(message('Q', "SELECT repeat('x', 10000) FROM generate_series(1, 40000)"));
  const before = process.memoryUsage().rss;
  await new Promise((resolve) => void setTimeout(resolve, 3000));
  expect((process.memoryUsage().rss - before) / 1e6).toBeLessThan(150);
  let bytes = 0;
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      if (bytes > 400_000_000) resolve();
    });
  });
});

test('a client that sends far ahead is waited for, and all of it runs', async () => {
  const raw = await signedIn();
  const padding = `/*${'x'.repeat(1_000_000)}*/`;
  raw.send(message('Q', 'SELECT pg_sleep(1)'));
  for (let i = 0; i < 100; i += 1) raw.send(message('Q', `SELECT ${i} ${padding}`));
  for (let i = 0; i < 101; i += 1) expect(await raw.ready()).toBe('TDCZ');
  expect(raw.last('D')?.body.toString('latin1')).toContain('99');
});
