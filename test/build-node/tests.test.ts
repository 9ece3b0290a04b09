import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Workspace, project } from './workspace.ts';

let shop: Workspace;
beforeEach(() => {
  shop = new Workspace();
});
afterEach(() => shop.remove());

const TEST = "import test from 'node:test'; import assert from 'node:assert';";
const COVERING =
  'node --test --experimental-test-coverage --test-reporter=lcov --test-reporter-destination=lcov.info --test-reporter=spec --test-reporter-destination=stdout';

describe('tests of a project that configures no reporter', () => {
  test('fail with their place and values, ten at most as annotations, and no more than the summary is written', () => {
    const failing = Array.from({ length: 12 }, (_, i) => `test('t${i}', () => {\n  assert.equal(${i}, 100);\n});`);
    shop.write({ ...project({ test: 'node --test' }), 'a.test.mjs': `${TEST}\n${failing.join('\n')}` });
    const { exitCode, log, summary, outputs } = shop.build({});
    expect(exitCode).toBe(1);
    expect(outputs['tests']).toBe('{"passed":0,"failed":12,"skipped":0}');
    const errors = log.split('\n').filter((line) => line.startsWith('::error'));
    expect(errors).toHaveLength(10);
    expect(errors[0]).toMatch(/^::error file=a\.test\.mjs,line=3,col=10::t0: .*0 !== 100|0 == 100/);
    expect(errors[9]).toMatch(/^::error::shop was not built: 12 of 12 tests failed/);
    expect(summary).toContain('| t11 | `a.test.mjs:36:10` |');
    expect(readdirSync(shop.temp)).toEqual([]);
    expect(readdirSync(shop.folder).filter((name) => /junit|ndjson/.test(name))).toEqual([]);
  });

  test('one that fails and passes when run again is told as flaky, and the build goes on', () => {
    const once = `import { existsSync, writeFileSync } from 'node:fs';
test('sometimes', () => { const ran = existsSync('ran'); writeFileSync('ran', ''); assert.ok(ran, 'not yet'); });`;
    shop.write({ ...project({ test: 'node --test' }), 'a.test.mjs': `${TEST}\n${once}` });
    const { exitCode, log, summary, outputs } = shop.build({ retry: '1' });
    expect(exitCode).toBe(0);
    expect(outputs).toMatchObject({ flaky: '["sometimes"]', tests: '{"passed":1,"failed":0,"skipped":0}' });
    expect(log).toMatch(/^::warning file=a\.test\.mjs,line=3.*::sometimes is flaky: .*not yet/m);
    expect(summary).toContain('**One test is flaky:**');
  });

  test('one that never ends is named', () => {
    const waits = "test('waits', async () => { await new Promise(() => setInterval(() => {}, 1000)); });";
    shop.write({ ...project({ test: 'node --test' }), 'test/a.test.mjs': `${TEST}\n${waits}` });
    const { exitCode, log, summary } = shop.build({ timeout: '5s', retry: '1' });
    expect(exitCode).toBe(1);
    expect(log).toContain('test: test/a.test.mjs ("waits") had not ended after 5 s');
    expect(summary).toContain('**What to do:** Look there for an endless loop');
  });
});

describe('coverage', () => {
  /** A repository of two commits: the second adds a function, one of whose branches no test takes. */
  function repository(): { before: string } {
    const git = (...args: readonly string[]): string =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.example', ...args], {
        cwd: shop.folder,
        encoding: 'utf8',
      });
    const more = {
      'a.test.mjs': `${TEST} import { sign } from './a.mjs';\ntest('sign', () => assert.equal(sign(1), 1));`,
    };
    shop.write({
      ...project({ test: COVERING }),
      ...more,
      'a.mjs': 'export const one = 1;\n',
      '.gitignore': 'lcov.info\nevent.json\nnode_modules\n',
    });
    git('init', '-q');
    git('add', '.');
    git('commit', '-q', '-m', 'Start');
    const before = git('rev-parse', 'HEAD').trim();
    shop.write({
      'a.mjs':
        'export const one = 1;\nexport function sign(n) {\n  if (n < 0) {\n    return -1;\n  }\n  return 1;\n}\n',
    });
    git('commit', '-q', '-a', '-m', 'Sign');
    return { before };
  }

  function build(inputs: Readonly<Record<string, string>>) {
    const event = path.join(shop.folder, 'event.json');
    writeFileSync(event, JSON.stringify(repository()));
    return shop.build(inputs, { GITHUB_EVENT_PATH: event });
  }

  test('of changed lines is told, with the lines that no test ran', () => {
    const { exitCode, log, summary, outputs } = build({ 'coverage-threshold': '50' });
    expect(exitCode).toBe(0);
    expect(JSON.parse(outputs['coverage'] ?? '')).toMatchObject({ changed: { covered: 4, total: 6 } });
    expect(summary).toMatch(
      /\*\*Coverage:\*\* [\d.]+ % \(\d+ of \d+\) of all lines; of 6 changed lines 4 are covered \(66\.6 %\)/,
    );
    expect(summary).toContain('| `a.mjs` | 4 of 6 | 4–5 |');
    expect(log).toContain('::notice file=a.mjs,line=4,endLine=5::These 2 changed lines are not covered by a test');
  });

  test('less than wanted fails with the reason and the next step', () => {
    const { exitCode, log, summary } = build({ 'coverage-threshold-changed': '80' });
    expect(exitCode).toBe(1);
    expect(log).toContain(
      'tests cover 66.6 %25 of the lines that this push changes, less than coverage-threshold-changed (80 %25)',
    );
    expect(summary).toContain('lower the input `coverage-threshold-changed`');
  });

  test('wanted, but not written', () => {
    shop.write({ ...project({ test: 'node -e 0' }) });
    const { exitCode, log } = shop.build({ 'coverage-threshold': '80' });
    expect(exitCode).toBe(1);
    expect(log).toContain('a coverage threshold is set, but the tests wrote no coverage report');
  });

  test('broken is a warning with file and reason', () => {
    const writes = `node -e "require('fs').writeFileSync('lcov.info', 'SF:a.mjs\\nDA:x\\n')"`;
    shop.write(project({ test: writes }));
    const { exitCode, log } = shop.build({});
    expect(exitCode).toBe(0);
    expect(log).toContain('::warning::a coverage report cannot be read: lcov.info is broken in line 2');
  });

  test.each(['eighty', '101', '-1', '80%'])('a threshold of %j is refused', (threshold) => {
    const { exitCode, log } = shop.build({ 'coverage-threshold': threshold, retry: '4' });
    expect(exitCode).toBe(1);
    expect(log).toContain('input coverage-threshold (');
    expect(log).toContain('input retry (');
  });
});
