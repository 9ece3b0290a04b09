// The server itself judges what is thought of each statement: it takes or refuses ALGORITHM and LOCK on a real table.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Finding } from '../../src/migration/finding.ts';
import type { MysqlSession } from '../../src/mysql/connect.ts';
import { splitMysql } from '../../src/mysql-sql/split.ts';
import { Catalog } from '../../src/mysql-lint/catalog.ts';
import { effectOf } from '../../src/mysql-lint/effect.ts';
import { lintMysql } from '../../src/mysql-lint/lint.ts';
import { readStatement } from '../../src/mysql-sql/statement.ts';
import type { Effect, Server } from '../../src/mysql-lint/way.ts';
import { client, mariadb } from '../mariadb.ts';

/** What the tables are before each statement. */
const BEFORE = `
  CREATE TABLE parent (id int PRIMARY KEY);
  CREATE TABLE t (
    id int PRIMARY KEY AUTO_INCREMENT, a int, b int NOT NULL, v varchar(20), w varchar(300), u varchar(20),
    c varchar(20) CHARACTER SET utf8mb3, e enum('a','b'), s set('a','b'), d decimal(10,2), ts timestamp NULL, txt text,
    p int, CONSTRAINT fkp FOREIGN KEY (p) REFERENCES parent (id), KEY ka (a), UNIQUE KEY kb (b), KEY ku (u),
    CONSTRAINT positive CHECK (d > 0)
  ) DEFAULT CHARSET=utf8mb4;
  CREATE TABLE virtual (id int PRIMARY KEY, a int, g int AS (a + 1) VIRTUAL);
  CREATE TABLE keyless (x int NOT NULL, y int NOT NULL);
  CREATE TABLE words (id int PRIMARY KEY, txt text, FULLTEXT KEY (txt));
  CREATE TABLE latin (id int PRIMARY KEY, v varchar(20)) DEFAULT CHARSET=latin1;
  CREATE TABLE old (id int PRIMARY KEY, v varchar(20)) ENGINE=MyISAM;
  INSERT INTO parent VALUES (1);
  INSERT INTO t (a, b, v, w, u, c, e, s, d, txt, p) VALUES (1, 1, 'x', 'y', 'z', 'c', 'a', 'a', 1, 't', 1);
`;

const STATEMENTS = `
  ALTER TABLE t ADD COLUMN x int
  ALTER TABLE t ADD COLUMN x int NOT NULL
  ALTER TABLE t ADD x int NOT NULL DEFAULT 4
  ALTER TABLE t ADD COLUMN x int FIRST
  ALTER TABLE t ADD COLUMN x int AFTER id
  ALTER TABLE t ADD COLUMN IF NOT EXISTS x int
  ALTER TABLE t ADD COLUMN (x int, y int)
  ALTER TABLE t ADD COLUMN x timestamp DEFAULT CURRENT_TIMESTAMP
  ALTER TABLE t ADD COLUMN x varchar(36) DEFAULT (uuid())
  ALTER TABLE t ADD COLUMN x int AS (a + 2) VIRTUAL
  ALTER TABLE t ADD COLUMN x int AS (a + 2) STORED
  ALTER TABLE t ADD COLUMN x int UNIQUE
  ALTER TABLE t ADD COLUMN x int CHECK (x > 0)
  ALTER TABLE t ADD COLUMN x int REFERENCES parent (id)
  ALTER TABLE keyless ADD COLUMN id int AUTO_INCREMENT PRIMARY KEY
  ALTER TABLE words ADD COLUMN x int
  ALTER TABLE virtual ADD COLUMN x int
  ALTER TABLE virtual ADD COLUMN x int FIRST
  ALTER TABLE virtual ADD COLUMN x int, DROP COLUMN g
  ALTER TABLE t DROP COLUMN v
  ALTER TABLE t DROP COLUMN a
  ALTER TABLE t DROP b
  ALTER TABLE virtual DROP COLUMN g
  ALTER TABLE t MODIFY v varchar(30)
  ALTER TABLE t MODIFY v varchar(300)
  ALTER TABLE t MODIFY w varchar(400)
  ALTER TABLE t MODIFY u varchar(40)
  ALTER TABLE t MODIFY v varchar(10)
  ALTER TABLE t MODIFY v varchar(20) NOT NULL
  ALTER TABLE t MODIFY b int
  ALTER TABLE t MODIFY b int NOT NULL
  ALTER TABLE t MODIFY COLUMN a bigint
  ALTER TABLE t MODIFY a int unsigned
  ALTER TABLE t MODIFY a int AFTER b
  ALTER TABLE t MODIFY v varchar(20) FIRST
  ALTER TABLE t MODIFY v varchar(20) DEFAULT 'x'
  ALTER TABLE t MODIFY v varchar(20) COMMENT 'x'
  ALTER TABLE t MODIFY v text
  ALTER TABLE t MODIFY txt mediumtext
  ALTER TABLE t MODIFY c varchar(20) CHARACTER SET utf8mb4
  ALTER TABLE t MODIFY v varchar(20) CHARACTER SET latin1
  ALTER TABLE t MODIFY v varchar(20) COLLATE utf8mb4_bin
  ALTER TABLE t MODIFY u varchar(20) COLLATE utf8mb4_bin
  ALTER TABLE t MODIFY e enum('a','b','c')
  ALTER TABLE t MODIFY e enum('a','c','b')
  ALTER TABLE t MODIFY e enum('a')
  ALTER TABLE t MODIFY s set('a','b','c')
  ALTER TABLE t MODIFY s set('a','b','c','d','e','f','g','h','i')
  ALTER TABLE t MODIFY d decimal(12,2)
  ALTER TABLE t MODIFY ts datetime
  ALTER TABLE t CHANGE v vv varchar(20)
  ALTER TABLE t CHANGE COLUMN v vv varchar(30)
  ALTER TABLE t RENAME COLUMN v TO vv
  ALTER TABLE t RENAME INDEX ka TO kaa
  ALTER TABLE t ALTER COLUMN a SET DEFAULT 4
  ALTER TABLE t ALTER a DROP DEFAULT
  ALTER TABLE t ADD INDEX i (v)
  ALTER TABLE t ADD UNIQUE INDEX i (v)
  ALTER TABLE t ADD FULLTEXT INDEX i (txt)
  ALTER TABLE t DROP INDEX ka
  ALTER TABLE t DROP KEY kb
  ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (id, b)
  ALTER TABLE keyless ADD PRIMARY KEY (x)
  ALTER TABLE keyless DROP COLUMN y
  ALTER TABLE words DROP PRIMARY KEY
  ALTER TABLE t ADD CONSTRAINT f2 FOREIGN KEY (a) REFERENCES parent (id)
  ALTER TABLE t DROP FOREIGN KEY fkp
  ALTER TABLE t ADD CONSTRAINT c2 CHECK (a > 0)
  ALTER TABLE t DROP CONSTRAINT positive
  ALTER TABLE t CONVERT TO CHARACTER SET latin1
  ALTER TABLE latin CONVERT TO CHARACTER SET utf8mb4
  ALTER TABLE latin CONVERT TO CHARACTER SET latin1
  ALTER TABLE t DEFAULT CHARACTER SET latin1
  ALTER TABLE t ENGINE=InnoDB
  ALTER TABLE old ADD COLUMN x int
  ALTER TABLE t FORCE
  ALTER TABLE words FORCE
  ALTER TABLE t ROW_FORMAT=COMPRESSED
  ALTER TABLE t COMMENT='x'
  ALTER TABLE t AUTO_INCREMENT=100
  ALTER TABLE t STATS_PERSISTENT=1
  ALTER TABLE t RENAME TO tt
  ALTER TABLE t ALTER INDEX ka IGNORED
  ALTER TABLE t ADD SYSTEM VERSIONING
  ALTER TABLE t ADD COLUMN x int, ADD INDEX i (x)
  ALTER TABLE t ADD COLUMN x int, DROP COLUMN v
  CREATE INDEX i ON t (v)
  CREATE UNIQUE INDEX i ON t (v(10), a DESC)
  CREATE FULLTEXT INDEX i ON t (txt)
  DROP INDEX ka ON t
`
  .split('\n')
  .map((line) => line.trim())
  .filter(Boolean);

const server = mariadb();
let session: MysqlSession;
beforeAll(async () => {
  session = await client(await server.createDatabase());
});
afterAll(async () => session.close());

/** The best way that the server takes, tried from the best one on. */
const TRIES = [
  ['INSTANT', 'DEFAULT', { way: 'instant', waits: 'none' }],
  ['NOCOPY', 'NONE', { way: 'nocopy', waits: 'none' }],
  ['NOCOPY', 'SHARED', { way: 'nocopy', waits: 'writes' }],
  ['INPLACE', 'NONE', { way: 'rebuild', waits: 'none' }],
  ['INPLACE', 'SHARED', { way: 'rebuild', waits: 'writes' }],
  ['COPY', 'SHARED', { way: 'copy', waits: 'writes' }],
] as const;

/** The tables anew. */
async function reset(): Promise<void> {
  await session.query('DROP DATABASE IF EXISTS judged');
  await session.query('CREATE DATABASE judged');
  await session.query('USE judged');
  for (const one of splitMysql(BEFORE).statements) await session.query(one.sql);
}

async function judged(sql: string): Promise<Omit<Effect, 'isSure'>> {
  await reset();
  for (const [algorithm, lock, effect] of TRIES) {
    // DROP INDEX takes the clauses as part of ALTER TABLE alone.
    const plain = sql.replace(/^DROP INDEX (\w+) ON (\w+)$/, 'ALTER TABLE $2 DROP INDEX $1');
    const comma = plain.startsWith('CREATE') ? '' : ',';
    try {
      await session.query(`${plain}${comma} ALGORITHM=${algorithm}${comma} LOCK=${lock}`);
      return effect;
    } catch (error) {
      // ER_ALTER_OPERATION_NOT_SUPPORTED without and with its reason: nothing was changed.
      const { errno } = error as { readonly errno?: number };
      if (errno !== 1845 && errno !== 1846) throw error;
    }
  }
  throw new Error(`never: ${sql}`);
}

const BREAKING = new Set(['table-renamed', 'table-dropped']);

function lint(sql: string, own: Server): readonly Finding[] {
  const script = { file: 'migrations/2.sql', sql, firstLine: 1, transaction: false };
  return lintMysql([script], { server: own, before: [{ sql: BEFORE }], setsTimeouts: true });
}

describe('the server does what is expected of it', () => {
  test.each(STATEMENTS)('%s', async (sql) => {
    const catalog = new Catalog();
    for (const one of splitMysql(BEFORE).statements) catalog.apply(readStatement(one.sql, 'MariaDB'));
    const reading = readStatement(sql, 'MariaDB');
    if (reading.kind !== 'alter table') throw new Error(`read as ${reading.kind}`);
    const own: Server = session;
    const { way, waits } = effectOf(reading.alterations, catalog.table(reading.table), own);
    const truth = await judged(sql);
    expect({ way, waits }).toEqual(truth);
    const findings = lint(sql, own);
    const isBlocking = truth.way === 'copy' || truth.waits !== 'none';
    expect(findings.some(({ code, lock }) => lock !== undefined && !BREAKING.has(code))).toBe(isBlocking);
    // What is offered to be pasted is what the server takes.
    for (const { code, rewrite } of findings) {
      if (rewrite === undefined || !/^algorithm-missing$|rebuilds/.test(code)) continue;
      await reset();
      await session.query(rewrite.replace(/;$/, ''));
    }
  });
});

// What ALGORITHM does not keep from copying, so that it guards nothing.
test.each([
  ['ALTER TABLE latin ENGINE=MyISAM, ALGORITHM=INSTANT', 'ENGINE=MyISAM'],
  ['ALTER TABLE keyless ALGORITHM=INSTANT PARTITION BY HASH (x) PARTITIONS 4', 'PARTITION BY HASH'],
])('the server copies for all its ALGORITHM=INSTANT: %s', async (sql, made) => {
  await reset();
  await session.query(sql);
  const [row] = await session.query(`SHOW CREATE TABLE ${sql.split(' ')[2]}`);
  expect(row?.['Create Table']).toContain(made);
});
