import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { jestTally, show, sum, verdict } from '../../scripts/check.ts';
import { fill, inputTable, outputTable, readWorkflow } from '../../scripts/tables.ts';
import { differences } from '../../scripts/trees.ts';
import { median } from '../../bench/cold-start.ts';

describe('the tally of a run', () => {
  const report = { numPassedTests: 4, numFailedTests: 1, numRuntimeErrorTestSuites: 2 };

  test('adds checks and tests, and counts files that do not load as failed', () => {
    expect(show(sum([verdict(true), verdict(false), jestTally(report, 1)]))).toBe('5 passed, 4 failed');
  });

  test('fails a run without a report', () => {
    expect(jestTally(undefined, 0)).toEqual({ passed: 0, failed: 1 });
  });

  test('fails a run that ended badly though every test passed', () => {
    expect(jestTally({ ...report, numFailedTests: 0, numRuntimeErrorTestSuites: 0 }, 1)).toEqual({
      passed: 4,
      failed: 1,
    });
  });
});

describe('two folders', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'trees-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  test('differ by what is missing, left over or different', () => {
    write('a/x/same', '1');
    write('b/x/same', '1');
    write('a/changed', '1');
    write('b/changed', '2');
    write('a/new', '');
    write('b/x/old', '');
    expect(differences(path.join(root, 'a'), path.join(root, 'b'))).toEqual([
      { file: 'changed', why: 'different' },
      { file: 'new', why: 'missing' },
      { file: 'x/old', why: 'left over' },
    ]);
  });

  test('may be missing altogether', () => {
    write('a/new', '');
    expect(differences(path.join(root, 'a'), path.join(root, 'none'))).toEqual([{ file: 'new', why: 'missing' }]);
  });

  function write(file: string, text: string): void {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
});

describe('README tables', () => {
  test('show required inputs, defaults and pipes', () => {
    const table = inputTable({
      a: { description: 'one | two\n  three', required: true },
      b: { description: 'flag', default: false },
    });
    expect(table.split('\n').slice(2)).toEqual([
      '| `a` | one \\| two three | **required** |',
      '| `b` | flag | `false` |',
    ]);
  });

  test('say when there is nothing', () => {
    expect(outputTable({})).toBe('None.');
  });

  test('replace only what stands between their marks', () => {
    const before = 'head\n<!-- t:start -->\nold\n<!-- t:end -->\ntail';
    const after = fill(before, 't', 'new $& text');
    expect(after).toBe('head\n<!-- t:start -->\nnew $& text\n<!-- t:end -->\ntail');
    expect(fill(after, 't', 'new $& text')).toBe(after);
    expect(() => fill('no marks', 't', '')).toThrow('<!-- t:start --> … <!-- t:end --> is missing');
  });

  test('leave out workflows that cannot be called', () => {
    expect(readWorkflow('name: ci\non: { push: }\n')).toBeUndefined();
    expect(readWorkflow('# Does\n# much.\nname: w\non: { workflow_call: }\n')).toMatchObject({
      description: 'Does much.',
    });
  });
});

test('the median of an even count lies between the two in the middle', () => {
  expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([7])]).toEqual([2, 2.5, 7]);
  expect(median([])).toBeNaN();
});
