import { describe, expect, test } from '@jest/globals';
import { RATES, estimate } from '../../src/rehearsal/estimate.ts';
import type { ObservedStatement } from '../../src/rehearsal/rehearsal.ts';

const SIZES = [
  { relation: 'shipments', rows: 41_200_000, bytes: 12e9 },
  { relation: 'carriers', rows: 40, bytes: 16_384 },
];

function observed(sql: string, more: Partial<ObservedStatement> = {}): ObservedStatement {
  const lock = { relation: 'shipments', mode: 'AccessExclusiveLock' } as const;
  const common = { place: { file: 'a.sql' }, seconds: 0.01, rewritten: [], scanned: [], inTransaction: true };
  return { ...common, sql, locks: [lock], ...more };
}

describe('an estimate', () => {
  test('of a rewrite says how many rows, how long, and who waits', () => {
    const statement = observed('ALTER TABLE shipments ALTER id TYPE bigint', {
      rewritten: ['shipments', 'shipments_pkey'],
      scanned: ['shipments'],
    });
    expect(estimate(statement, SIZES)).toEqual({
      seconds: 12e9 / RATES.rewrites,
      relation: 'shipments',
      sentence:
        'rewrites 41 million rows of shipments (12 GB), about 4 min under AccessExclusiveLock: reads and writes wait',
      by: 'rates',
    });
  });

  test('of an index that is built beside others says that nobody waits', () => {
    const statement = observed('CREATE INDEX CONCURRENTLY ON shipments (state)', {
      scanned: ['shipments'],
      locks: [{ relation: 'shipments', mode: 'ShareUpdateExclusiveLock' }],
    });
    expect(estimate(statement, SIZES)?.sentence).toBe(
      'builds an index over 41 million rows of shipments (12 GB), about 100 s under ShareUpdateExclusiveLock',
    );
  });

  test.each([
    ['ALTER TABLE shipments ALTER state SET NOT NULL', { scanned: ['shipments'] }, RATES.reads],
    [
      'UPDATE shipments SET state = 1',
      { locks: [{ relation: 'shipments', mode: 'RowExclusiveLock' }] as const },
      RATES.writes,
    ],
    ['ALTER TABLE shipments ADD UNIQUE (state)', { scanned: ['shipments'] }, RATES.indexes],
  ])('of %s goes by its own rate', (sql, more, rate) => {
    expect(estimate(observed(sql, more), SIZES)?.seconds).toBe(12e9 / rate);
  });

  test('goes by what like statements took on that database before, however large their tables were', () => {
    const history = [
      { statement: 'CREATE INDEX CONCURRENTLY a ON b (c)', seconds: 1, bytes: 10e6 },
      { statement: 'CREATE INDEX d ON e (f)', seconds: 10, bytes: 1e9 },
      { statement: 'CREATE UNIQUE INDEX g ON h (i)', seconds: 5, bytes: 1e9 },
      { statement: 'CREATE INDEX IF NOT EXISTS d ON e (f)', seconds: 0.001, bytes: 1e9 },
      { statement: 'CREATE INDEX on_nothing ON j (k)', seconds: 0.01, bytes: 8192 },
      { statement: 'ALTER TABLE e ALTER f TYPE bigint', seconds: 1000, bytes: 1e9 },
    ];
    const statement = observed('CREATE INDEX ON shipments (state)', { scanned: ['shipments'] });
    expect(estimate(statement, SIZES, history)).toMatchObject({ seconds: 120, by: 'history' });
  });

  test.each([
    ['nothing that grows with the table', observed('ALTER TABLE shipments ADD a int')],
    ['new files that are empty', observed('TRUNCATE shipments', { rewritten: ['shipments'] })],
    ['a table of unknown size', observed('CREATE INDEX ON legs (a)', { scanned: ['legs'] })],
  ])('is none for %s', (_, statement) => {
    expect(estimate(statement, SIZES)).toBeUndefined();
  });

  test('of a small table is no number', () => {
    const statement = observed('CREATE INDEX ON carriers (name)', { scanned: ['carriers'], locks: [] });
    expect(estimate(statement, SIZES)?.sentence).toBe(
      'builds an index over 40 rows of carriers (16 kB), less than a second',
    );
  });
});
