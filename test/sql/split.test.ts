import { describe, expect, test } from '@jest/globals';
import { Lines, characterAtByte, characterAtPoint } from '../../src/sql/lines.ts';
import { splitScript } from '../../src/sql/split.ts';

const texts = (sql: string): readonly string[] => splitScript(sql).statements.map((statement) => statement.sql);

describe('a script is cut where psql cuts it', () => {
  test.each([
    ['semicolons', 'SELECT 1; SELECT 2', ['SELECT 1', 'SELECT 2']],
    ['no statement between semicolons', ';; SELECT 1 ;;', ['SELECT 1']],
    ['a string', "SELECT ';', 'it''s;'; SELECT 2", ["SELECT ';', 'it''s;'", 'SELECT 2']],
    ['a string that knows backslashes', String.raw`SELECT E'\';'; SELECT 2`, [String.raw`SELECT E'\';'`, 'SELECT 2']],
    ['a string that does not', String.raw`SELECT note '\'; SELECT 2`, [String.raw`SELECT note '\'`, 'SELECT 2']],
    [
      'a name that ends in e',
      String.raw`SELECT 1, 2, 3, 4, the'\'; SELECT 2`,
      [String.raw`SELECT 1, 2, 3, 4, the'\'`, 'SELECT 2'],
    ],
    ['a quoted name', 'SELECT "a;""b"; SELECT 2', ['SELECT "a;""b"', 'SELECT 2']],
    ['dollar quotes', 'SELECT $$;$$, $a$ $$ ; $a$; SELECT 2', ['SELECT $$;$$, $a$ $$ ; $a$', 'SELECT 2']],
    ['a dollar inside a name', 'SELECT 1, 2, a$b$ ; SELECT 2, c$b$', ['SELECT 1, 2, a$b$', 'SELECT 2, c$b$']],
    ['a parameter', 'SELECT $1; SELECT $2', ['SELECT $1', 'SELECT $2']],
    ['comments', 'SELECT 1 -- ;\n+ 1 /* ; /* ; */ ; */; SELECT 2', ['SELECT 1 -- ;\n+ 1', 'SELECT 2']],
    ['parentheses', 'CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2); SELECT 3', 2],
    [
      'BEGIN ATOMIC',
      'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 3',
      2,
    ],
    ['BEGIN of a transaction', 'BEGIN; SELECT 1; END', ['BEGIN', 'SELECT 1', 'END']],
    [
      'a function in dollar quotes',
      'CREATE OR REPLACE FUNCTION f() RETURNS void AS $$ BEGIN x; END; $$ LANGUAGE plpgsql; SELECT 1',
      2,
    ],
  ])('%s', (_, sql, wanted) => {
    const found = texts(sql);
    expect(typeof wanted === 'number' ? found.length : found).toEqual(wanted);
  });

  test('says where each stands, in characters, with the file’s own lines', () => {
    const { statements } = splitScript("SELECT 'äöü€😀';\r\n  SELECT\n 2; SELECT 3", 40);
    expect(statements.map(({ line, column, endLine, offset }) => [line, column, endLine, offset])).toEqual([
      [40, 1, 40, 0],
      [41, 3, 42, 20],
      [42, 5, 42, 31],
    ]);
  });

  test('gives each statement the comments above it, not those behind the one before', () => {
    const { statements, trailing } = splitScript('-- one\n/* two */\nSELECT 1; -- behind\n-- three\nSELECT 2;\n-- end');
    expect(statements.map(({ comments }) => comments)).toEqual([
      [
        { text: 'one', line: 1 },
        { text: 'two', line: 2 },
      ],
      [{ text: 'three', line: 4 }],
    ]);
    expect(trailing).toEqual([{ text: 'end', line: 6 }]);
  });

  test('gives a statement the directives inside it too', () => {
    const [one] = splitScript('SELECT 1\n-- migrate-db: allow x because y\n, 2').statements;
    expect(one?.comments).toEqual([{ text: 'migrate-db: allow x because y', line: 2 }]);
  });

  test('tells what is no SQL, and goes on behind it', () => {
    const { statements, oddities } = splitScript(
      "\\set x 1\nCOPY t FROM stdin;\n1;\t2\n\\.\nSELECT 1 \\gexec\nSELECT 'open",
    );
    expect(oddities.map(({ kind, what }) => [kind, what])).toEqual([
      ['psql-command', '\\set x 1'],
      ['copy-from-stdin', 'COPY … FROM stdin'],
      ['psql-command', '\\gexec'],
      ['unterminated', 'quoted string'],
    ]);
    expect(statements.map(({ sql }) => sql)).toEqual(['COPY t FROM stdin', 'SELECT 1', "SELECT 'open"]);
  });

  test('takes 9 MB in seconds', () => {
    const sql = "INSERT INTO t VALUES (1, 'some text', now());\n".repeat(200_000);
    const began = performance.now();
    expect(splitScript(sql).statements).toHaveLength(200_000);
    expect(performance.now() - began).toBeLessThan(15_000);
  });
});

describe('places', () => {
  test('are found by lines and columns from 1', () => {
    const lines = new Lines('ab\n\ncd', 7);
    expect([0, 2, 3, 4, 5].map((at) => lines.at(at))).toEqual([
      { line: 7, column: 1 },
      { line: 7, column: 3 },
      { line: 8, column: 1 },
      { line: 9, column: 1 },
      { line: 9, column: 2 },
    ]);
  });

  test('of bytes and of code points are those of characters', () => {
    const text = 'aä€😀b';
    expect([0, 1, 3, 6, 10].map((bytes) => characterAtByte(text, bytes))).toEqual([0, 1, 2, 3, 5]);
    expect([0, 1, 2, 3, 4].map((points) => characterAtPoint(text, points))).toEqual([0, 1, 2, 3, 5]);
  });
});
