// The same rehearsal on the other kinds of servers.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { connect } from '../../src/postgres/connect.ts';
import { startPglite } from '../../src/postgres/pglite.ts';
import { UserError } from '../../src/action/errors.ts';
import { provideShadow } from '../../src/postgres/shadow.ts';
import { useService } from '../../src/postgres/service.ts';
import type { ShadowServer } from '../../src/postgres/shadow-server.ts';
import { rehearse } from '../../src/rehearsal/rehearse.ts';
import { postgres } from '../postgres.ts';
import { type Repository, hostOf, repository, requestOf } from './setup.ts';

const own = postgres();
const host = hostOf(new AbortController().signal);
let repo: Repository;
let temp = '';
beforeAll(() => {
  temp = mkdtempSync(path.join(tmpdir(), 'servers-test-'));
});
afterAll(() => rmSync(temp, { recursive: true, force: true }));
beforeEach(() => {
  repo = repository();
});
afterEach(() => repo.remove());

const starts: Record<string, () => Promise<ShadowServer>> = {
  service: async () => useService(await own.createDatabase(), host),
  pglite: async () => startPglite({ ...host, env: process.env, info: { temp } as never }),
};

describe.each(['service', 'pglite'] as const)('%s', (kind) => {
  let server: ShadowServer;
  beforeAll(async () => {
    server = (await starts[kind]?.()) as ShadowServer;
  }, 120_000);
  afterAll(async () => server.stop());

  test('shows locks, rewrites and the way back', async () => {
    const told = await rehearse(
      requestOf(
        repo,
        server,
        [
          repo.migration('1', 'CREATE TABLE shipments (id int PRIMARY KEY, state text);'),
          repo.migration('2', 'ALTER TABLE shipments ALTER id TYPE bigint;', {
            down: 'ALTER TABLE shipments ALTER id TYPE int;',
          }),
          repo.migration('3', 'CREATE INDEX CONCURRENTLY by_state ON shipments (state);', {
            down: 'DROP INDEX by_state;',
            transaction: false,
          }),
        ],
        { count: 2, reverse: true },
      ),
      host,
    );
    expect(told.failed).toBeUndefined();
    expect(told.server).toEqual({ kind, version: server.version });
    expect(told.migrations).toMatchObject([
      {
        statements: [
          {
            locks: [{ relation: 'shipments', mode: 'AccessExclusiveLock' }],
            rewritten: ['shipments', 'shipments_pkey'],
            scanned: ['shipments'],
          },
        ],
        reversed: { same: true },
      },
      {
        statements: [{ locks: [{ relation: 'shipments', mode: 'ShareUpdateExclusiveLock' }], scanned: ['shipments'] }],
        reversed: { same: true },
      },
    ]);
  }, 60_000);

  test('says what fails, and gives every rehearsal an empty database', async () => {
    const { failed } = await rehearse(
      requestOf(repo, server, [
        repo.migration('1', 'CREATE TABLE shipments (id int);'),
        repo.migration('2', 'ALTER TABLE shipments ADD a int;\nALTER TABLE nothing ADD a int;'),
      ]),
      host,
    );
    expect(failed).toMatchObject({ error: { code: '42P01' }, place: { file: 'db/2.sql', line: 2 } });
  }, 60_000);
});

test('a service is left as it was', async () => {
  const connection = await own.createDatabase();
  const session = await connect(connection, host);
  const databases = async () => session.query('SELECT datname FROM pg_database ORDER BY 1');
  const before = await databases();
  const server = await useService(connection, host);
  await connect(await server.createDatabase(), host);
  expect(await databases()).toHaveLength(before.length + 1);
  await server.stop();
  expect(await databases()).toEqual(before);
  await session.close();
});

test('a service whose user may make no database is refused', async () => {
  const connection = await own.createDatabase();
  const session = await connect(connection, host);
  await session.query("CREATE ROLE reader LOGIN PASSWORD 'reads'");
  await session.close();
  await expect(useService({ ...connection, user: 'reader', password: 'reads' }, host)).rejects.toThrow(
    'reader may not create databases',
  );
});

describe('the server that is taken', () => {
  const full = (path?: string) =>
    ({
      ...host,
      env: { ...process.env, ...(path !== undefined && { PATH: path }) },
      info: { temp },
      mask: () => {},
    }) as never;

  test('is a local one, of the version asked for or where nobody asked for one', async () => {
    for (const wish of [{}, { major: Math.floor(own.server.version / 10_000) }]) {
      const server = await provideShadow(wish, full());
      expect(server.kind).toBe('binaries');
      await server.stop();
    }
  });

  test('is the one that was named, whatever else there is, and none where that does not let in', async () => {
    const service = await own.createDatabase();
    const server = await provideShadow({ service }, full());
    expect(server.kind).toBe('service');
    await server.stop();
    await expect(provideShadow({ service: { ...service, password: 'wrong' } }, full())).rejects.toThrow(UserError);
  });
});

describe('PGlite', () => {
  let server: ShadowServer;
  beforeAll(async () => {
    server = await startPglite({ ...host, env: process.env, info: { temp } as never }, 8);
  }, 60_000);
  afterAll(async () => server.stop());

  test('is ended with a statement that hangs in it, which is named', async () => {
    const hanging = rehearse(requestOf(repo, server, [repo.migration('1', 'SELECT 1;\nSELECT pg_sleep(100);')]), host);
    await expect(hanging).rejects.toMatchObject({ name: 'UserError', place: { file: 'db/1.sql', line: 2 } });
  }, 60_000);
});
