// Sessions of a real server: values, errors, and certificates of a CA made here.
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/action/main.ts';
import { type Session, connect } from '../../src/postgres/connect.ts';
import type { Connection } from '../../src/postgres/database.ts';
import { postgres } from '../postgres.ts';
import { signIn } from '../../src/postgres/sign-in.ts';
import { authority } from './certificates.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'tls-'));
const own = await authority(folder, 'own');
const other = await authority(folder, 'other');
const [certFile, keyFile] = [path.join(folder, 'server.pem'), path.join(folder, 'server.key')];
present(await own.issue('IP:127.0.0.1'));

const server = postgres({ ssl: 'on', ssl_cert_file: certFile, ssl_key_file: keyFile });
let connection: Connection;

beforeEach(async () => {
  connection = await server.createDatabase();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the server shows from its next reload. */
function present({ certificate, key }: { readonly certificate: string; readonly key: string }): void {
  writeFileSync(certFile, certificate);
  writeFileSync(keyFile, key, { mode: 0o600 });
  if (process.getuid?.() === 0) {
    for (const file of [folder, certFile, keyFile]) chownSync(file, 65_534, 65_534);
  }
}

async function open(to: Connection, signal = new AbortController().signal): Promise<Session> {
  return connect(to, { signal, clock: systemClock, timeouts: { connect: 3000, retry: 0 } });
}

async function using<T>(to: Connection, use: (session: Session) => Promise<T>): Promise<T> {
  const session = await open(to);
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

describe('over TLS', () => {
  const verified = (ca?: string): Connection => ({ ...connection, tls: 'verify', ...(ca !== undefined && { ca }) });
  async function presents(what: Parameters<typeof present>[0]): Promise<void> {
    present(what);
    await using(connection, async (session) => session.query('SELECT pg_reload_conf()'));
    await systemClock.sleep(300);
  }

  test('a server whose CA is named is let in', async () => {
    await presents(await own.issue('IP:127.0.0.1'));
    const [row] = await using(verified(own.certificate), async (session) =>
      session.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'),
    );
    expect(row).toEqual({ ssl: true });
  });

  test.each([
    ['without its CA', undefined, /signed by nobody that is trusted here.*\n?/, /input ca-file\.$/],
    ['with the CA of somebody else', 'other', /signed by nobody that is trusted here/, /did not sign it/],
  ] as const)('%s it is not', async (_, ca, words, remedy) => {
    await presents(await own.issue('IP:127.0.0.1'));
    const to = verified(ca && other.certificate);
    await expect(open(to)).rejects.toMatchObject({
      message: expect.stringMatching(words),
      remedy: expect.stringMatching(remedy),
    });
  });

  test('a certificate for another name is not taken', async () => {
    await presents(await own.issue('DNS:db.example'));
    await expect(open(verified(own.certificate))).rejects.toThrow(/its certificate is for another name/);
  });

  test('nor one that has expired', async () => {
    await presents(await own.issue('IP:127.0.0.1', { expired: true }));
    await expect(open(verified(own.certificate))).rejects.toThrow(/its certificate has expired/);
  });
});

describe('the sign-in of the relay over TLS', () => {
  const into = async (ca: string): Promise<string> => {
    const upstream = await signIn({ ...connection, tls: 'verify', ca }, {}, new AbortController().signal);
    upstream.stream.destroy();
    return upstream.parameters.length > 0 ? 'let in' : 'nothing said';
  };
  async function presents(what: Parameters<typeof present>[0]): Promise<void> {
    present(what);
    await using(connection, async (session) => session.query('SELECT pg_reload_conf()'));
    await systemClock.sleep(300);
  }

  test('trusts the CA that is named, for the address that is meant', async () => {
    await presents(await own.issue('IP:127.0.0.1'));
    expect(await into(own.certificate)).toBe('let in');
    await expect(into(other.certificate)).rejects.toThrow(/is not trusted/);
  });

  test.each(['DNS:localhost', 'DNS:db.example', 'IP:10.0.0.1'])('takes no certificate for %s instead', async (name) => {
    await presents(await own.issue(name));
    await expect(into(own.certificate)).rejects.toThrow(/is not trusted/);
    await expect(open({ ...connection, tls: 'verify', ca: own.certificate })).rejects.toThrow(/another name/);
  });
});

describe('a session', () => {
  test('gives values in the types of JavaScript, and leaves as text what has none', async () => {
    const sql = `SELECT true AS b, 1::int2 AS i2, 2::int4 AS i4, 3::int8 AS i8, 9007199254740993::int8 AS big, 1.5::float8 AS f,
      1.50::numeric AS n, 'x'::name AS name, '{"a":1}'::jsonb AS j, ARRAY[1,NULL,2]::int[] AS a, ARRAY['a,b','c"d\\e',NULL,'NULL']::text[] AS t,
      '2026-01-02 03:04:05.678+00'::timestamptz AS at, 'infinity'::timestamptz AS never, NULL AS none, ARRAY[]::text[] AS empty`;
    expect(await using(connection, async (session) => session.query(sql))).toEqual([
      {
        b: true,
        i2: 1,
        i4: 2,
        i8: 3,
        big: '9007199254740993',
        f: 1.5,
        n: '1.50',
        name: 'x',
        j: '{"a": 1}',
        a: [1, null, 2],
        t: ['a,b', 'c"d\\e', null, 'NULL'],
        at: new Date('2026-01-02T03:04:05.678Z'),
        never: 'infinity',
        none: null,
        empty: [],
      },
    ]);
  });

  test('takes one statement at a time, with parameters, and tells what the server refuses', async () => {
    await using(connection, async (session) => {
      expect(session.version).toBeGreaterThan(140_000);
      expect(await session.query('SELECT $1::text AS text, $2::int + 1 AS n', ["'; DROP", 2])).toEqual([
        { text: "'; DROP", n: 3 },
      ]);
      await expect(session.query('SELECT 1; SELECT 2')).rejects.toMatchObject({ code: '42601' });
      await expect(session.query('SELECT nope')).rejects.toMatchObject({
        name: 'SqlError',
        code: '42703',
        position: 8,
      });
      const all = await Promise.all([1, 2, 3].map(async (n) => session.query(`SELECT ${n} AS n`)));
      expect(all.flat()).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    });
  });

  test('that is ended by the server is lost at once, with the reason', async () => {
    const session = await open(connection);
    const lost = new Promise((resolve) => {
      session.lost.addEventListener('abort', resolve);
    });
    await using(connection, async (killer) => killer.query('SELECT pg_terminate_backend($1)', [session.pid]));
    await lost;
    expect(session.lost.reason).toMatchObject({ code: '57P01' });
    await expect(session.query('SELECT 1')).rejects.toMatchObject({ code: '57P01' });
    await session.close();
  });

  test('ends when the run does', async () => {
    const stop = new AbortController();
    const session = await open(connection, stop.signal);
    const waiting = session.query('SELECT pg_sleep(30)');
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: '08006' });
    await session.close();
  });

  test('that is not let in is told why, and the password is not', async () => {
    const error = await open({ ...connection, password: 'hunter22' }).catch((error: unknown) => error);
    expect(String(error)).toMatch(/cannot be reached as postgres: password authentication failed/);
    expect(inspect(error, { depth: 10 })).not.toContain('hunter22');
    await expect(open({ ...connection, database: 'nowhere' })).rejects.toThrow(/"nowhere" does not exist/);
    await expect(open({ ...connection, port: 1 })).rejects.toThrow(/ECONNREFUSED/);
    await expect(open({ ...connection, host: 'no-such-host.invalid' })).rejects.toThrow(
      /name no-such-host.invalid is not known/,
    );
  });
});
