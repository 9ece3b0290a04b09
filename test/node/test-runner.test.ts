import { describe, expect, test } from '@jest/globals';
import type { ManagerName } from '../../src/node/package-manager.ts';
import { planRecorder, withRecorder } from '../../src/node/test-runner.ts';

type Files = Readonly<Record<string, string>>;

function context(scripts: Files, files: Files = {}, devDependencies: Files = {}) {
  return {
    project: { scripts, dependencies: {}, devDependencies },
    read: (file: string) => files[file],
    nodeVersion: '24.0.0',
  };
}
const plan = (text: string, files: Files = {}, more: Files = {}) =>
  planRecorder('test', '/t', context({ test: text, ...more }, files, { vitest: '^3.1.0' }));

const recordOf = (manager: ManagerName, script: string, text: string, ...args: readonly string[]) =>
  withRecorder({ name: 'x', command: [manager, 'run', script, ...args] }, manager, context({ [script]: text })).record;

describe('runners', () => {
  test.each([
    ['node --test', ['node:test']],
    ['node --import tsx --test "src/**/*.test.ts"', ['node:test']],
    ['c8 --reporter=lcov node --test', ['node:test']],
    ['cross-env CI=1 jest --ci', ['jest']],
    ['node --experimental-vm-modules node_modules/jest/bin/jest.js', ['jest']],
    ['tsc && vitest run', ['vitest']],
    ['NODE_ENV=test npx mocha -r tsx', ['mocha']],
    ['npm run unit && playwright test', ['mocha', 'playwright']],
    ['playwright install', []],
    ['eslint jest.config.js', []],
    ['echo jest', []],
    ['npm run loop', []],
  ])('of %j are %j', (text, runners) => {
    expect(plan(text, {}, { unit: 'mocha', loop: 'npm test' }).runners).toEqual(runners);
  });
});

describe('recorders', () => {
  test('by the environment, where the runner takes them there', () => {
    expect(plan('node --test').env).toEqual({
      NODE_OPTIONS:
        '--test-reporter=spec --test-reporter-destination=stdout --test-reporter=file:///t/node-test.cjs --test-reporter-destination=stderr',
    });
    expect(plan('mocha && playwright test').env).toEqual({
      MOCHA_OPTIONS: '--reporter "/t/mocha.cjs"',
      PW_TEST_REPORTER: '/t/playwright.cjs',
    });
  });

  test.each([
    ['node --test --test-reporter=dot', {}],
    ['mocha -R dot', {}],
    ['mocha', { '.mocharc.yml': 'reporter: dot' }],
    ['mocha', { 'package.json': '{"mocha": {"reporter": "dot"}}' }],
  ])('%j with %j keeps its reporter', (text, files) => {
    expect(plan(text, files).env).toEqual({});
  });

  test('a Node too old for the option never sees it', () => {
    expect(planRecorder('test', '/t', { ...context({ test: 'node --test' }), nodeVersion: '18.20.0' }).env).toEqual({});
  });

  test.each([
    ['jest', {}, ['--reporters=default', '--reporters=/t/jest.cjs']],
    ['tsc && jest --ci', {}, ['--reporters=default', '--reporters=/t/jest.cjs']],
    [
      'jest',
      { 'jest.config.js': 'export default { reporters: ["jest-junit"] }' },
      ['--json', '--outputFile=/t/jest-report.json'],
    ],
    ['jest -c other.json', {}, ['--json', '--outputFile=/t/jest-report.json']],
    ['vitest run', {}, ['--reporter=default', '--reporter=/t/vitest.cjs']],
    ['vitest run', { 'vite.config.ts': 'test: { reporters: ["junit"] }' }, []],
    ['vitest --reporter=dot', {}, []],
    ['jest | tee log', {}, []],
    ['jest; echo done', {}, []],
    ['jest && echo done', {}, []],
    ['jest > log', {}, []],
    ['jest &', {}, []],
    ['jest -- cart', {}, []],
    ['npm run jest', {}, []],
    ['yarn run jest', {}, []],
    ['(jest)', {}, []],
    ['jest $(cat files)', {}, []],
    ['jest # all', {}, []],
  ])('%j with %j gets the arguments %j', (text, files, args) => {
    expect(plan(text, files).args).toEqual(args);
  });

  test('of Vitest before 3, whose recorder would see nothing, its JSON', () => {
    expect(planRecorder('test', '/t', context({ test: 'vitest run' }, {}, { vitest: '^2.0.0' })).args).toContain(
      '--outputFile.json=/t/vitest-report.json',
    );
  });

  test.each<[ManagerName, readonly string[]]>([
    ['npm', ['--', '--reporters=default', '--reporters=/t/jest.cjs']],
    ['pnpm', ['--reporters=default', '--reporters=/t/jest.cjs']],
    ['yarn-berry', ['--reporters=default', '--reporters=/t/jest.cjs']],
  ])('%s hands arguments on', (manager, args) => {
    expect(recordOf(manager, 'test', 'jest')?.('/t', 'Node 24.11.0').args).toEqual(args);
  });

  test('arguments that npm parts off already are not parted off again', () => {
    const args = recordOf('npm', 'test', 'jest', '--', 'cart')?.('/t', 'Node 24.11.0').args;
    expect(args).toEqual(['--reporters=default', '--reporters=/t/jest.cjs']);
  });

  test('scripts without tests are left alone; those named so are run again too', () => {
    expect(recordOf('npm', 'lint', 'oxlint')).toBeUndefined();
    expect(recordOf('npm', 'latest', 'node x.js')).toBeUndefined();
    expect(recordOf('npm', 'test:api', './run.sh')?.('/t', 'Node 24.11.0')).toEqual({
      env: {},
      args: [],
    });
  });
});
