import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import type { Finding } from '../../src/migration/finding.ts';
import { sarifOf } from '../../src/migrate-db/sarif.ts';

/** The schema of OASIS, as Microsoft publishes it with its matchers. */
const published = createRequire(import.meta.url).resolve('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json');
// It is of draft 4, of which Ajv 8 knows all that it uses under other names.
const { $schema: _, id: __, ...schema } = JSON.parse(readFileSync(published, 'utf8')) as Record<string, unknown>;
// One of its patterns is none to a strict reader.
const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
addFormats.default(ajv);
const isSarif = ajv.compile(schema);

const finding: Finding = {
  code: 'index-not-concurrent',
  severity: 'error',
  place: { file: 'db/ä b.sql', line: 4, column: 3, endLine: 5 },
  message: 'the index is built while writes wait',
  why: 'All writes to shipments wait.',
  remedy: 'Build it CONCURRENTLY.',
  source: 'lint',
};

describe('findings as SARIF', () => {
  const log = sarifOf(
    [finding, { ...finding, place: { file: 'x.js' }, allowed: 'empty table', severity: 'notice' }],
    '0.1.0',
  );

  test('follow the published schema', () => {
    isSarif(log);
    expect(isSarif.errors).toBeNull();
    expect(isSarif({ ...log, version: '3' })).toBe(false);
    expect(isSarif(sarifOf([], '0.1.0'))).toBe(true);
  });

  test('stand where they are, by addresses that code scanning understands, and keep who allowed them', () => {
    expect(log).toMatchObject({
      runs: [
        {
          results: [
            {
              ruleId: 'index-not-concurrent',
              level: 'error',
              locations: [
                {
                  physicalLocation: {
                    artifactLocation: { uri: 'db/%C3%A4%20b.sql' },
                    region: { startLine: 4, startColumn: 3, endLine: 5 },
                  },
                },
              ],
            },
            { level: 'note', suppressions: [{ kind: 'inSource', justification: 'empty table' }] },
          ],
        },
      ],
    });
  });

  test('are no more than GitHub takes', () => {
    const { runs } = sarifOf(
      Array.from({ length: 6000 }, () => finding),
      '0.1.0',
    ) as { runs: { results: unknown[] }[] };
    expect(runs[0]?.results).toHaveLength(5000);
  });
});
