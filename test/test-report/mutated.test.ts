import { expect, test } from '@jest/globals';
import { parseCobertura } from '../../src/coverage/cobertura.ts';
import { parseDiff } from '../../src/coverage/changed.ts';
import { parseIstanbul } from '../../src/coverage/istanbul.ts';
import { parseLcov } from '../../src/coverage/lcov.ts';
import { parseEvents } from '../../src/test-report/events.ts';
import { gist } from '../../src/test-report/gist.ts';
import { parseJsonReport } from '../../src/test-report/json.ts';
import { parseJunit } from '../../src/test-report/junit.ts';
import { placeOf } from '../../src/test-report/place.ts';
import { crash, hung } from '../../src/test-report/trouble.ts';

const JUNIT = `<testsuites><testsuite name="pytest" file="a.py"><testcase classname="c" name="t" time="1" line="3"><failure message="no">E at a.py:3: x</failure></testcase></testsuite></testsuites>`;
const COBERTURA = `<coverage line-rate="1"><sources><source>/w</source></sources><class filename="a"><line number="1" hits="2"/></class></coverage>`;
const JEST = {
  testResults: [
    {
      name: 'a',
      status: 'failed',
      message: 'm',
      assertionResults: [
        {
          ancestorTitles: ['x'],
          title: 't',
          status: 'failed',
          failureMessages: ['f'],
          location: { line: 3 },
          invocations: 2,
        },
      ],
    },
  ],
};
const PLAYWRIGHT = {
  config: { rootDir: '/w' },
  suites: [
    {
      title: 'a',
      file: 'b',
      specs: [
        {
          title: 't',
          file: 'f',
          line: 1,
          tests: [{ status: 'unexpected', results: [{ duration: 1, errors: [{ message: 'm' }] }] }],
        },
      ],
      suites: [],
    },
  ],
};
const MOCHA = {
  stats: {},
  tests: [{ fullTitle: 't', file: 'f', duration: 1, err: { stack: 's' } }],
  failures: [{ fullTitle: 't' }],
  pending: [],
};
const FINAL = { '/w/a.js': { path: '/w/a.js', statementMap: { 0: { start: { line: 1 } } }, s: { 0: 1 } } };
const EVENT = {
  type: 'test',
  file: 'a',
  titles: ['b'],
  status: 'failed',
  ms: 1,
  failure: 'x',
  expected: '1',
  actual: '2',
};
const DIFF = '--- a/x\n+++ b/x\n@@ -1,2 +3,4 @@ f\n-a\n+b\n';

/** Numbers that are the same in every run (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const ODD = [
  '',
  '\0',
  '\u001b[31m',
  '::error::x',
  '<',
  '&',
  ']]>',
  '{',
  '"',
  '-1',
  '1e999',
  'NaN',
  '../../etc/passwd',
  '\n',
  '￿',
  '𝒳',
];

function mutateText(value: string, next: () => number): string {
  let text = value;
  for (let i = 0; i < 1 + next() * 4; i += 1) {
    const at = Math.floor(next() * text.length);
    const odd = ODD[Math.floor(next() * ODD.length)] ?? '';
    text = text.slice(0, at) + odd + text.slice(at + Math.floor(next() * 6));
  }
  return text;
}

const VALUES: readonly unknown[] = [null, [], {}, 0, -1, 1e308, true, 'x', '', [null], { a: 1 }, ['x', 1], '__proto__'];

function mutateValue(value: unknown, next: () => number): unknown {
  if (next() < 0.1) return VALUES[Math.floor(next() * VALUES.length)];
  if (Array.isArray(value)) return value.map((one) => mutateValue(one, next));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, mutateValue(one, next)]));
}

/** XML and JSON parsers say what is wrong by an Error of one line; anything else is a fault of ours. */
function told(parse: () => unknown): unknown {
  try {
    return parse();
  } catch (error) {
    if (error instanceof Error && /^(?:is |names )/.test(error.message)) return undefined;
    throw error;
  }
}

test('whatever a report holds, a parser gives results or says what is wrong', () => {
  const next = random(7);
  for (let i = 0; i < 3000; i += 1) {
    const results = [
      told(() => parseJunit(mutateText(JUNIT, next))),
      ...[JEST, PLAYWRIGHT, MOCHA].map((report) => parseJsonReport(mutateValue(report, next))),
      parseEvents(mutateText(JSON.stringify(EVENT), next)).results,
      parseEvents(JSON.stringify(mutateValue(EVENT, next))).results,
    ].flatMap((found) => (Array.isArray(found) ? found : []));
    for (const result of results) {
      expect(typeof result.name).toBe('string');
      expect(['passed', 'failed', 'skipped']).toContain(result.status);
      expect(gist(result)).not.toContain('\n');
      expect(placeOf(result, '/w/app', '/w')?.file ?? '').not.toMatch(/^(?:\/|\.\.)/);
    }
    told(() => parseCobertura(mutateText(COBERTURA, next)));
    told(() => parseLcov(mutateText('SF:a\nDA:1,1\nend_of_record\n', next)));
    const final = told(() => parseIstanbul(mutateValue(FINAL, next)));
    expect(JSON.stringify(final) ?? '').not.toContain('null');
    parseDiff(mutateText(DIFF, next));
    crash([], mutateText('worker process was terminated', next), { failed: 0 });
    hung([], mutateText('tests/test_a.py ..', next), 1);
  }
});

test('long lines take no time', () => {
  const started = process.hrtime.bigint();
  const long = 'a.py '.repeat(20_000);
  hung([], long, 1);
  hung([], `Timeout (0:00:01)!\n  File "${'x'.repeat(100_000)}`, 1);
  crash([], `worker process ${'terminate '.repeat(20_000)}`, { failed: 0 });
  gist({ failure: `expect(${'- '.repeat(50_000)}` });
  parseDiff(`@@ -${'1'.repeat(100_000)}`);
  parseLcov(`${'TN:\n'.repeat(30_000)}x`);
  expect(Number(process.hrtime.bigint() - started) / 1e6).toBeLessThan(2000);
});
