import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { lint } from '../../src/sql-lint/lint.ts';

async function codes(sql: string): Promise<readonly string[]> {
  return (await lint([{ file: 'x.sql', sql, firstLine: 1, transaction: false }], { setsTimeouts: true })).map(
    ({ code }) => code,
  );
}

/** Numbers from a seed, the same in every run (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe('whatever comes, the linter answers', () => {
  test('nothing, spaces, comments', async () => {
    for (const sql of ['', ' \n', '-- only', ';;', '\uFEFF']) expect((await codes(sql)).length).toBeLessThanOrEqual(1);
  });

  test('a script that is too large, at once', async () => {
    const sql = 'SELECT 1;\n'.repeat(2_100_000);
    const began = performance.now();
    expect(await codes(sql)).toEqual(['script-too-large']);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  test('files that are no text, and in which encoding they might be', async () => {
    expect(await codes(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 3]).toString('utf8'))).toEqual(['not-text']);
    const gzip = Buffer.from(Array.from({ length: 400 }, (_, at) => 128 + ((at * 37) % 128))).toString('utf8');
    expect(await codes(gzip)).toEqual(['not-text']);
    const [wide] = await lint([
      { file: 'x', sql: Buffer.from('SELECT 1;', 'utf16le').toString('utf8'), firstLine: 1, transaction: false },
    ]);
    expect(wide?.message).toContain('UTF-16');
  });

  test('a statement of data, and a long one of another kind', async () => {
    const rows = Array.from({ length: 20_000 }, (_, at) => `(${at}, 'some text')`).join(',\n');
    expect(await codes(`INSERT INTO t VALUES ${rows};`)).toEqual([]);
    expect(await codes(`SELECT * FROM (VALUES ${rows}) v;`)).toEqual(['statement-too-long']);
  });

  test('deep nesting, and what comes after it is judged', async () => {
    for (const deep of [`SELECT ${'('.repeat(50_000)}`, `SELECT ${'1+'.repeat(25_000)}1`]) {
      const all = await codes(`${deep}${')'.repeat(deep.includes('(') ? 50_000 : 0)};\nDROP TABLE t;`);
      expect(all.toSorted()).toEqual(['syntax-error', 'table-dropped']);
    }
  });

  test('any mutation of real scripts', async () => {
    const next = numbers(20_261_123);
    const pick = (length: number): number => Math.floor(next() * length);
    const folder = path.join(import.meta.dirname, 'corpus');
    const corpus = ['columns', 'constraints', 'transactions', 'data'].map((name) =>
      readFileSync(path.join(folder, `${name}.sql`), 'utf8'),
    );
    const bits = [
      "'",
      '"',
      '$$',
      ';',
      '(',
      ')',
      '--',
      '/*',
      '\\',
      ',',
      'NULL',
      '€',
      '😀',
      '\n',
      'CONSTRAINT',
      'ALTER TABLE',
      '[',
      '.',
      '$1',
      "E'",
      '::',
    ];
    for (let round = 0; round < 150; round += 1) {
      const sql = corpus[pick(corpus.length)] ?? '';
      const start = pick(sql.length);
      let piece = sql.slice(start, start + 400);
      for (let change = 0; change < 4; change += 1) {
        const at = pick(piece.length);
        const cut = next() < 0.5 ? pick(20) : 0;
        piece = piece.slice(0, at) + (bits[pick(bits.length)] ?? '') + piece.slice(at + cut);
      }
      const findings = await lint([{ file: 'x.sql', sql: piece, firstLine: 1, transaction: next() < 0.5 }]);
      const lines = piece.split('\n').length;
      for (const { place } of findings) {
        expect(place.line).toBeGreaterThanOrEqual(1);
        expect(place.line).toBeLessThanOrEqual(lines);
        expect(place.column ?? 1).toBeGreaterThanOrEqual(1);
      }
    }
  }, 120_000);
});
