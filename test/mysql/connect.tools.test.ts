import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/action/main.ts';
import { connectMysql } from '../../src/mysql/connect.ts';
import type { Connection } from '../../src/postgres/database.ts';
import { ask, client, mariadb } from '../mariadb.ts';
import { type Authority, authority } from '../postgres/certificates.ts';

const server = mariadb();
let connection: Connection;
beforeAll(async () => {
  connection = await server.createDatabase();
});

const signal = new AbortController().signal;
const hasty = { signal, clock: systemClock, timeouts: { connect: 1000, retry: 0 } };

describe('a session', () => {
  test('knows what the server is, and binds parameters instead of writing them', async () => {
    const session = await client(connection);
    expect(session.flavour).toBe('MariaDB');
    expect(session.version).toBeGreaterThan(100_300);
    const odd = `a'b\\"c?`;
    await session.query("SET sql_mode = 'NO_BACKSLASH_ESCAPES'");
    expect(await session.query('SELECT ? AS odd, ? AS number', [odd, 4])).toEqual([{ odd, number: 4 }]);
    expect(await session.query("SELECT '?' AS mark")).toEqual([{ mark: '?' }]);
    await session.close();
    expect(session.lost.aborted).toBe(false);
  });

  test('takes one statement at a time, and reads no file of this machine', async () => {
    await expect(ask(connection, 'SELECT 1; SELECT 2')).rejects.toMatchObject({ code: '42601', errno: 1064 });
    await ask(connection, 'CREATE TABLE loaded (line text)');
    await expect(ask(connection, "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE loaded")).rejects.toThrow(
      /not allowed|infile/i,
    );
    expect(await ask(connection, 'SELECT * FROM loaded')).toEqual([]);
  });

  test('comes in by the Unix socket too', async () => {
    expect(await ask({ ...connection, host: server.socket }, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('that the server ends is lost at once, and nothing waits for it', async () => {
    const session = await client(connection);
    const waiting = session.query('SELECT SLEEP(60)');
    const told = waiting.catch((error: unknown) => error);
    await systemClock.sleep(100);
    await ask(connection, `KILL ${session.id}`);
    expect(await told).toMatchObject({ code: expect.stringMatching(/^(08006|57P01)$/) });
    expect(session.lost.aborted).toBe(true);
    await session.close();
  });

  test('ends with the run, whatever it waits for', async () => {
    const stop = new AbortController();
    const session = await connectMysql(connection, { signal: stop.signal, clock: systemClock });
    const waiting = session.query('SELECT SLEEP(60)');
    const told = waiting.catch((error: unknown) => error);
    stop.abort(new Error('cancelled'));
    expect(await told).toMatchObject({ message: 'cancelled' });
    await session.close();
  });
});

describe('who is not let in is told why', () => {
  test.each([
    [{ password: 'wrong' }, /Access denied/, /user and password/],
    [{ database: 'nowhere' }, /Unknown database/, /name of the database/],
    [{ port: 1 }, /ECONNREFUSED/, /host and port/],
    [{ host: 'localhost', tls: 'verify' }, /secure connection|certificate|SSL/i, /TLS|ca/],
  ] as const)('%j', async (change, message, remedy) => {
    const attempt = connectMysql({ ...connection, ...change }, hasty);
    await expect(attempt).rejects.toMatchObject({
      message: expect.stringMatching(message),
      remedy: expect.stringMatching(remedy),
    });
    await expect(attempt).rejects.not.toThrow(connection.password);
  });
});

describe('over TLS', () => {
  let folder: string;
  let own: Authority;
  let other: Authority;
  const secure = mariadb(async (at) => {
    folder = at;
    own = await authority(folder, 'own');
    other = await authority(folder, 'other');
    const { certificate, key } = await own.issue('DNS:localhost');
    await writeFile(path.join(folder, 'server.pem'), certificate);
    await writeFile(path.join(folder, 'server.key'), key, { mode: 0o644 });
    return { 'ssl-cert': path.join(folder, 'server.pem'), 'ssl-key': path.join(folder, 'server.key') };
  });

  test('the server is known by its certificate and its name, and nobody else gets the password', async () => {
    const to = { ...(await secure.createDatabase()), host: 'localhost', tls: 'verify' } as const;
    const session = await connectMysql({ ...to, ca: own.certificate }, hasty);
    const [cipher] = await session.query("SHOW STATUS LIKE 'Ssl_cipher'");
    expect(cipher?.['Value']).toMatch(/^TLS_|GCM|CHACHA/);
    await session.close();
    for (const ca of [other.certificate, undefined]) {
      await expect(connectMysql({ ...to, ...(ca !== undefined && { ca }) }, hasty)).rejects.toMatchObject({
        message: expect.stringMatching(/certificate/),
        remedy: expect.stringContaining('input ca'),
      });
    }
  });
});
