import { describe, expect, test } from '@jest/globals';
import type { Finding } from '../../src/migration/finding.ts';
import type { KnownTable, LintContext } from '../../src/sql-lint/context.ts';
import { lint } from '../../src/sql-lint/lint.ts';

const CONTEXT: LintContext = { setsTimeouts: true };

async function found(sql: string, context: LintContext & { transaction?: boolean } = {}): Promise<readonly Finding[]> {
  const script = { file: 'db/1.sql', sql, firstLine: 1, transaction: context.transaction ?? false };
  return lint([script], { ...CONTEXT, ...context });
}

async function codes(sql: string, context: LintContext & { transaction?: boolean } = {}): Promise<readonly string[]> {
  return (await found(sql, context)).filter(({ severity }) => severity !== 'notice').map(({ code }) => code);
}

describe('a finding', () => {
  test('says where, what, why, for whom it waits, and what to do', async () => {
    const [finding] = await found('-- x\n\n  CREATE INDEX shipments_carrier\n    ON "Shipments" (carrier_id);');
    expect(finding).toMatchObject({
      code: 'index-not-concurrent',
      severity: 'error',
      place: { file: 'db/1.sql', line: 3, column: 3, endLine: 4 },
      statement: 'CREATE INDEX shipments_carrier\n    ON "Shipments" (carrier_id)',
      lock: { relation: 'Shipments', mode: 'ShareLock' },
      rewrite: expect.stringContaining('CREATE INDEX CONCURRENTLY shipments_carrier\n    ON "Shipments" (carrier_id);'),
    });
  });

  test('of a block stands where its statement does', async () => {
    const [finding] = await found(
      'DO $$\nBEGIN\n  -- ä\n  IF true THEN\n    CREATE INDEX a ON shipments (x);\n  END IF;\nEND $$;',
    );
    expect(finding).toMatchObject({ code: 'index-not-concurrent', place: { line: 5, column: 5 } });
  });

  test('of a mistake stands at its character, and others are found behind it', async () => {
    const all = await found("SELECT 'äö😀' FRM x y;\nALTER TABEL t;\nDROP TABLE t;");
    expect(all.map(({ code, place }) => [code, place.line, place.column])).toEqual([
      ['syntax-error', 1, 19],
      ['syntax-error', 2, 7],
      ['table-dropped', 3, 1],
    ]);
  });

  test('comes first when it is mended first', async () => {
    const sql = `ALTER TABLE a ADD COLUMN x text;
UPDATE b SET x = 1 WHERE y = 2;
CREATE INDEX ON c (x);
-- migrate-db: allow table-dropped because it was empty for a year
DROP TABLE d;
ALTER TABLE e ADD CHECK (x > 0);
SELEC 1;`;
    expect((await found(sql)).map(({ code }) => code)).toEqual([
      'syntax-error',
      'check-scans',
      'index-not-concurrent',
      'update-unbatched',
      'table-dropped',
    ]);
  });
});

describe('what the linter knows beyond the statement', () => {
  const NEW = 'CREATE TABLE t (id int PRIMARY KEY, a text, b varchar(5));';
  const RISKY = [
    'CREATE INDEX ON t (a);',
    'ALTER TABLE t ADD CHECK (id > 0);',
    'ALTER TABLE t ADD c uuid DEFAULT gen_random_uuid();',
    'UPDATE t SET a = 1;',
    'ALTER TABLE t ALTER a SET NOT NULL;',
    'ALTER TABLE t DROP COLUMN a;',
    'ALTER TABLE t RENAME TO u;',
    'DROP TABLE t;',
    'TRUNCATE t;',
    'ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES x (id);',
    'ALTER TABLE t ADD UNIQUE (a);',
    'LOCK TABLE t;',
  ];

  test.each(RISKY)('a table of the same script is exempt: %s', async (sql) => {
    expect(await codes(`${NEW}${sql}`)).toEqual([]);
    expect(await codes(`${NEW}${sql.replaceAll(' t ', ' public.t ')}`)).toEqual([]);
    expect(await codes(sql)).not.toEqual([]);
  });

  test('but not by IF NOT EXISTS, nor in the next script', async () => {
    expect(await codes(`${NEW.replace('TABLE', 'TABLE IF NOT EXISTS')}CREATE INDEX ON t (a);`)).toEqual([
      'index-not-concurrent',
    ]);
    const scripts = [NEW, 'CREATE INDEX ON t (a);'].map((sql, at) => ({
      file: `${at}.sql`,
      sql,
      firstLine: 1,
      transaction: false,
    }));
    expect((await lint(scripts, CONTEXT)).map(({ place }) => place.file)).toEqual(['1.sql']);
  });

  test('types of earlier scripts: what fits is no hazard', async () => {
    const types = async (type: string): Promise<readonly Finding[]> =>
      lint(
        [NEW, `ALTER TABLE t ALTER COLUMN b TYPE ${type};`].map((sql, at) => ({
          file: `${at}`,
          sql,
          firstLine: 1,
          transaction: false,
        })),
        CONTEXT,
      );
    expect(await types('varchar(9)')).toEqual([]);
    expect(await types('text')).toEqual([]);
    expect(await types('varchar(4)')).toMatchObject([{ code: 'column-type-rewrites' }]);
  });

  test('small tables: what grows with the size is no more than a notice, what breaks stays', async () => {
    const sizes = new Map([['t', { relation: 't', rows: 50, bytes: 8192 }]]);
    expect(await codes('CREATE INDEX ON t (a); UPDATE t SET a = 1; ALTER TABLE t DROP COLUMN a;', { sizes })).toEqual([
      'column-dropped',
    ]);
  });

  test('the server’s version', async () => {
    const sql = 'ALTER TABLE t ADD COLUMN a int DEFAULT 5;';
    expect(await codes(sql, { version: 100_000 })).toEqual(['column-default-rewrites']);
    expect(await codes(sql, { version: 110_000 })).toEqual([]);
    const added = "ALTER TYPE e ADD VALUE 'x';";
    expect(await codes(added, { version: 110_000, transaction: true })).toEqual(['cannot-run-in-transaction']);
    expect(await codes(added, { version: 120_000, transaction: true })).toEqual([]);
  });

  test('timeouts: 0 and an hour are none, and one that ends with its transaction is gone', async () => {
    const alter = 'ALTER TABLE t ADD COLUMN a int;';
    const asked = async (before: string): Promise<readonly string[]> =>
      codes(`${before}${alter}`, { setsTimeouts: false });
    expect(await asked('')).toEqual(['lock-timeout-missing']);
    expect(await asked("SET lock_timeout = '3s';")).toEqual([]);
    expect(await asked('SET lock_timeout = 0;')).toEqual(['lock-timeout-too-long']);
    expect(await asked("SET lock_timeout = '1h';")).toEqual(['lock-timeout-too-long']);
    expect(await asked("SELECT set_config('lock_timeout', '500ms', false);")).toEqual([]);
    expect(await asked("BEGIN; SET LOCAL lock_timeout = '3s'; COMMIT;")).toEqual(['lock-timeout-missing']);
    expect(await asked("SET lock_timeout = '3s'; RESET ALL;")).toEqual(['lock-timeout-too-long']);
    expect(await codes(`SET lock_timeout = 0; ${alter}`)).toEqual(['lock-timeout-too-long']);
    expect(await codes('CREATE TABLE t (id int); ALTER TABLE t ADD a int;', { setsTimeouts: false })).toEqual([]);
  });

  test('an index of the foreign key, where the schema is known', async () => {
    const table = (columns: readonly string[]): KnownTable => ({
      kind: 'table',
      columns: {},
      constraints: [],
      indexes: [{ name: 'i', unique: false, columns }],
    });
    const sql = 'ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES x (id) NOT VALID;';
    expect(await codes(sql, { known: new Map([['t', table(['a', 'b'])]]) })).toEqual([]);
    expect(await codes(sql, { known: new Map([['t', table(['b', 'a'])]]) })).toEqual(['foreign-key-without-index']);
    expect(await codes(sql)).toEqual([]);
  });
});

describe('comments that allow', () => {
  const INDEX = 'CREATE INDEX a ON t (b);';

  test('name the hazard and the reason', async () => {
    const [finding] = await found(`-- migrate-db: allow index-not-concurrent because t has 12 rows\n${INDEX}`);
    expect(finding).toMatchObject({ code: 'index-not-concurrent', allowed: 't has 12 rows' });
  });

  test.each([
    ['no reason', '-- migrate-db: allow index-not-concurrent', ['allow-without-reason', 'index-not-concurrent']],
    [
      'no word as reason',
      '-- migrate-db: allow index-not-concurrent because …',
      ['allow-without-reason', 'index-not-concurrent'],
    ],
    ['no such code', '-- migrate-db: allow index because small', ['allow-unknown-code', 'index-not-concurrent']],
    ['another word', '-- migrate-db: ignore', ['allow-without-reason', 'index-not-concurrent']],
    [
      'another hazard',
      '-- migrate-db: allow table-dropped because it is old',
      ['index-not-concurrent', 'allow-unused'],
    ],
  ])('but not with %s', async (_, comment, wanted) => {
    const all = await found(`${comment}\n${INDEX}`);
    expect(all.map(({ code }) => code)).toEqual(wanted);
    expect(all.every(({ allowed }) => allowed === undefined)).toBe(true);
  });

  test.each(['table-scanned-under-lock', 'table-rewrites'])(
    'allow %s, which a rehearsal may tell where the text shows nothing',
    async (code) => {
      const all = await found(`-- migrate-db: allow ${code} because the table is read at night alone\nSELECT fill();`);
      expect(all.map((one) => one.code)).toEqual(['opaque-sql', code]);
      expect(all[1]).toMatchObject({
        severity: 'notice',
        allowed: 'the table is read at night alone',
        place: { line: 2 },
      });
    },
  );

  test('allow for one statement alone, and stand above one', async () => {
    const comment = '-- migrate-db: allow index-not-concurrent because t has 12 rows';
    const all = await found(`${comment}\n${INDEX}\n${INDEX}\n${comment}`);
    expect(all.map(({ code, place, allowed }) => [code, place.line, allowed !== undefined])).toEqual([
      ['index-not-concurrent', 3, false],
      ['allow-unused', 4, false],
      ['index-not-concurrent', 2, true],
    ]);
  });
});
