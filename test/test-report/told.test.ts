import { describe, expect, test } from '@jest/globals';
import { parseEvents } from '../../src/test-report/events.ts';
import { mergeAttempts, withoutRepeated } from '../../src/test-report/flaky.ts';
import { gist } from '../../src/test-report/gist.ts';
import { parseJsonReport } from '../../src/test-report/json.ts';
import { parseJunit } from '../../src/test-report/junit.ts';
import type { TestResult } from '../../src/test-report/result.ts';
import { crash, hung } from '../../src/test-report/trouble.ts';

const events = (...all: readonly object[]): string => all.map((event) => JSON.stringify(event)).join('\n');

describe('what a recorder wrote', () => {
  test('a file and a test that began and did not end are open, until the runner says that it is done', () => {
    const begun = [
      { type: 'begin', file: '/w/a.js' },
      { type: 'end', file: '/w/a.js' },
      { type: 'begin', file: '/w/b.js' },
      { type: 'start', file: '/w/b.js', title: 'first' },
      { type: 'test', file: '/w/b.js', titles: ['cart', 'first'], status: 'passed', ms: 1500, retries: 1 },
      { type: 'start', file: '/w/b.js', title: 'second' },
    ];
    expect(parseEvents(events(...begun))).toEqual({
      results: [{ name: 'cart › first', status: 'passed', file: '/w/b.js', seconds: 1.5, flaky: true }],
      open: [{ file: '/w/b.js', test: 'second' }],
    });
    expect(parseEvents(events(...begun, { type: 'done' })).open).toEqual([]);
    expect(parseEvents(`${events(...begun.slice(0, 3))}\n{"type":"te`).open).toEqual([{ file: '/w/b.js' }]);
  });

  test('values of other types than a recorder writes do no harm', () => {
    const odd = {
      type: 'test',
      file: 'a.js',
      titles: [1, {}],
      status: [],
      ms: 'x',
      line: -1,
      failure: {},
      expected: 1,
    };
    expect(parseEvents(events(odd, { type: 'test', file: 7 })).results).toEqual([
      { name: 'a.js', status: 'skipped', file: 'a.js' },
    ]);
  });
});

describe('the gist of a failure', () => {
  test.each<[Pick<TestResult, 'failure' | 'expected' | 'actual'>, string]>([
    [
      { failure: 'Expected values to be strictly equal:\n\n1 !== 2\n\n    at x.js:1:1' },
      'Expected values to be strictly equal: 1 !== 2',
    ],
    [{ failure: 'AssertionError: the sum\n  at x', expected: '3', actual: '2' }, 'the sum (expected 3, received 2)'],
    [
      { failure: 'Error: expect(received).toBe(expected)\n\nExpected: 3\nReceived: 2\n    at x' },
      'Error: expect(received).toBe(expected): Expected: 3, Received: 2',
    ],
    [
      {
        failure:
          'Error: expect(received).toEqual(expected)\n\n- Expected  - 1\n+ Received  + 1\n\n  Object {\n-   "a": 2,\n+   "a": 1,\n  }',
      },
      'Error: expect(received).toEqual(expected): -   "a": 2, +   "a": 1',
    ],
    [{ failure: '\u001b[31mError: red\u001b[39m\n    at x' }, 'Error: red'],
    [{ failure: '' }, 'it failed without a message'],
  ])('%j', (failed, said) => {
    expect(gist(failed)).toBe(said);
  });
});

describe('flaky', () => {
  const ended = (name: string, status: TestResult['status'], more: object = {}): TestResult => ({
    name,
    status,
    file: 'a.js',
    ...more,
  });

  test('a test that failed in an earlier run and passes in the last one, with what it said first', () => {
    const first = [ended('a', 'failed', { failure: 'boom' }), ended('b', 'failed'), ended('c', 'passed')];
    const last = [ended('a', 'passed'), ended('b', 'failed'), ended('c', 'passed')];
    expect(mergeAttempts([first, last])).toEqual([{ ...last[0], flaky: true, failure: 'boom' }, last[1], last[2]]);
  });

  test('a report of the project does not tell again what the recorder told', () => {
    const recorded = [ended('cart › adds', 'passed'), ended('cart › breaks', 'failed')];
    const found = [ended('cart adds', 'passed'), ended('all › breaks', 'failed'), ended('e2e › opens', 'passed')];
    expect(withoutRepeated(recorded, found)).toEqual([found[2]]);
  });

  test('JUnit tells them by flakyFailure; failures that were tried again in vain are failures', () => {
    const xml = `<testsuite><testcase name="a"><flakyFailure message="x">y</flakyFailure></testcase>
      <testcase name="b"><failure message="x"/><rerunFailure message="x"/></testcase></testsuite>`;
    expect(parseJunit(xml)).toEqual([
      { name: 'a', status: 'passed', flaky: true },
      { name: 'b', status: 'failed', failure: 'x' },
    ]);
  });

  test('pytest: lines count from 0, and a test that stands twice was run again', () => {
    const at = (status: string) =>
      `<testcase classname="t.test_a" name="test_x" file="t/test_a.py" line="4">${status}</testcase>`;
    const xml = `<testsuites><testsuite name="pytest">${at('')}${at('')}<testcase classname="t.test_b" name="test_x"/></testsuite></testsuites>`;
    expect(parseJunit(xml)).toEqual([
      { name: 't.test_a › test_x', status: 'passed', file: 't/test_a.py', line: 5, flaky: true },
      { name: 't.test_b › test_x', status: 'passed' },
    ]);
  });

  test("Playwright's JSON", () => {
    const spec = (title: string, status: string, results: readonly object[]) => ({
      title,
      file: 'a.spec.js',
      line: 3,
      tests: [{ projectName: 'web', status, results }],
    });
    const report = {
      config: { rootDir: '/w' },
      suites: [
        {
          title: 'a.spec.js',
          file: 'a.spec.js',
          specs: [],
          suites: [
            {
              title: 'cart',
              file: 'a.spec.js',
              specs: [
                spec('adds', 'flaky', [{}, { duration: 20 }]),
                spec('breaks', 'unexpected', [{ error: { message: 'no' } }]),
              ],
            },
          ],
        },
      ],
    };
    expect(parseJsonReport(report)).toEqual([
      { name: 'cart › adds [web]', status: 'passed', file: '/w/a.spec.js', line: 3, seconds: 0.02, flaky: true },
      { name: 'cart › breaks [web]', status: 'failed', file: '/w/a.spec.js', line: 3, failure: 'no' },
    ]);
  });
});

describe('hangs and crashes', () => {
  test.each([
    ['tests/test_a.py ..                [ 50%]\ntests/test_b.py .', 'tests/test_b.py had not ended after 9 s'],
    ['tests/test_b.py::test_x ', 'tests/test_b.py had not ended after 9 s'],
    ['collected 3 items\ntests/test_a.py ...      [100%]', 'the tests had not ended after 9 s'],
    ['something else', 'the tests had not ended after 9 s'],
  ])('of pytest, by %j', (output, what) => {
    expect(hung([], output, 9).what).toBe(what);
  });

  test('many files are counted', () => {
    const open = ['a', 'b', 'c', 'd', 'e'].map((file) => ({ file }));
    expect(hung(open, '', 9).what).toBe('a, b, c and 2 more had not ended after 9 s');
  });

  test.each([
    [
      'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n 1: 0xb',
      'the test runner ran out of memory',
    ],
    ['Segmentation fault (core dumped)', 'the test runner crashed with a segmentation fault'],
    [
      'A jest worker process (pid=7) was terminated by another process: signal=SIGKILL, exitCode=null.',
      'the test runner was killed from outside, mostly because the machine ran out of memory',
    ],
    ['Error: Worker exited unexpectedly', 'a worker of the test runner died'],
  ])('%j', (output, what) => {
    expect(crash([], output, { failed: 0 })?.what).toBe(what);
    expect(crash([{ file: 'a.js', test: 'x' }], output, { failed: 0 })?.what).toBe(`${what} during a.js ("x")`);
  });

  test('tests that failed are no crash; a runner that ends before its tests is one', () => {
    expect(crash([], '1 failed', { failed: 1 })).toBeUndefined();
    expect(crash([], 'tsc: error', { failed: 0 })).toBeUndefined();
    expect(crash([{ file: 'a.js' }], '', { failed: 0 })?.what).toBe(
      'the test runner ended before its tests had during a.js',
    );
  });
});
