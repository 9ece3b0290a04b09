import { describe, expect, test } from '@jest/globals';
import { splitMysql } from '../../src/mysql-sql/split.ts';

const parts = (sql: string): readonly string[] => splitMysql(sql).statements.map((one) => one.sql);

describe('a script is cut', () => {
  test.each([
    ['at semicolons', 'SELECT 1; SELECT 2;', ['SELECT 1', 'SELECT 2']],
    ['outside quotes', 'SELECT \';\', "a;\\";b", `c;``d` ; SELECT 2', ['SELECT \';\', "a;\\";b", `c;``d`', 'SELECT 2']],
    [
      'outside comments',
      'SELECT 1 # a;\n + 2 -- b;\n + /* c; */ 3; SELECT 4',
      ['SELECT 1 # a;\n + 2 -- b;\n + /* c; */ 3', 'SELECT 4'],
    ],
    ['two dashes without a space are minus minus', 'SELECT 5--1; SELECT 2', ['SELECT 5--1', 'SELECT 2']],
    [
      'comments that the server runs are statements',
      '/*!40101 SET NAMES utf8mb4; */; SELECT 1',
      ['/*!40101 SET NAMES utf8mb4; */', 'SELECT 1'],
    ],
    [
      'at the delimiter that was set',
      'DELIMITER $$\nCREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET NEW.x = 1; END$$\nDELIMITER ;\nSELECT 1;',
      ['CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET NEW.x = 1; END', 'SELECT 1'],
    ],
    ['a delimiter right behind a name', 'DELIMITER $$\nSELECT a FROM b$$ SELECT 2$$', ['SELECT a FROM b', 'SELECT 2']],
    [
      'after a routine, without any delimiter',
      'CREATE DEFINER=`root`@`%` PROCEDURE p() BEGIN IF 1 THEN SELECT CASE 1 WHEN 1 THEN 2 END; END IF; CASE 1 WHEN 1 THEN SELECT 1; END CASE; WHILE 0 DO SELECT 2; END WHILE; END; SELECT 3;',
      [
        'CREATE DEFINER=`root`@`%` PROCEDURE p() BEGIN IF 1 THEN SELECT CASE 1 WHEN 1 THEN 2 END; END IF; CASE 1 WHEN 1 THEN SELECT 1; END CASE; WHILE 0 DO SELECT 2; END WHILE; END',
        'SELECT 3',
      ],
    ],
    ['BEGIN of a transaction is a statement', 'BEGIN; SELECT 1; COMMIT;', ['BEGIN', 'SELECT 1', 'COMMIT']],
    ['names may begin with digits', 'SELECT * FROM 2fa; SELECT 2', ['SELECT * FROM 2fa', 'SELECT 2']],
  ])('%s', (_, sql, expected) => {
    expect(parts(sql)).toEqual(expected);
  });

  test('with lines, columns and the comments above', () => {
    const { statements, trailing } = splitMysql(
      '# first\nSELECT 1;\n\n-- migrate-db: allow truncate because test\n  SELECT\n 2; -- end',
      10,
    );
    expect(statements).toMatchObject([
      { line: 11, column: 1, endLine: 11, comments: [{ text: 'first', line: 10 }] },
      { line: 14, column: 3, endLine: 15, comments: [{ text: 'migrate-db: allow truncate because test', line: 13 }] },
    ]);
    expect(trailing).toEqual([]);
  });

  test('and what is odd is told', () => {
    expect(splitMysql("source a.sql\nSELECT 'x").oddities).toEqual([
      { kind: 'client-command', what: 'source a.sql', offset: 0 },
      { kind: 'unterminated', what: 'string', offset: 20 },
    ]);
    expect(splitMysql('/* never').oddities).toMatchObject([{ what: 'comment' }]);
  });

  test('of 20 MB in seconds', () => {
    const sql = "INSERT INTO a VALUES (1, 'x;y');\n".repeat(600_000);
    const started = performance.now();
    expect(splitMysql(sql).statements).toHaveLength(600_000);
    expect(performance.now() - started).toBeLessThan(60_000);
  }, 90_000);
});
