import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { findTestReports } from '../../src/test-report/find.ts';
import { parseJsonReport } from '../../src/test-report/json.ts';
import { parseJunit } from '../../src/test-report/junit.ts';
import { placeOf } from '../../src/test-report/place.ts';
import { summarize } from '../../src/test-report/result.ts';

let folder = '';
beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'test-report-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('reports that runners really wrote', () => {
  const nodeTest = `import test from 'node:test';
import assert from 'node:assert';
test('cart', async (t) => {
  await t.test('adds', () => {});
  await t.test('breaks', () => {
    assert.equal(1, 2, 'one is <not> two');
  });
});
test('later', { skip: true }, () => {});
`;

  test('node:test in JUnit XML: the failing assertion is found by line', () => {
    write('test/cart.test.mjs', nodeTest);
    const args = ['--test', '--test-reporter=junit', '--test-reporter-destination=junit.xml'];
    // Under jest, NODE_OPTIONS and its own test context must not reach the child.
    const { status } = spawnSync(process.execPath, args, { cwd: folder, env: { PATH: process.env['PATH'] ?? '' } });
    expect(status).toBe(1);
    const { files, results } = findTestReports(folder, 0);
    expect(files).toEqual(['junit.xml']);
    const { failures, flaky, ...counts } = summarize(results);
    expect(flaky).toEqual([]);
    expect(counts).toEqual({ passed: 1, failed: 1, skipped: 1 });
    const [failure] = failures;
    expect(failure?.name).toBe('cart › breaks');
    expect(failure?.failure).toContain('one is <not> two');
    expect(failure && placeOf(failure, folder, folder)).toMatchObject({ file: 'test/cart.test.mjs', line: 6 });
  });

  test('jest in JSON', () => {
    write('package.json', '{"type":"commonjs"}');
    write(
      'cart.test.js',
      `describe('cart', () => {
  test('adds', () => {});
  test('breaks', () => {
    expect(1).toBe(2);
  });
  test.skip('later', () => {});
});`,
    );
    write('broken.test.js', 'syntax error here');
    const jest = path.resolve(import.meta.dirname, '../../node_modules/jest/bin/jest.js');
    const args = [jest, '--json', '--outputFile=test-results.json', '--rootDir', folder];
    spawnSync(process.execPath, args, { cwd: folder, env: { PATH: process.env['PATH'] ?? '' }, timeout: 60_000 });
    const { results } = findTestReports(folder, 0);
    const { failures, flaky, ...counts } = summarize(results);
    expect(flaky).toEqual([]);
    expect(counts).toEqual({ passed: 1, failed: 2, skipped: 1 });
    const breaks = failures.find(({ name }) => name === 'cart › breaks');
    expect(breaks && placeOf(breaks, folder, folder)).toMatchObject({ file: 'cart.test.js', line: 4 });
    const unloadable = failures.find(({ name }) => name.endsWith('broken.test.js'));
    expect(unloadable && placeOf(unloadable, folder, folder)).toMatchObject({ file: 'broken.test.js' });
  });
});

describe('JUnit', () => {
  test('suites nest, errors count as failures and the first failure is the one told', () => {
    const results = parseJunit(`<testsuites><testsuite name="a" file="a.py"><testsuite name="b">
      <testcase name="t1" time="0.5"><error message="boom">boom
at a.py:7</error><failure message="again"/></testcase>
      <testcase name="t2"><skipped/></testcase></testsuite></testsuite><testcase name="t3" line="4"/></testsuites>`);
    expect(results).toEqual([
      { name: 'a › b › t1', status: 'failed', seconds: 0.5, file: 'a.py', failure: 'boom\nat a.py:7' },
      { name: 'a › b › t2', status: 'skipped', file: 'a.py' },
      { name: 't3', status: 'passed', line: 4 },
    ]);
  });

  test('a failure in CDATA without a message is told by its text', () => {
    const results = parseJunit(
      '<testsuite><testcase name="t"><failure><![CDATA[a < b]]></failure></testcase></testsuite>',
    );
    expect(results?.[0]?.failure).toBe('a < b');
  });

  test('other XML is no report, and broken XML is an error', () => {
    expect(parseJunit('<project><testcase name="x"/></project>')).toBeUndefined();
    expect(() => parseJunit('<testsuite><testcase>')).toThrow(/[Uu]nclosed/);
    expect(() => parseJunit('<testsuite>'.repeat(300))).toThrow('deeper than 200');
  });

  test('entities that a document declares are never expanded', () => {
    const bomb = `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><testsuite><testcase name="&b;"/></testsuite>`;
    expect(() => parseJunit(bomb)).toThrow(/entity/i);
  });

  test('a very long failure is cut', () => {
    const long = `<testsuite><testcase name="t"><failure>${'x'.repeat(100_000)}</failure></testcase></testsuite>`;
    expect(parseJunit(long)?.[0]?.failure).toHaveLength(20_000);
  });
});

describe('JSON', () => {
  test("mocha's report", () => {
    const breaks = {
      fullTitle: 'cart breaks',
      file: '/w/cart.js',
      duration: 1,
      err: { stack: 'Error: x\n at /w/cart.js:2:7' },
    };
    const report = {
      stats: { tests: 3 },
      tests: [{ fullTitle: 'cart adds', duration: 2, err: {} }, breaks, { fullTitle: 'cart later', err: {} }],
      pending: [{ fullTitle: 'cart later' }],
      failures: [breaks],
    };
    const results = parseJsonReport(report) ?? [];
    expect(results.map(({ status }) => status)).toEqual(['passed', 'failed', 'skipped']);
    expect(results[1]).toMatchObject({ seconds: 0.001, failure: breaks.err.stack });
  });

  test.each([[null], [[]], [{}], [{ testResults: 3 }], [{ stats: {}, tests: 1 }]])('%j is no report', (value) => {
    expect(parseJsonReport(value)).toBeUndefined();
  });

  test('hostile forms inside a report do no harm', () => {
    const results = parseJsonReport({
      testResults: [null, { name: 4, assertionResults: [null, { title: {}, status: 'odd', failureMessages: 'x' }] }],
    });
    expect(results).toEqual([{ name: '', status: 'skipped' }]);
  });
});

describe('finding', () => {
  test('reports of an earlier run and of dependencies are left alone, broken ones are told', () => {
    const report = '<testsuite><testcase name="t"/></testsuite>';
    write('build/test-results/test/TEST-a.xml', report);
    write('old-junit.xml', report);
    write('node_modules/x/junit.xml', report);
    write('junit-cut.xml', '<testsuite><testcase');
    write('tsconfig.test.json', '{"compilerOptions": {}}');
    utimesSync(path.join(folder, 'old-junit.xml'), 1000, 1000);
    const { files, unreadable } = findTestReports(folder, Date.now() - 60_000);
    expect(files).toEqual(['build/test-results/test/TEST-a.xml']);
    expect(unreadable).toHaveLength(1);
    expect(unreadable[0]).toContain('junit-cut.xml');
  });
});

test('reports beyond the bounds are told and not read', () => {
  const report = (bytes: number): string => JSON.stringify({ testResults: [], rest: 'x'.repeat(bytes) });
  write('report-0.json', report(20_000_000));
  for (const name of ['a', 'b', 'c']) write(`report-${name}.json`, report(19_000_000));
  const { files, unreadable } = findTestReports(folder, 0);
  expect(unreadable[0]).toBe('report-0.json is larger than 20 MB');
  expect(unreadable.at(-1)).toContain('report-c.json is left out');
  expect(files).toEqual(['report-a.json', 'report-b.json']);
});

test('a link is no report, wherever it leads', () => {
  write('real.txt', '<testsuite><testcase name="t"/></testsuite>');
  symlinkSync('real.txt', path.join(folder, 'junit.xml'));
  symlinkSync('/', path.join(folder, 'test-results'));
  expect(findTestReports(folder, 0)).toEqual({ files: [], results: [], unreadable: [] });
});

test('a failure in JSON is cut too', () => {
  const failed = { title: 't', status: 'failed', failureMessages: ['x'.repeat(100_000)] };
  const [result] = parseJsonReport({ testResults: [{ name: 'a', assertionResults: [failed] }] }) ?? [];
  expect(result?.failure).toHaveLength(20_000);
});

describe('places', () => {
  const failed = { name: 't', status: 'failed' as const };

  test.each([
    [
      'Error\n    at f (/w/node_modules/x/i.js:1:1)\n    at /w/app/src/a.js:9:3',
      undefined,
      { file: 'app/src/a.js', line: 9, column: 3 },
    ],
    [
      'Error\n    at /w/app/src/a.js:9:3\n    at /w/app/a.test.js:4:2',
      '/w/app/a.test.js',
      { file: 'app/a.test.js', line: 4, column: 2 },
    ],
    ['tests/test_a.py:3: AssertionError', undefined, { file: 'app/tests/test_a.py', line: 3, column: 1 }],
    ['Error at /elsewhere/a.js:9:3', undefined, undefined],
    ['no frame at all', 'a.test.js', { file: 'app/a.test.js' }],
    ['no frame at all', '../../etc/passwd', undefined],
  ])('%j in %j stands at %j', (failure, file, place) => {
    expect(placeOf({ ...failed, failure, ...(file && { file }) }, '/w/app', '/w')).toEqual(place);
  });

  test('a long line without frames takes no time', () => {
    const started = process.hrtime.bigint();
    placeOf({ ...failed, failure: 'a.'.repeat(10_000) }, '/w', '/w');
    const spent = process.hrtime.bigint() - started;
    expect(Number(spent) / 1e6).toBeLessThan(2000);
  });
});

function write(name: string, content: string): void {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
}
