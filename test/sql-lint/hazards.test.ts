import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { EXAMPLES } from '../../scripts/hazard-examples.ts';
import { HAZARDS_PAGE, hazardsPage, onExample } from '../../scripts/hazards.ts';
import { HAZARDS } from '../../src/sql-lint/hazards.ts';
import { lint } from '../../src/sql-lint/lint.ts';
import { type Parser, openParser } from '../../src/sql/parser.ts';
import { splitScript } from '../../src/sql/split.ts';

/** Too large to stand in a table. */
const LARGE = new Set(['script-too-large', 'statement-too-long']);
const codes = Object.keys(HAZARDS) as (keyof typeof HAZARDS)[];

describe('each hazard', () => {
  let parser: Parser;
  beforeAll(async () => {
    parser = await openParser();
  });

  test.each(codes.filter((code) => !LARGE.has(code)))('%s is found in its example', async (code) => {
    const finding = (await onExample(code)).find((one) => one.code === code);
    expect(finding).toBeDefined();
    expect(finding?.source).toBe('lint');
    for (const text of [finding?.message, finding?.why, finding?.remedy]) expect(text).toMatch(/\S/);
  });

  test.each(codes.filter((code) => !LARGE.has(code)))(
    '%s has a safe form that can be parsed, and that is safe',
    async (code) => {
      const rewrite = (await onExample(code)).find((one) => one.code === code)?.rewrite;
      if (rewrite === undefined) return;
      for (const { sql } of splitScript(rewrite).statements)
        expect([sql, parser.parse(sql)]).toEqual([sql, { node: expect.anything() }]);
      const { sql: _, ...more } = EXAMPLES[code];
      const script = { file: 'x.sql', sql: rewrite, firstLine: 1, transaction: false };
      const again = await lint([script], {
        setsTimeouts: true,
        ...('version' in more && more.version !== undefined && { version: more.version }),
      });
      const left = again.filter((one) => one.code === code && one.severity !== 'notice');
      expect(left).toHaveLength(LATER.has(code) ? 1 : 0);
    },
  );

  test('stands on the page of all hazards, as the sources say it', async () => {
    const page = readFileSync(path.resolve(import.meta.dirname, '../..', HAZARDS_PAGE), 'utf8');
    // Where this fails: npm run docs
    expect(page).toBe(await hazardsPage());
    for (const code of codes) expect(page).toContain(`\n## ${code}\n`);
  });
});

/** Their safe form has a name in the old place: the hazard stands, and is harmless with what comes beside it. */
const LATER = new Set<string>(['table-renamed']);
