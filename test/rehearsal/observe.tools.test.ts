// What a real server does when it runs a statement, as a rehearsal tells it.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ShadowServer } from '../../src/postgres/shadow-server.ts';
import type { Rehearsal, ObservedStatement } from '../../src/rehearsal/rehearsal.ts';
import { rehearse } from '../../src/rehearsal/rehearse.ts';
import { type Repository, hostOf, repository, requestOf, shadowServer } from './setup.ts';

let server: ShadowServer;
let repo: Repository;
beforeAll(async () => {
  server = await shadowServer();
}, 300_000);
afterAll(async () => server.stop());
beforeEach(() => {
  repo = repository();
});
afterEach(() => repo.remove());

const BASE = `
CREATE SCHEMA billing;
CREATE TABLE carriers (id int PRIMARY KEY, name varchar(20));
CREATE TABLE shipments (id int PRIMARY KEY, carrier int, state text, weight int);
CREATE INDEX shipments_state ON shipments (state);
CREATE TABLE billing."Odd Name" (id int);
CREATE MATERIALIZED VIEW heavy AS SELECT id FROM shipments;
CREATE UNIQUE INDEX heavy_id ON heavy (id);
INSERT INTO shipments SELECT i, 1, 'new', i FROM generate_series(1, 100) AS i;
`;

async function after(sql: string, transaction = true): Promise<Rehearsal> {
  const migrations = [repo.migration('1', BASE), repo.migration('2', sql, { transaction })];
  return rehearse(requestOf(repo, server, migrations), hostOf(new AbortController().signal));
}

async function observed(sql: string, transaction = true): Promise<readonly ObservedStatement[]> {
  const { failed, migrations } = await after(sql, transaction);
  expect(failed).toBeUndefined();
  return migrations[0]?.statements ?? [];
}

type Short = readonly [locks: string, rewritten: string, scanned: string];

function short({ locks, rewritten, scanned }: ObservedStatement): Short {
  return [
    locks.map(({ relation, mode }) => `${relation} ${mode.replace(/Lock$/, '')}`).join(', '),
    rewritten.join(', '),
    scanned.join(', '),
  ];
}

describe.each([
  ['in a transaction', true],
  ['without one', false],
] as const)('a statement %s', (_, transaction) => {
  test.each<readonly [string, ...Short]>([
    ['ALTER TABLE shipments ADD COLUMN note text', 'shipments AccessExclusive', '', ''],
    ["ALTER TABLE shipments ADD COLUMN note text DEFAULT 'x'", 'shipments AccessExclusive', '', ''],
    [
      'ALTER TABLE shipments ADD COLUMN token float DEFAULT random()',
      'shipments AccessExclusive',
      'shipments, shipments_pkey, shipments_state',
      'shipments',
    ],
    ['ALTER TABLE carriers ALTER name TYPE varchar(40)', 'carriers AccessExclusive', '', ''],
    ['ALTER TABLE carriers ALTER id TYPE bigint', 'carriers AccessExclusive', 'carriers, carriers_pkey', 'carriers'],
    ['ALTER TABLE shipments ALTER state SET NOT NULL', 'shipments AccessExclusive', '', 'shipments'],
    ['ALTER TABLE shipments ADD CHECK (weight > 0)', 'shipments AccessExclusive', '', 'shipments'],
    ['ALTER TABLE shipments ADD CHECK (weight > 0) NOT VALID', 'shipments AccessExclusive', '', ''],
    ['CREATE INDEX ON shipments (weight)', 'shipments Share', '', 'shipments'],
    [
      'REINDEX INDEX shipments_state',
      'shipments_state AccessExclusive, shipments Share',
      'shipments_state',
      'shipments',
    ],
    ['UPDATE shipments SET weight = 1', 'shipments RowExclusive', '', ''],
    ['TRUNCATE shipments', 'shipments AccessExclusive', 'shipments, shipments_pkey, shipments_state', 'shipments'],
    ['DROP TABLE billing."Odd Name"', 'billing."Odd Name" AccessExclusive', '', ''],
    ['ALTER TABLE carriers RENAME TO companies', 'carriers AccessExclusive', '', ''],
    ['DROP INDEX shipments_state', 'shipments AccessExclusive', '', ''],
    ['CREATE TABLE fresh (id int); ', '', '', ''],
    ["DO $$ BEGIN EXECUTE 'ALTER TABLE shipments ADD COLUMN b int'; END $$", 'shipments AccessExclusive', '', ''],
  ])('%s', async (sql, ...expected) => {
    const [statement] = await observed(sql, transaction);
    if (statement === undefined) throw new Error('Nothing was observed');
    // A lock that only reads need says nothing of who waits.
    const [locks, ...others] = short({
      ...statement,
      locks: statement.locks.filter(({ mode }) => mode !== 'AccessShareLock'),
    });
    expect([locks, ...others]).toEqual(expected);
  });
});

test('a foreign key locks both tables, and reads the one that it is on', async () => {
  const [statement] = await observed('ALTER TABLE shipments ADD FOREIGN KEY (carrier) REFERENCES carriers NOT VALID');
  expect(statement?.locks).toContainEqual({ relation: 'carriers', mode: 'ShareRowExclusiveLock' });
  expect(statement?.locks).toContainEqual({ relation: 'shipments', mode: 'ShareRowExclusiveLock' });
});

describe('what can run in no transaction', () => {
  test.each<readonly [string, string, string]>([
    ['CREATE INDEX CONCURRENTLY shipments_weight ON shipments (weight)', 'shipments ShareUpdateExclusive', ''],
    ['DROP INDEX CONCURRENTLY shipments_state', 'shipments ShareUpdateExclusive', ''],
    ['REINDEX INDEX CONCURRENTLY shipments_state', 'shipments ShareUpdateExclusive', 'shipments_state'],
    ['VACUUM shipments', 'shipments ShareUpdateExclusive', ''],
    ['VACUUM FULL shipments', 'shipments AccessExclusive', 'shipments'],
  ])('%s', async (sql, lock, rewritten) => {
    for (let i = 0; i < 5; i += 1) {
      const [statement] = await observed(sql, false);
      if (statement === undefined) throw new Error('Nothing was observed');
      expect(short(statement)[0].split(', ')).toContain(lock);
      expect(statement.rewritten.join(', ')).toContain(rewritten);
      expect(statement.inTransaction).toBe(false);
    }
  });

  test('an index that is left invalid is named', async () => {
    const { failed, migrations } = await after(
      'INSERT INTO carriers VALUES (1, $$a$$), (2, $$a$$);\nCREATE UNIQUE INDEX CONCURRENTLY names ON carriers (name);',
      false,
    );
    expect(failed?.error?.code).toBe('23505');
    expect(migrations[0]?.invalidIndexes).toEqual(['names']);
  });
});

test('what a migration made itself locks nobody out, and the next migration meets it', async () => {
  const migrations = [
    repo.migration('1', BASE),
    repo.migration('2', 'CREATE TABLE own (id int);\nALTER TABLE own ADD COLUMN a int;\nCREATE INDEX ON own (a);'),
    repo.migration('3', 'ALTER TABLE own ADD COLUMN b int;'),
  ];
  const { migrations: told } = await rehearse(
    requestOf(repo, server, migrations, { count: 2 }),
    hostOf(new AbortController().signal),
  );
  expect(told.map(({ statements }) => statements.flatMap(({ locks }) => locks))).toEqual([
    [],
    [{ relation: 'own', mode: 'AccessExclusiveLock' }],
  ]);
});

test('a second rewrite in the same transaction is one too, and a lock is told where it was taken', async () => {
  const statements = await observed(
    'ALTER TABLE carriers ALTER id TYPE bigint;\nALTER TABLE carriers ALTER id TYPE int;\nALTER TABLE carriers ADD x int;',
  );
  expect(statements.map(({ rewritten }) => rewritten)).toEqual([
    ['carriers', 'carriers_pkey'],
    ['carriers', 'carriers_pkey'],
    [],
  ]);
  expect(statements[0]?.locks).toContainEqual({ relation: 'carriers', mode: 'AccessExclusiveLock' });
  expect(statements[2]?.locks).toEqual([]);
});

test('VALIDATE CONSTRAINT reads the table under a lock that lets others write', async () => {
  const [, statement] = await observed(
    'ALTER TABLE shipments ADD CONSTRAINT positive CHECK (weight > 0) NOT VALID;\nALTER TABLE shipments VALIDATE CONSTRAINT positive;',
    false,
  );
  expect(statement && short(statement)).toEqual(['shipments ShareUpdateExclusive', '', 'shipments']);
});
