import { describe, expect, test } from '@jest/globals';
import { Ledger, changes, isBookkeeping } from '../../src/apply/ledger.ts';
import { LIMITS, lockTimeoutOf, pauseAfter } from '../../src/apply/limits.ts';
import { controlOf, isSetting, mayRunTwice } from '../../src/apply/scripts.ts';
import { discreet, spoken } from '../../src/postgres/activity.ts';
import { SqlError } from '../../src/postgres/database.ts';
import { heldLocks, newLocks } from '../../src/apply/held-locks.ts';
import { concurrentIndexOf, isConcurrent } from '../../src/postgres/invalid-indexes.ts';

const ok = (sql: string) => ({ sql, seconds: 0, locks: [] });
const failed = (sql: string, code = '42P01') => ({ ...ok(sql), error: new SqlError('no', code) });

describe('what a tool did', () => {
  test('in a transaction counts once it is committed', () => {
    const ledger = new Ledger();
    expect(ledger.note({ pid: 1, sql: 'BEGIN' }, ok('BEGIN'), 'T')).toBe(false);
    expect(ledger.note({ pid: 1, sql: 'ALTER TABLE t ADD a int' }, ok('ALTER TABLE t ADD a int'), 'T')).toBe(false);
    expect(ledger.left).toEqual([]);
    expect(ledger.note({ pid: 1, sql: 'COMMIT' }, ok('COMMIT'), 'I')).toBe(true);
    expect(ledger.left.map(({ sql }) => sql)).toEqual(['ALTER TABLE t ADD a int']);
    expect(ledger.close()).toHaveLength(1);
    expect(ledger.left).toEqual([]);
  });

  test.each([
    ['ROLLBACK', 'ROLLBACK'],
    ['COMMIT of a failed transaction', 'COMMIT'],
  ])('and ends in a %s is gone, with the migrations that were through in it', (_, end) => {
    const ledger = new Ledger();
    ledger.note({ pid: 1, sql: 'CREATE TABLE a ()' }, ok('CREATE TABLE a ()'), 'T');
    ledger.belongs(1, ['01']);
    ledger.note({ pid: 1, sql: 'bad' }, failed('bad'), 'E');
    ledger.note({ pid: 1, sql: 'after' }, failed('after', '25P02'), 'E');
    ledger.note({ pid: 1, sql: end }, ok(end), 'I');
    expect(ledger.left).toEqual([]);
    expect(ledger.failed?.sql).toBe('bad');
    expect([...ledger.undone]).toEqual(['01']);
  });

  test('and whose COMMIT is refused is gone, as by a deferred constraint', () => {
    const ledger = new Ledger();
    ledger.note({ pid: 1, sql: 'INSERT INTO a VALUES (1)' }, ok('INSERT INTO a VALUES (1)'), 'T');
    expect(ledger.note({ pid: 1, sql: 'COMMIT' }, failed('COMMIT', '23505'), 'I')).toBe(false);
    expect(ledger.left).toEqual([]);
  });

  test('to a savepoint is no rollback of all', () => {
    const ledger = new Ledger();
    ledger.note({ pid: 1, sql: 'CREATE TABLE a ()' }, ok('CREATE TABLE a ()'), 'T');
    ledger.note({ pid: 1, sql: 'ROLLBACK TO SAVEPOINT s' }, ok('ROLLBACK TO SAVEPOINT s'), 'T');
    ledger.note({ pid: 1, sql: 'COMMIT' }, ok('COMMIT'), 'I');
    expect(ledger.left).toHaveLength(1);
  });

  test('by itself counts at once, and sessions are kept apart', () => {
    const ledger = new Ledger();
    ledger.note({ pid: 1, sql: 'CREATE TABLE a ()' }, ok('CREATE TABLE a ()'), 'T');
    expect(ledger.note({ pid: 2, sql: 'CREATE TABLE b ()' }, ok('CREATE TABLE b ()'), 'I')).toBe(true);
    expect(ledger.note({ pid: 2, sql: 'SELECT 1' }, ok('SELECT 1'), 'I')).toBe(false);
    expect(ledger.left.map(({ sql }) => sql)).toEqual(['CREATE TABLE b ()']);
  });
});

test.each([
  ['-- why\nCREATE TABLE a ()', true],
  ['/* why */ insert into a values (1)', true],
  ['WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x', true],
  ['SELECT 1', false],
  ['SET x = 1', false],
  ['BEGIN', false],
])('%j changes something: %s', (sql, expected) => {
  expect(changes(sql)).toBe(expected);
});

test('bookkeeping is told by the usual tables and the one that is named', () => {
  expect(isBookkeeping('insert into "knex_migrations" values (1)', undefined)).toBe(true);
  expect(isBookkeeping('insert into "own_table" values (1)', 'own_table')).toBe(true);
  expect(isBookkeeping('insert into shipments values (1)', 'own_table')).toBe(false);
});

describe('tries', () => {
  test('wait half as long again each time, and no longer than allowed', () => {
    const limits = { ...LIMITS, lockTimeout: 2000, lockTimeoutMax: 5000 };
    expect([1, 2, 3, 4].map((n) => lockTimeoutOf(limits, n))).toEqual([2000, 3000, 4500, 5000]);
    expect(lockTimeoutOf({ ...limits, lockTimeoutMax: 100 }, 5)).toBe(2000);
  });

  test('have growing pauses between them', () => {
    expect([1, 2, 3, 10].map((n) => pauseAfter(n, () => 0.5))).toEqual([1000, 2000, 4000, 30_000]);
    expect(pauseAfter(1, () => 0)).toBe(500);
  });
});

test.each([
  ['BEGIN', 'begin'],
  ['start transaction read only', 'begin'],
  ['COMMIT', 'end'],
  ['ROLLBACK TO s', undefined],
  ["ROLLBACK PREPARED 'x'", undefined],
  ['END', 'end'],
  ['CREATE TABLE begin ()', undefined],
])('%s is to a transaction: %s', (sql, expected) => {
  expect(controlOf(sql)).toBe(expected);
});

test.each([
  ['SET search_path = a', true],
  ['SET LOCAL search_path = a', false],
  ['SET CONSTRAINTS ALL DEFERRED', false],
  ['RESET ALL', true],
  ['SELECT 1', false],
])('%s holds for its session: %s', (sql, expected) => {
  expect(isSetting(sql)).toBe(expected);
});

test.each([
  ['VACUUM shipments', true],
  ['DROP INDEX CONCURRENTLY IF EXISTS a', true],
  ['REINDEX INDEX CONCURRENTLY a', true],
  ['CALL work()', false],
  ['DROP INDEX CONCURRENTLY a', false],
  ['CREATE DATABASE a', false],
])('%s may run twice: %s', (sql, expected) => {
  expect(mayRunTwice(sql)).toBe(expected);
});

test.each([
  ['CREATE INDEX CONCURRENTLY by_id ON a (id)', 'by_id'],
  ['create unique index concurrently if not exists "By ""Id" on only a (id)', 'By "Id'],
  ['CREATE INDEX CONCURRENTLY By_Id ON a (id)', 'by_id'],
  ['CREATE INDEX CONCURRENTLY ON a (id)', undefined],
  ['CREATE INDEX by_id ON a (id)', undefined],
])('%s makes the index %s', (sql, name) => {
  expect(concurrentIndexOf(sql)).toBe(name);
});

test('what works concurrently is known', () => {
  expect(isConcurrent('ALTER TABLE p DETACH PARTITION a CONCURRENTLY')).toBe(true);
  expect(isConcurrent('REFRESH MATERIALIZED VIEW CONCURRENTLY v')).toBe(true);
  expect(isConcurrent("INSERT INTO notes VALUES ('concurrently')")).toBe(false);
});

test("others' statements are shown without their texts, on one line", () => {
  expect(discreet("UPDATE a\n SET name = 'O''Hara', b = $x$secret$x$ WHERE c = 'open")).toBe(
    "UPDATE a SET name = '…', b = '…' WHERE c = '…'",
  );
  expect(discreet(String.raw`SELECT E'a\'secret', 1`)).not.toContain('secret');
  expect(discreet(`SELECT ${'x'.repeat(1000)}`)).toHaveLength(300);
  expect(discreet('SELECT 1 \u001b[31m')).toBe('SELECT 1');
});

test('seconds are spoken as people do', () => {
  expect([0.44, 12.3, 119, 360, 7300].map(spoken)).toEqual(['0.4 s', '12 s', '119 s', '6 min', '2 h']);
});

test('locks that are new or stronger are told, each once', () => {
  const lock = (oid: number, mode: string) => ({ oid, relation: `t${oid}`, mode });
  const before = heldLocks([lock(1, 'AccessShareLock'), lock(2, 'ShareLock')]);
  const after = heldLocks([
    lock(1, 'AccessShareLock'),
    lock(1, 'AccessExclusiveLock'),
    lock(2, 'ShareLock'),
    lock(3, 'ShareLock'),
  ]);
  expect(newLocks(before, after)).toEqual([
    { oid: 1, relation: 't1', mode: 'AccessExclusiveLock' },
    { oid: 3, relation: 't3', mode: 'ShareLock' },
  ]);
});
