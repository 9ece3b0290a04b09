import { describe, expect, test } from '@jest/globals';
import {
  controlsTransaction,
  knownLock,
  onlyReads,
  takesBack,
  watchedHow,
  writesRows,
} from '../../src/rehearsal/statement-kind.ts';

describe('how a statement is watched', () => {
  test.each([
    ['ALTER TABLE t ADD a int', 'inside'],
    ['-- why\n/* and how */ create table t (i int);', 'inside'],
    ['WITH gone AS (DELETE FROM t RETURNING *) INSERT INTO u SELECT * FROM gone', 'inside'],
    ['SELECT backfill()', 'inside'],
    ['CREATE INDEX CONCURRENTLY i ON t (a)', 'beside'],
    ['create unique index concurrently i on t (a)', 'beside'],
    ['DROP INDEX CONCURRENTLY i', 'beside'],
    ['REINDEX (VERBOSE) TABLE CONCURRENTLY t', 'beside'],
    ['REINDEX SCHEMA public', 'beside'],
    ['VACUUM (FULL, ANALYZE) t', 'beside'],
    ['ALTER TABLE t DETACH PARTITION p CONCURRENTLY', 'beside'],
    ["ALTER TYPE state ADD VALUE 'x'", 'beside'],
    ['CALL move_rows()', 'beside'],
    ['DO $$ BEGIN UPDATE t SET a = 1; COMMIT; END $$', 'beside'],
    ['CREATE INDEX concurrently_made ON t (a)', 'inside'],
    ['DO $$ BEGIN UPDATE t SET a = 1; END $$', 'inside'],
    ['SELECT 1', 'not'],
    ['SET lock_timeout = 1', 'not'],
    ['BEGIN', 'not'],
    ['', 'not'],
  ])('%s: %s', (sql, how) => {
    expect(watchedHow(sql)).toBe(how);
  });
});

test.each([
  ['START TRANSACTION ISOLATION LEVEL SERIALIZABLE', true, false],
  ['  rollback to savepoint a', true, true],
  ['COMMIT;', true, false],
  ['ENDLESS', false, false],
  ['SELECT begin FROM t', false, false],
])('%s controls the transaction: %s', (sql, controls, back) => {
  expect([controlsTransaction(sql), takesBack(sql)]).toEqual([controls, back]);
});

test.each([
  ['INSERT INTO t VALUES (1)', true, false],
  ['select set_config($1, $2, false)', true, true],
  ['CREATE TABLE t (i int)', false, false],
  ['SHOW search_path', false, true],
  ['-- nothing', false, true],
])('%s writes rows: %s', (sql, writes, reads) => {
  expect([writesRows(sql), onlyReads(sql)]).toEqual([writes, reads]);
});

test.each([
  ['CREATE INDEX CONCURRENTLY i ON t (a)', 'ShareUpdateExclusiveLock'],
  ['VACUUM t', 'ShareUpdateExclusiveLock'],
  ['VACUUM FULL t', 'AccessExclusiveLock'],
  ['VACUUM (ANALYZE, FULL) t', 'AccessExclusiveLock'],
  ['CLUSTER', 'AccessExclusiveLock'],
  ['CALL anything()', undefined],
])('%s is known to take %s', (sql, lock) => {
  expect(knownLock(sql)).toBe(lock);
});
