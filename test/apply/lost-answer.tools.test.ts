// The connection breaks right after COMMIT was sent: nobody hears the answer, and nothing is done twice.
import { type AddressInfo, type Socket, connect as connectSocket, createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import type { Connection } from '../../src/postgres/database.ts';
import { postgres } from '../postgres.ts';
import { ask } from './client.ts';
import { type Script, apply } from './scene.ts';

const server = postgres();

/** A way to the server that breaks off when this text goes there for the n-th time, and lets the text through or not. */
async function breaking<T>(
  to: Connection,
  at: { text: string; time: number; arrives: boolean },
  use: (through: Connection) => Promise<T>,
): Promise<T> {
  let times = 0;
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const upstream = connectSocket(to.port, to.host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => void [client, upstream].map((one) => one.destroy()));
    }
    upstream.on('data', (chunk) => client.write(chunk));
    client.on('data', (chunk: Buffer) => {
      const isIt = chunk.includes(`\0${at.text}\0`) && (times += 1) === at.time;
      if (isIt) upstream.removeAllListeners('data');
      if (!isIt || at.arrives) upstream.write(chunk);
      if (isIt) setTimeout(() => client.destroy(), 200);
    });
  });
  await new Promise<void>((resolve) => {
    proxy.listen(0, '127.0.0.1', resolve);
  });
  try {
    return await use({ ...to, port: (proxy.address() as AddressInfo).port });
  } finally {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  }
}

const SCRIPTS: readonly Script[] = [
  ['01', 'CREATE TABLE steps (n int);'],
  ['02', 'INSERT INTO steps VALUES (2);'],
  ['03', 'INSERT INTO steps VALUES (3);', 'outside'],
  ['04', 'INSERT INTO steps VALUES (4);'],
];

test.each([
  [1, true],
  [1, false],
  [2, true],
  [2, false],
  [3, true],
  [3, false],
  [4, true],
  [4, false],
])('the %i. COMMIT, which arrives: %s', async (time, arrives) => {
  const connection = await server.createDatabase();
  const report = await breaking(connection, { text: 'COMMIT', time, arrives }, async (through) =>
    apply(through, SCRIPTS),
  );
  expect(report).toMatchObject({ state: 'applied', pending: [] });
  expect(report.applied.map(({ migration }) => migration.id).toSorted((a, b) => a.localeCompare(b))).toEqual([
    '01',
    '02',
    '03',
    '04',
  ]);
  expect(report.lines.join('\n')).toMatch(/try 1 of 11: Connection terminated/);
  expect(await ask(connection, 'SELECT n FROM steps ORDER BY n')).toEqual([{ n: 2 }, { n: 3 }, { n: 4 }]);
});
