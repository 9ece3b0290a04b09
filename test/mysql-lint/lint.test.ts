import { describe, expect, test } from '@jest/globals';
import type { Finding } from '../../src/migration/finding.ts';
import { type MysqlLintContext, lintMysql } from '../../src/mysql-lint/lint.ts';

const BEFORE = `CREATE TABLE shipments (
  id bigint NOT NULL AUTO_INCREMENT, carrier varchar(20) NOT NULL, state enum('new','sent') NOT NULL, price int,
  note varchar(60), sku varchar(20), PRIMARY KEY (id), UNIQUE KEY sku (sku)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE carriers (id bigint PRIMARY KEY, name varchar(40)) DEFAULT CHARSET=utf8mb4;`;
const MARIADB = { flavour: 'MariaDB', version: 101_119 } as const;

function lint(sql: string, context: MysqlLintContext = {}): readonly Finding[] {
  const script = { file: 'migrations/2.sql', sql, firstLine: 1, transaction: false };
  return lintMysql([script], { before: [{ sql: BEFORE }], setsTimeouts: true, ...context });
}
const codes = (sql: string, context?: MysqlLintContext): readonly string[] =>
  lint(sql, context).map(({ code }) => code);

describe('hazards on MySQL 8', () => {
  test.each<readonly [string, readonly string[]]>([
    ['ALTER TABLE shipments ADD COLUMN weight int', ['algorithm-missing']],
    ['ALTER TABLE shipments ADD COLUMN weight int, ALGORITHM=INSTANT', []],
    ['ALTER TABLE shipments ADD COLUMN weight int NOT NULL, ALGORITHM=INSTANT', ['column-not-null-without-default']],
    ['ALTER TABLE shipments ADD COLUMN weight int NOT NULL DEFAULT 0, ALGORITHM=INSTANT', []],
    ['ALTER TABLE shipments MODIFY price bigint', ['column-type-copies']],
    ['ALTER TABLE shipments MODIFY price bigint, ALGORITHM=INPLACE, LOCK=NONE', ['algorithm-refused']],
    ['ALTER TABLE shipments MODIFY note varchar(63)', ['algorithm-missing']],
    ['ALTER TABLE shipments MODIFY note varchar(64)', ['column-type-copies']],
    ['ALTER TABLE shipments MODIFY note varchar(40)', ['column-type-copies']],
    ['ALTER TABLE shipments MODIFY carrier varchar(20) CHARACTER SET latin1 NOT NULL', ['charset-copies']],
    ['ALTER TABLE shipments CONVERT TO CHARACTER SET utf8', ['charset-copies', 'utf8-three-bytes']],
    ["ALTER TABLE shipments MODIFY state enum('new','sent','lost') NOT NULL, ALGORITHM=INSTANT", []],
    ["ALTER TABLE shipments MODIFY state enum('lost','new','sent') NOT NULL", ['enum-copies']],
    ["ALTER TABLE shipments MODIFY state enum('new') NOT NULL", ['enum-copies']],
    ['ALTER TABLE shipments MODIFY price int NOT NULL', ['not-null-breaks-writers', 'alter-rebuilds-table']],
    ['ALTER TABLE shipments MODIFY price int AFTER id', ['column-order-rebuilds']],
    ['ALTER TABLE shipments DROP PRIMARY KEY, ADD PRIMARY KEY (id, carrier)', ['primary-key-rebuilds']],
    ['ALTER TABLE shipments DROP PRIMARY KEY', ['primary-key-rebuilds']],
    ['ALTER TABLE shipments ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES carriers (id)', ['foreign-key-copies']],
    [
      'SET foreign_key_checks = 0; ALTER TABLE shipments ADD FOREIGN KEY (id) REFERENCES carriers (id)',
      ['algorithm-missing'],
    ],
    ['ALTER TABLE shipments ADD CHECK (price > 0)', ['check-copies']],
    ['ALTER TABLE shipments ADD FULLTEXT INDEX words (note)', ['alter-blocks-writes']],
    ['ALTER TABLE shipments ENGINE=InnoDB', ['alter-rebuilds-table']],
    ['ALTER TABLE shipments FORCE, ALGORITHM=INPLACE, LOCK=NONE', ['alter-rebuilds-table']],
    ['ALTER TABLE shipments ADD INDEX i (price), ALGORITHM=INPLACE', []],
    ['ALTER TABLE shipments ADD FULLTEXT INDEX i (note), ALGORITHM=INPLACE', ['alter-blocks-writes']],
    ['ALTER TABLE shipments ENGINE=MyISAM, ALGORITHM=INSTANT', ['alter-copies-table', 'engine-unsafe']],
    ['ALTER TABLE shipments PARTITION BY HASH (id) PARTITIONS 4', ['alter-copies-table']],
    ['ALTER TABLE shipments ORDER BY price', ['alter-copies-table']],
    ['ALTER TABLE shipments ADD COLUMN weight int, LOCK=EXCLUSIVE', ['alter-blocks-writes']],
    ['ALTER TABLE shipments ADD COLUMN weight int, ALGORITHM=COPY', ['alter-copies-table']],
    ['ALTER TABLE shipments FROBNICATE', ['alter-copies-table']],
    ['CREATE INDEX by_price ON shipments (price)', ['algorithm-missing']],
    ['CREATE INDEX by_price ON shipments (price) ALGORITHM=INPLACE LOCK=NONE', []],
    ['CREATE UNIQUE INDEX by_price ON shipments (price) LOCK=NONE', ['unique-index-data']],
    ['ALTER TABLE shipments DROP COLUMN price, ALGORITHM=INSTANT', ['column-dropped']],
    ['ALTER TABLE shipments RENAME COLUMN price TO cost, ALGORITHM=INSTANT', ['column-renamed']],
    ['ALTER TABLE shipments CHANGE price cost int, ALGORITHM=INSTANT', ['column-renamed']],
    ['RENAME TABLE shipments TO parcels', ['table-renamed']],
    ['ALTER TABLE shipments RENAME parcels, ALGORITHM=INSTANT', ['table-renamed']],
    ['DROP TABLE shipments', ['table-dropped']],
    ['DROP TEMPORARY TABLE shipments', []],
    ['DROP VIEW IF EXISTS v', ['object-dropped']],
    ['TRUNCATE shipments', ['truncate']],
    ['UPDATE shipments SET price = 0', ['update-all-rows']],
    ["UPDATE shipments SET price = 0 WHERE carrier = 'x'", ['update-unbatched']],
    ['UPDATE shipments SET price = 0 WHERE id = 4', []],
    ["UPDATE shipments SET price = 0 WHERE sku IN ('a', 'b') AND price > 1", []],
    ['UPDATE shipments SET price = 0 WHERE id = 4 OR price = 1', ['update-unbatched']],
    ['UPDATE shipments SET price = 0 WHERE price IS NULL LIMIT 1000', []],
    ['DELETE FROM shipments', ['delete-all-rows']],
    ['DELETE FROM shipments WHERE price < 4', ['delete-unbatched']],
    ['WITH old AS (SELECT 1) DELETE FROM shipments', ['delete-all-rows']],
    ["INSERT INTO shipments (carrier) VALUES ('SELECT FROM')", []],
    ['INSERT INTO carriers SELECT id, carrier FROM shipments', ['select-locks-source']],
    ['CREATE TABLE copies AS SELECT * FROM shipments', ['select-locks-source']],
    ['LOCK TABLES shipments WRITE', ['lock-table']],
    ['OPTIMIZE TABLE shipments', ['alter-rebuilds-table']],
    ['CREATE TABLE notes (id int PRIMARY KEY, t text) CHARSET=utf8', ['utf8-three-bytes']],
    ['CREATE TABLE notes (id int PRIMARY KEY) ENGINE=MyISAM', ['engine-unsafe']],
    ['CALL tidy()', ['opaque-sql']],
    ['CREATE TRIGGER t BEFORE INSERT ON shipments FOR EACH ROW BEGIN SET NEW.price = 1; END;', ['trigger-created']],
    ['BEGIN; INSERT INTO carriers VALUES (1, 2); DROP VIEW v', ['object-dropped', 'ddl-commits']],
    ['/*!40101 ALTER TABLE shipments MODIFY price bigint */', ['column-type-copies']],
    ["SELECT 'x", ['syntax-error']],
    ['source other.sql', ['client-command']],
  ])('%s', (sql, expected) => {
    expect(codes(sql)).toEqual(expected);
  });
});

describe('what is known counts', () => {
  test('a table of the same migration is free, whatever is done to it', () => {
    expect(
      codes(
        'CREATE TABLE notes (id int PRIMARY KEY, t varchar(10)); ALTER TABLE notes MODIFY t text; CREATE INDEX i ON notes (t(5)); UPDATE notes SET t = 1; DROP TABLE notes;',
      ),
    ).toEqual([]);
  });

  test('but one that IF NOT EXISTS may have found is not', () => {
    const sql = 'CREATE TABLE IF NOT EXISTS notes (id int, t varchar(10)); CREATE INDEX i ON notes (t);';
    expect(codes(sql)).toEqual(['several-ddl', 'algorithm-missing']);
  });

  test('the server: MariaDB lengthens at once, and an old MySQL writes the table anew', () => {
    const sql = 'ALTER TABLE shipments MODIFY note varchar(64)';
    expect(codes(sql, { server: MARIADB })).toEqual(['algorithm-missing']);
    const column = 'ALTER TABLE shipments ADD COLUMN weight int';
    expect(codes(column, { server: { flavour: 'MySQL', version: 50_744 } })).toEqual(['alter-rebuilds-table']);
    expect(lint(column, { server: MARIADB })[0]?.rewrite).toBe(`${column}, ALGORITHM=INSTANT;`);
  });

  test('of an unknown table the worst is assumed, and said so', () => {
    expect(lint('ALTER TABLE orders MODIFY price bigint')).toMatchObject([
      { code: 'column-type-copies', severity: 'error', message: expect.stringContaining('unless it is as it was') },
    ]);
    expect(codes('ALTER TABLE orders MODIFY price bigint, ALGORITHM=INSTANT')).toEqual([]);
  });

  test('a small table makes a copy no more than a notice', () => {
    const sizes = [{ table: 'shipments', rows: 100, bytes: 16_384 }];
    expect(lint('ALTER TABLE shipments MODIFY price bigint', { sizes })).toMatchObject([{ severity: 'notice' }]);
  });

  test('the time for a lock is asked for once, unless it is set', () => {
    const sql = 'ALTER TABLE shipments ADD a int, ALGORITHM=INSTANT; ALTER TABLE carriers ADD a int, ALGORITHM=INSTANT';
    expect(codes(sql, { setsTimeouts: false })).toEqual(['lock-timeout-missing', 'several-ddl']);
    expect(codes(`SET SESSION lock_wait_timeout = 2; ${sql}`, { setsTimeouts: false })).toEqual(['several-ddl']);
  });
});

describe('findings', () => {
  test('stand where the statement does, with what waits and the contract phase', () => {
    const sql = '# a comment\n\n  DROP TABLE\n    shipments;';
    expect(lint(sql)).toMatchObject([
      {
        place: { file: 'migrations/2.sql', line: 3, column: 3, endLine: 4 },
        lock: { relation: 'shipments', mode: 'AccessExclusiveLock' },
        phase: 'contract',
        source: 'lint',
      },
    ]);
  });

  test('are allowed with a reason, for MySQL as for PostgreSQL', () => {
    const allowed =
      '-- migrate-db: allow column-type-copies because nobody writes on Sundays\nALTER TABLE shipments MODIFY price bigint';
    expect(lint(allowed)).toMatchObject([{ code: 'column-type-copies', allowed: 'nobody writes on Sundays' }]);
    expect(codes('-- migrate-db: allow column-type-copies\nALTER TABLE shipments MODIFY price bigint')).toEqual([
      'allow-without-reason',
      'column-type-copies',
    ]);
    expect(codes('# migrate-db: allow truncate because why not\nSELECT 1')).toEqual(['allow-unused']);
  });

  test('come with what blocks most first', () => {
    expect(codes('UPDATE shipments SET price = 0; ALTER TABLE shipments ADD a int; DROP TABLE shipments;')).toEqual([
      'table-dropped',
      'update-all-rows',
      'several-ddl',
      'algorithm-missing',
    ]);
  });
});

test('1,000 statements are judged in a moment, and no more than 1,000 findings told', () => {
  const sql = Array.from({ length: 1000 }, (_, n) => `ALTER TABLE shipments ADD COLUMN c${n} int;`).join('\n');
  const started = performance.now();
  expect(lint(sql)).toHaveLength(1000);
  expect(performance.now() - started).toBeLessThan(3000);
});
