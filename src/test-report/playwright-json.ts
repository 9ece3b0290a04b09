import path from 'node:path';
import { isObject } from '../project/json.ts';
import { MAX_FAILURE, type TestResult } from './result.ts';

type Json = Readonly<Record<string, unknown>>;

/** Suites in suites beyond this are no report of Playwright. */
const MAX_DEPTH = 50;

/**
 * The tests of Playwright's JSON report: a suite for each file, in it suites and `specs`, and in a spec a test for each
 * browser, whose `status` tells whether it went as expected after all its attempts (JSONReport of testReporter.d.ts).
 */
export function playwrightResults(config: Json, suites: readonly unknown[]): readonly TestResult[] {
  const root = typeof config['rootDir'] === 'string' ? config['rootDir'] : '';
  const results: TestResult[] = [];
  const visit = (suite: unknown, titles: readonly string[]): void => {
    if (!isObject(suite) || titles.length > MAX_DEPTH) return;
    // The outermost suite is called like its file.
    const inner = suite['title'] === suite['file'] ? titles : [...titles, textOf(suite['title'])];
    for (const spec of listOf(suite['specs']).filter(isObject)) {
      for (const test of listOf(spec['tests']).filter(isObject)) results.push(resultOf(spec, test, inner, root));
    }
    for (const one of listOf(suite['suites'])) visit(one, inner);
  };
  for (const suite of suites) visit(suite, []);
  return results;
}

function resultOf(spec: Json, test: Json, titles: readonly string[], root: string): TestResult {
  const attempts = listOf(test['results']).filter(isObject);
  const last = attempts.at(-1) ?? {};
  const project = textOf(test['projectName']);
  const title = textOf(spec['title']);
  const { file, line } = spec;
  const status = test['status'];
  const { duration } = last;
  return {
    name: [...titles, project === '' ? title : `${title} [${project}]`].join(' › '),
    status: status === 'unexpected' ? 'failed' : status === 'skipped' ? 'skipped' : 'passed',
    ...(typeof file === 'string' && file !== '' && { file: path.join(root, file) }),
    ...(Number.isInteger(line) && Number(line) > 0 && { line: Number(line) }),
    ...(typeof duration === 'number' && duration >= 0 && { seconds: duration / 1000 }),
    ...(status === 'unexpected' && { failure: failureOf(last) }),
    ...(status === 'flaky' && { flaky: true as const }),
  };
}

function failureOf(attempt: Json): string {
  const errors = [attempt['error'], ...listOf(attempt['errors'])].filter(isObject);
  const said = errors.map(({ stack, message, value }) => textOf(stack) || textOf(message) || textOf(value));
  return [...new Set(said)].join('\n').slice(0, MAX_FAILURE);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
