import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseCobertura } from '../../src/coverage/cobertura.ts';
import { percentOf } from '../../src/coverage/coverage.ts';
import { findCoverage } from '../../src/coverage/find.ts';
import { parseIstanbul } from '../../src/coverage/istanbul.ts';
import { parseLcov } from '../../src/coverage/lcov.ts';
import { coverageMarkdown, coverageOutput, showRanges } from '../../src/coverage/markdown.ts';
import { judgeCoverage } from '../../src/coverage/outcome.ts';

let folder = '';
beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'coverage-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string | object): void {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
}

/** Lines of each file, as a plain object. */
function linesOf(files: ReadonlyMap<string, ReadonlyMap<number, number>>): object {
  return Object.fromEntries([...files].map(([name, lines]) => [name, Object.fromEntries(lines)]));
}

const LCOV = 'TN:\nSF:src/a.js\nDA:1,1\nDA:2,0\nDA:4,3,abc=\nLF:3\nend_of_record\n';
const COBERTURA = `<?xml version="1.0"?><!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">
<coverage line-rate="0.5"><sources><source>.</source></sources><packages><package><classes>
<class filename="src/a.js"><methods><method name="f"><lines><line number="2" hits="0"/></lines></method></methods>
<lines><line number="1" hits="0"/><line number="2" hits="5" branch="true"/></lines></class></classes></package></packages></coverage>`;
const statement = (line: number) => ({ start: { line, column: 0 }, end: { line, column: 9 } });

describe('forms', () => {
  test('lcov', () => {
    expect(linesOf(parseLcov(LCOV)?.files ?? new Map())).toEqual({ 'src/a.js': { 1: 1, 2: 0, 4: 3 } });
  });

  test('Cobertura, in which a line may be told twice', () => {
    const parsed = parseCobertura(COBERTURA);
    expect(linesOf(parsed?.files ?? new Map())).toEqual({ 'src/a.js': { 1: 0, 2: 5 } });
    expect(parsed?.roots).toEqual(['.']);
  });

  test('istanbul: a line ran as often as the statement on it that ran most', () => {
    const statementMap = { 0: statement(1), 1: statement(1), 2: statement(7) };
    const parsed = parseIstanbul({ '/w/a.js': { path: '/w/a.js', statementMap, s: { 0: 0, 1: 2, 2: 0 } } });
    expect(linesOf(parsed?.files ?? new Map())).toEqual({ '/w/a.js': { 1: 2, 7: 0 } });
    expect(parseIstanbul({ total: { lines: { total: 10, covered: 7, pct: 70 } } })?.total).toEqual({
      total: 10,
      covered: 7,
    });
  });

  test.each([
    ['a record that is cut off', () => parseLcov('SF:a.js\nDA:1,1\n'), /cut off/],
    ['a broken line', () => parseLcov('SF:a.js\nDA:x\nend_of_record\n'), /broken in line 2/],
    ['a line of no file', () => parseLcov('SF:a.js\nend_of_record\nDA:1,1\n'), /broken in line 3/],
    ['XML that is cut off', () => parseCobertura(COBERTURA.slice(0, 300)), /is not XML/],
    [
      'entities',
      () => parseCobertura('<!DOCTYPE x [<!ENTITY a "b">]><coverage line-rate="1">&a;</coverage>'),
      /entity/,
    ],
  ])('%s is an error with its reason', (_, parse, message) => {
    expect(parse).toThrow(message);
  });

  test.each([
    [() => parseLcov('some text')],
    [() => parseCobertura('<coverage generated="1"><project/></coverage>')],
    [() => parseIstanbul([])],
    [() => parseIstanbul({ a: 1 })],
  ])('what is something else is left alone', (parse) => {
    expect(parse()).toBeUndefined();
  });
});

describe('reports of a project', () => {
  test('several are one, by the lines that any of them covers; files are named from the root', () => {
    write('app/src/a.js', '');
    write('app/coverage/lcov.info', LCOV);
    write('app/cobertura-coverage.xml', COBERTURA);
    const { reports, files, total, unreadable } = findCoverage(path.join(folder, 'app'), folder, 0);
    expect(reports).toEqual(['cobertura-coverage.xml', 'coverage/lcov.info']);
    expect(linesOf(files)).toEqual({ 'app/src/a.js': { 1: 1, 2: 5, 4: 3 } });
    expect(total).toEqual({ total: 3, covered: 3 });
    expect(unreadable).toEqual([]);
  });

  test('files outside the repository, of dependencies, or that are not there are left out', () => {
    write('src/a.js', '');
    write('node_modules/x/i.js', '');
    const names = [
      'src/a.js',
      '/etc/passwd',
      '../../etc/passwd',
      'node_modules/x/i.js',
      'gone.js',
      `${folder}/src/a.js`,
    ];
    write('lcov.info', names.map((name) => `SF:${name}\nDA:1,1\nend_of_record\n`).join(''));
    expect([...findCoverage(folder, folder, 0).files.keys()]).toEqual(['src/a.js']);
  });

  test('one that cannot be read is told by file and reason, the others count', () => {
    write('src/a.js', '');
    write('coverage/lcov.info', LCOV);
    write('coverage/coverage-final.json', '{"cut');
    write('coverage/empty.lcov', '');
    const { total, unreadable } = findCoverage(folder, folder, 0);
    expect(total).toEqual({ total: 3, covered: 2 });
    expect(unreadable).toHaveLength(2);
    expect(unreadable[0]).toMatch(/^coverage\/coverage-final\.json is not JSON: /);
    expect(unreadable[1]).toBe('coverage/empty.lcov is empty');
  });

  test('those of an earlier run are not read', () => {
    write('coverage/lcov.info', LCOV);
    expect(findCoverage(folder, folder, Date.now() + 60_000).reports).toEqual([]);
  });
});

describe('what is said of it', () => {
  const lines = new Map([1, 2, 3, 5, 6, 9].map((line) => [line, line === 1 || line === 9 ? 1 : 0]));
  const coverage = {
    reports: ['lcov.info'],
    files: new Map([['src/a.js', lines]]),
    total: { total: 6, covered: 2 },
    unreadable: [],
  };
  const changed = {
    by: 'pull request',
    lines: new Map([
      ['src/a.js', new Set([1, 2, 3, 4, 5, 8])],
      ['README.md', new Set([1])],
    ]),
  };

  test('of the changed lines that hold code, those that no test ran, with lines without code inside a range', () => {
    const outcome = judgeCoverage(coverage, changed, {});
    expect(outcome?.changed).toEqual({
      by: 'pull request',
      total: 4,
      covered: 1,
      files: [{ file: 'src/a.js', total: 4, covered: 1, uncovered: [{ from: 2, to: 5 }] }],
    });
    expect(outcome?.failure).toBeUndefined();
    const markdown = (outcome && coverageMarkdown(outcome)) ?? '';
    expect(markdown).toContain('**Coverage:** 33.3 % (2 of 6) of all lines; of 4 changed lines 1 is covered (25 %)');
    expect(markdown).toContain('| `src/a.js` | 1 of 4 | 2–5 |');
    expect(outcome && JSON.parse(coverageOutput(outcome))).toEqual({
      percent: 33.3,
      covered: 2,
      total: 6,
      changed: { percent: 25, covered: 1, total: 4 },
    });
  });

  test.each([
    [{ overall: 33.3 }, undefined],
    [{ overall: 33.4 }, 'tests cover 33.3 % of the lines, less than coverage-threshold (33.4 %)'],
    [{ changed: 25 }, undefined],
    [
      { changed: 80 },
      'tests cover 25 % of the lines that this pull request changes, less than coverage-threshold-changed (80 %)',
    ],
  ])('%j', (wanted, why) => {
    expect(judgeCoverage(coverage, changed, wanted)?.failure?.why).toBe(why);
  });

  test('a threshold without a report, or of changed lines that are not known, fails with the next step', () => {
    const none = { reports: [], files: new Map(), total: { total: 0, covered: 0 }, unreadable: [] };
    expect(judgeCoverage(none, undefined, {})).toBeUndefined();
    expect(judgeCoverage(none, undefined, { overall: 80 })?.failure?.whatToDo).toContain('c8 --reporter=lcov');
    const unknown = { unknown: 'the checkout is shallow: give `fetch-depth: 0`' };
    expect(judgeCoverage(coverage, unknown, { changed: 80 })?.failure?.why).toContain(
      'cannot be checked: the checkout is shallow',
    );
    expect(judgeCoverage(coverage, undefined, { changed: 80 })?.failure).toBeUndefined();
  });

  test('a percentage never reads as more than it is', () => {
    expect(percentOf({ total: 10_000, covered: 9999 })).toBe(99.9);
    expect(percentOf({ total: 0, covered: 0 })).toBe(100);
  });

  test('names cannot break out of the table, and many ranges are counted', () => {
    const hostile = 'a|`<img>\n::error::x`.js';
    const files = new Map([[hostile, new Map([[1, 0]])]]);
    const outcome = judgeCoverage(
      { ...coverage, files },
      { by: 'push', lines: new Map([[hostile, new Set([1])]]) },
      {},
    );
    const rows = ((outcome && coverageMarkdown(outcome)) ?? '').split('\n').filter((line) => line.includes('img'));
    for (const row of rows) expect(row.replaceAll('\\|', '').split('|')).toHaveLength(5);
    expect(showRanges(Array.from({ length: 12 }, (_, i) => ({ from: i * 3 + 1, to: i * 3 + 1 })))).toMatch(
      /22 and 4 more$/,
    );
  });
});
