import { describe, expect, test } from '@jest/globals';
import { openParser } from '../../src/sql/parser.ts';

describe("PostgreSQL's parser", () => {
  test('gives the tree of a statement', async () => {
    const parser = await openParser();
    expect(parser.parse('TRUNCATE a')).toMatchObject({ node: { TruncateStmt: {} } });
    parser.close();
  });

  test('says where a mistake is, in characters whatever comes before', async () => {
    const parser = await openParser();
    const sql = "SELECT 'äöü€😀', 'x' FRM shipments s";
    const parsed = parser.parse(sql);
    expect(parsed).toEqual({
      fault: { message: 'syntax error at or near "shipments"', offset: sql.indexOf('shipments') },
    });
  });

  test('does not pass over what follows a NUL', async () => {
    const parser = await openParser();
    expect(parser.parse('SELECT 1\0; DROP TABLE x')).toEqual({
      fault: { message: 'it holds a NUL character', offset: 8 },
    });
  });

  test('survives any nesting, and says when it is better not used again', async () => {
    for (const sql of [
      `SELECT ${'('.repeat(200_000)}`,
      `SELECT ${'1+'.repeat(30_000)}1`,
      `SELECT ${'NOT '.repeat(100_000)}true`,
    ]) {
      const parser = await openParser();
      const parsed = parser.parse(sql);
      expect(parsed).toHaveProperty('fault');
      expect(parser.parse('SELECT 1')).toHaveProperty(parser.isSpent ? 'fault' : 'node');
    }
    expect((await openParser()).parse('SELECT 1')).toHaveProperty('node');
  });
});
