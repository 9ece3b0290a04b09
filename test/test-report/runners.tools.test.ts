import { mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readPackageJson } from '../../src/node/manifest.ts';
import { withRecorder } from '../../src/node/test-runner.ts';
import { openProject } from '../../src/project/project.ts';
import { gist } from '../../src/test-report/gist.ts';
import { summarize } from '../../src/test-report/result.ts';
import { type Ran, linkRunners, runWatched, write } from './runners.ts';

const SLOW = 120_000;

let folder = '';
beforeAll(() => {
  const scratch = mkdtempSync(path.join(tmpdir(), 'runners-'));
  linkRunners(scratch);
  rmSync(scratch, { recursive: true });
}, 600_000);
beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'runner with space-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the script `test` of the project as build-node does. */
async function npmTest(options: { retries?: number; timeout?: number } = {}): Promise<Ran> {
  const { read } = openProject('.', folder);
  const task = withRecorder({ name: 'test', command: ['npm', 'run', 'test'] }, 'npm', {
    project: readPackageJson(read),
    read,
  });
  return runWatched(folder, task, options);
}

/** One that fails the first time it runs, in whatever process. */
const ONCE = `const fs = require('fs'); const first = !fs.existsSync('ran'); fs.writeFileSync('ran', '');
  if (first) throw new Error('not the first time');`;

interface Runner {
  readonly script: string;
  readonly more?: object;
  readonly file: string;
  /** Files of a project with a passing test `adds`, a failing `breaks` and one that fails at first, `sometimes`. */
  readonly header: string;
  readonly test: string;
  readonly breaks: string;
  readonly says: RegExp;
}

const RUNNERS: Readonly<Record<string, Runner>> = {
  'node:test': {
    script: 'node --test',
    file: 'test/cart.test.cjs',
    header: `const { test, describe } = require('node:test'); const assert = require('node:assert');`,
    test: 'test',
    breaks: `assert.strictEqual(1 + 1, 3);`,
    says: /Expected values to be strictly equal: 2 !== 3/,
  },
  jest: {
    script: 'jest',
    file: 'cart.test.js',
    header: '',
    test: 'test',
    breaks: `expect(1 + 1).toBe(3);`,
    says: /Expected: 3, Received: 2/,
  },
  vitest: {
    script: 'vitest run',
    more: { devDependencies: { vitest: '^5.0.0' } },
    file: 'cart.test.ts',
    header: `import { createRequire } from 'node:module'; import { test, describe, expect } from 'vitest'; const require = createRequire(import.meta.url);`,
    test: 'test',
    breaks: `expect(1 + 1).toBe(3);`,
    says: /expected 2 to be 3/,
  },
  mocha: {
    script: 'mocha',
    file: 'test/cart.js',
    header: `const assert = require('assert');`,
    test: 'it',
    breaks: `assert.strictEqual(1 + 1, 3, 'the sum');`,
    says: /the sum \(expected 3, received 2\)/,
  },
  playwright: {
    script: 'playwright test',
    file: 'cart.spec.js',
    header: `const { test, expect } = require('@playwright/test'); const describe = test.describe;`,
    test: 'test',
    breaks: `expect(1 + 1).toBe(3);`,
    says: /Expected: 3, Received: 2/,
  },
};

function testsOf({ script, more, file, header, test: it }: Runner, tests: Readonly<Record<string, string>>): void {
  const body = Object.entries(tests).map(([name, source]) => `  ${it}('${name}', async () => { ${source} });`);
  write(folder, {
    'package.json': { name: 'shop', scripts: { test: script }, ...more },
    [file]: `${header}\ndescribe('cart', () => {\n${body.join('\n')}\n});\n`,
  });
  linkRunners(folder);
}

describe.each(Object.entries(RUNNERS))('%s, with no reporter configured', (name, runner) => {
  test(
    'results, the place of a failure and what differs are known',
    async () => {
      testsOf(runner, { adds: '', breaks: runner.breaks });
      const { result, outcome } = await npmTest();
      expect(result.status).toBe('failed');
      const { failures, ...counts } = summarize(outcome.results ?? []);
      expect(counts).toEqual({ passed: 1, failed: 1, skipped: 0, flaky: [] });
      expect(failures[0]).toMatchObject({ name: 'cart › breaks', file: path.join(folder, runner.file) });
      expect(gist(failures[0] ?? {})).toMatch(runner.says);
      expect(outcome.troubles.size).toBe(0);
    },
    SLOW,
  );

  test(
    'a test that fails and then passes is flaky, and the task passes',
    async () => {
      testsOf(runner, { adds: '', sometimes: ONCE });
      const { result, outcome, log } = await npmTest({ retries: 2 });
      expect(result.status).toBe('passed');
      const { flaky, ...counts } = summarize(outcome.results ?? []);
      expect(counts).toEqual({ passed: 2, failed: 0, skipped: 0, failures: [] });
      expect(flaky[0]).toMatchObject({ name: 'cart › sometimes', flaky: true });
      expect(flaky[0]?.failure).toContain('not the first time');
      expect(outcome.flakyTasks).toEqual([]);
      expect(log).toContain('test failed and is run again (1 of at most 2)');
    },
    SLOW,
  );

  test(
    'a test that never ends is named, and so is its file',
    async () => {
      // Vitest and jest end a test that only waits; Node does not hear which test spins in its child.
      const waits = name === 'node:test' ? 'await new Promise(() => setInterval(() => {}, 1000));' : 'for (;;);';
      testsOf(runner, { adds: '', waits });
      const { result, outcome } = await npmTest({ timeout: 15_000, retries: 1 });
      expect(result).toMatchObject({ status: 'failed', timedOut: true });
      // Those two tell of the file alone, as what their workers say is cut off with them.
      const where = name === 'jest' || name === 'vitest' ? runner.file : `${runner.file} ("waits")`;
      expect(outcome.troubles.get('test')?.what).toBe(`${where} had not ended after 15 s`);
    },
    SLOW,
  );

  test(
    'a process that dies in the middle is told as a crash',
    async () => {
      testsOf(runner, {
        adds: '',
        dies: `process.kill(process.pid, 'SIGSEGV'); await new Promise(() => setInterval(() => {}, 1000));`,
      });
      const { result, outcome } = await npmTest({ timeout: 60_000 });
      expect(result.status).toBe('failed');
      const said = `${outcome.troubles.get('test')?.what ?? ''} ${(outcome.results ?? []).map((one) => one.failure ?? '').join(' ')}`;
      expect(said).toMatch(/segmentation fault|SIGSEGV/);
    },
    SLOW,
  );
});

const mocha = RUNNERS['mocha'] as Runner;

test('a reporter that the project chose keeps its place', async () => {
  testsOf({ ...mocha, script: 'mocha --reporter json' }, { adds: '' });
  const { result, log } = await npmTest();
  expect(result.status).toBe('passed');
  expect(log).toContain('"fullTitle": "cart adds"');
});

test('a runner that refuses the recorder runs without it', async () => {
  const fake = `console.error('unknown option ' + process.argv.slice(2).join(' ')); process.exit(process.argv.length > 2 ? 1 : 0)`;
  write(folder, { 'package.json': { name: 'shop', scripts: { test: 'node jest.js' } }, 'jest.js': fake });
  const { result, log } = await npmTest();
  expect(result.status).toBe('passed');
  expect(log).toContain('refuses to record');
});

test(
  'a heap that is full is told',
  async () => {
    testsOf(
      { ...mocha, script: 'node --max-old-space-size=40 node_modules/mocha/bin/mocha.js' },
      {
        eats: 'const all = []; for (;;) all.push(new Array(10_000).fill({}).map((_, i) => ({ i })));',
      },
    );
    const { outcome } = await npmTest({ timeout: 60_000 });
    expect(outcome.troubles.get('test')?.what).toBe('the test runner ran out of memory during test/cart.js ("eats")');
  },
  SLOW,
);

test('the recorders ask for nothing that a runner lacks', () => {
  const recorders = path.resolve(import.meta.dirname, '../../src/recorders');
  for (const name of readdirSync(recorders)) {
    expect(readFileSync(path.join(recorders, name), 'utf8')).not.toMatch(
      /require\('(?!node:|\.\/events\.cjs)[^']+'\)\)/,
    );
  }
});
