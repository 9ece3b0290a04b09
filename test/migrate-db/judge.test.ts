import { describe, expect, test } from '@jest/globals';
import { judge } from '../../src/migrate-db/judge.ts';
import type { Finding } from '../../src/migration/finding.ts';
import { SqlError } from '../../src/postgres/database.ts';
import type { Rehearsal } from '../../src/rehearsal/rehearsal.ts';
import { finding, observed, rehearsal } from './sample.ts';

const FILE = finding().place.file;
const judged = (findings: readonly Finding[], seen: Rehearsal) => judge(findings, seen, new Map());
const exclusive = { relation: 'shipments', mode: 'AccessExclusiveLock' } as const;

describe('what the server did', () => {
  const rewrite = finding({ code: 'column-type-rewrites', lock: exclusive });

  test('bears a finding out, and nothing is told twice', () => {
    expect(judged([finding()], rehearsal([observed()]))).toEqual([finding()]);
  });

  test('makes a notice of a rewrite that did not happen, and says the difference', () => {
    const seen = observed({ locks: [exclusive], scanned: [] });
    const [one, ...others] = judged([rewrite], rehearsal([seen]));
    expect(others).toEqual([]);
    expect(one).toMatchObject({ severity: 'notice', source: 'rehearsal' });
    expect(one?.why).toMatch(/PostgreSQL 15 shows otherwise: nothing was written anew/);
  });

  test('leaves a rewrite alone whose lock it did not see: the statement may have met nothing there', () => {
    const seen = observed({ locks: [], scanned: [] });
    expect(judged([rewrite], rehearsal([seen]))).toEqual([rewrite]);
  });

  test('counts locks of earlier statements of the same transaction, and none of an earlier one', () => {
    const first = observed({
      sql: 'LOCK TABLE shipments',
      place: { file: FILE, line: 1 },
      locks: [exclusive],
      scanned: [],
    });
    const second = observed({ locks: [], scanned: [] });
    const severities = (inTransaction: boolean): string[] =>
      judged([rewrite], rehearsal([first, second].map((one) => ({ ...one, inTransaction })))).map(
        ({ severity }) => severity,
      );
    expect(severities(true)).toEqual(['notice']);
    expect(severities(false)).toEqual(['error']);
  });

  test('eases a lock that was weaker than thought, but nothing that was allowed or breaks the running version', () => {
    const seen = observed({ locks: [{ relation: 'shipments', mode: 'ShareUpdateExclusiveLock' }], scanned: [] });
    expect(judged([finding()], rehearsal([seen]))[0]).toMatchObject({ severity: 'notice' });
    for (const kept of [finding({ phase: 'contract' }), finding({ allowed: 'the table is empty' })]) {
      expect(judged([kept], rehearsal([seen]))).toEqual([kept]);
    }
  });

  test('is a finding where it rewrote or read a table under a lock that nobody spoke of', () => {
    const hidden = observed({ locks: [exclusive], rewritten: ['shipments', 'shipments_pkey'] });
    const opaque = finding({ code: 'opaque-sql', severity: 'warning' });
    const codes = (seen: typeof hidden, said: readonly Finding[] = []): string[] =>
      judged(said, rehearsal([seen])).map(({ code }) => code);
    expect(codes(hidden, [opaque])).toEqual(['table-rewrites', 'opaque-sql']);
    const reading = { ...hidden, rewritten: [] };
    expect(codes(reading)).toEqual(['table-scanned-under-lock']);
    const reader = { ...reading, locks: [{ relation: 'shipments', mode: 'AccessShareLock' as const }] };
    expect(codes(reader)).toEqual([]);
    const failed = { ...reading, error: new SqlError('no', '42P01') };
    expect(codes(failed)).toEqual([]);
  });

  test('is no finding where it is allowed above the statement', () => {
    const [seen, other] = [observed(), observed({ place: { file: FILE, line: 9 } })];
    const allowed = finding({ code: 'table-scanned-under-lock', severity: 'notice', allowed: 'it is empty' });
    expect(judged([allowed], rehearsal([seen]))).toEqual([allowed]);
    expect(judged([allowed], rehearsal([seen, other])).map((one) => one.allowed)).toEqual([undefined, 'it is empty']);
  });

  test('is no more than a notice where production shows that all tables of it are small', () => {
    const lines = { relation: 'lines', mode: 'ShareLock' } as const;
    const seen = observed({ locks: [exclusive, lines], rewritten: ['shipments'], scanned: ['lines'] });
    const sizes = (rows: number, others: number) =>
      new Map([
        ['shipments', { relation: 'shipments', rows, bytes: 65_536 }],
        ['lines', { relation: 'lines', rows: others, bytes: 65_536 }],
      ]);
    const severity = (rows: number, others: number) => judge([], rehearsal([seen]), sizes(rows, others))[0]?.severity;
    expect([severity(10, 10), severity(4e7, 10), severity(10, 4e7)]).toEqual(['notice', 'error', 'error']);
  });

  test('is a finding where the migration fails, leaves an index invalid, or has no true way back', () => {
    const failed = { message: 'relation "carriers" does not exist', place: { file: FILE, line: 2 } };
    const more = {
      failed,
      invalidIndexes: ['shipments_carrier'],
      reversed: { same: false, differences: ['column x'] },
    };
    const found = judged([], rehearsal([], more));
    expect(found.map(({ code, place }) => [code, place.line])).toEqual(
      expect.arrayContaining([
        ['rehearsal-failed', 2],
        ['invalid-index', 1],
        ['way-back-fails', 1],
      ]),
    );
    const kept = rehearsal([], { reversed: { same: true, differences: [] } });
    expect(judged([], kept)).toEqual([]);
  });

  test('overrules a statement that was thought to fail, unless it did', () => {
    const fails = finding({ code: 'enum-value-used' });
    const error = new SqlError('unsafe use of new value', '55P04');
    const severity = (seen: ReturnType<typeof observed>) => judged([fails], rehearsal([seen]))[0]?.severity;
    expect(severity(observed({ scanned: [] }))).toBe('notice');
    expect(severity(observed({ error }))).toBe('error');
  });

  test('is found by its text where a program made the statement', () => {
    const seen = observed({ place: { file: FILE } });
    const quoted = finding({ place: { file: FILE } });
    expect(judged([quoted], rehearsal([seen]))).toEqual([quoted]);
    expect(judged([], rehearsal([seen])).map(({ code }) => code)).toEqual(['table-scanned-under-lock']);
  });

  test('is found though a finding stands on a later line or further right in it', () => {
    const block = observed({
      sql: 'DO $$ BEGIN\n  ALTER TABLE shipments ALTER code TYPE text;\nEND $$',
      place: { file: FILE, line: 3, column: 1, endLine: 5 },
      locks: [exclusive],
      scanned: [],
    });
    const inside = { ...rewrite, place: { file: FILE, line: 4, column: 3 } };
    expect(judged([inside], rehearsal([block]))[0]?.severity).toBe('notice');
    const elsewhere = { ...rewrite, place: { file: FILE, line: 6, column: 1 } };
    expect(judged([elsewhere], rehearsal([block]))[0]?.severity).toBe('error');
  });
});
