import { beforeAll, describe, expect, test } from '@jest/globals';
import { cache } from '../lab/cache.ts';
import { findPythonProgram } from '../lab/python.ts';
import { postgres } from '../postgres.ts';
import { cases } from './corpus.ts';
import { type Judged, evaluate, score } from './evaluate.ts';

const TARGET = 0.98;

describe('the linter against PostgreSQL, see judge.ts for what counts as harm', () => {
  const database = postgres({ max_connections: '40' });
  let judged: readonly Judged[] = [];
  beforeAll(async () => {
    const squawk = await findPythonProgram('squawk', cache);
    const { tls: _, ...server } = await database.createDatabase();
    judged = await evaluate({ ...server, ssl: false }, squawk);
  }, 1_200_000);

  test('on at least 200 statements, harmful and not', () => {
    expect(new Set(judged.map(({ name }) => name)).size).toBe(cases().length);
    expect(judged.filter(({ harm }) => harm.length > 0).length).toBeGreaterThan(100);
    expect(judged.filter(({ harm }) => harm.length === 0).length).toBeGreaterThan(100);
  });

  test(`tells what harms, and little else: precision and recall of ${TARGET} at least`, () => {
    const { precision, recall } = score(judged, ({ ours }) => ours);
    const wrong = judged.filter(({ harm, ours }) => harm.length > 0 !== ours.length > 0);
    const missed = precision < TARGET || recall < TARGET ? wrong : [];
    expect({ precision, recall, missed }).toEqual({ precision, recall, missed: [] });
  });

  test('better than squawk, and so by the text alone', () => {
    const [ours, blind, squawk] = [
      score(judged, (one) => one.ours),
      score(judged, (one) => one.blind),
      score(judged, (one) => one.squawk),
    ];
    process.stderr.write(`corpus: ${JSON.stringify({ statements: judged.length, ours, blind, squawk })}\n`);
    for (const mine of [ours, blind]) {
      expect(mine.precision).toBeGreaterThan(squawk.precision);
      expect(mine.recall).toBeGreaterThan(squawk.recall);
    }
  });

  test('with safe forms that do what they say: they neither fail nor block', () => {
    const unsafe = judged.filter(({ rewrites }) => rewrites.some(({ harm }) => harm.length > 0));
    expect(unsafe.map(({ name, rewrites }) => ({ name, rewrites }))).toEqual([]);
    expect(judged.filter(({ rewrites }) => rewrites.length > 0).length).toBeGreaterThan(80);
  });
});
