import { expect, test } from '@jest/globals';
import { traceOf } from '../../src/postgres/concurrent-trace.ts';

const index = (bare: string, table: string) => ({ bare, table, isCopy: /_cc(new|old)\d*$/.test(bare) });

test.each([
  ['CREATE INDEX CONCURRENTLY by_code ON parcels (code)', index('by_code', 'parcels')],
  [
    '-- fast\ncreate unique index concurrently if not exists By_Code on only Shop.Parcels using btree (code)',
    index('by_code', 'shop.parcels'),
  ],
  ['CREATE INDEX CONCURRENTLY "By ""Code" ON "Shop"."Par.cels" (code)', index('By "Code', '"Shop"."Par.cels"')],
])('%j leaves an index of its name, of this run or an earlier one', (sql, left) => {
  expect(traceOf(sql)?.(left, true)).toBe(true);
  expect(traceOf(sql)?.(left, false)).toBe(true);
  expect(traceOf(sql)?.({ ...left, table: 'others' }, true)).toBe(false);
  expect(traceOf(sql)?.({ ...left, bare: 'another' }, true)).toBe(false);
});

test.each([
  ['CREATE INDEX CONCURRENTLY ON parcels (code)', index('parcels_code_idx', 'parcels'), index('x', 'others')],
  [
    'DROP INDEX CONCURRENTLY IF EXISTS shop.by_code, "By Name" CASCADE',
    index('By Name', 'parcels'),
    index('x', 'parcels'),
  ],
  ['REINDEX INDEX CONCURRENTLY by_code', index('by_code_ccnew1', 'parcels'), index('other_ccnew', 'parcels')],
  [
    'REINDEX (VERBOSE) TABLE CONCURRENTLY shop.parcels',
    index('a_ccold', 'shop.parcels'),
    index('a_ccold', 'shop.others'),
  ],
  ['REINDEX (CONCURRENTLY) SCHEMA shop', index('a_ccnew', 'parcels'), index('a', 'parcels')],
])('%j leaves what is new, and nothing of others', (sql, left, others) => {
  expect(traceOf(sql)?.(left, true)).toBe(true);
  expect(traceOf(sql)?.(left, false)).toBe(false);
  expect(traceOf(sql)?.(others, true)).toBe(false);
});

test.each([
  'CREATE INDEX by_code ON parcels (code)',
  'REINDEX TABLE parcels',
  "SELECT 'create index concurrently a on b'",
])('%j leaves none', (sql) => expect(traceOf(sql)).toBeUndefined());
