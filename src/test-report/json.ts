import { isObject } from '../project/json.ts';
import { playwrightResults } from './playwright-json.ts';
import { MAX_FAILURE, type TestResult } from './result.ts';

/** JSON as it came: nothing about it is known yet. */
type Json = Readonly<Record<string, unknown>>;

/**
 * Reads the JSON report of jest (`--json`), of vitest (`--reporter=json`, the same form) of mocha
 * (`--reporter json`), or of Playwright (`--reporter=json`).
 * @returns undefined when the value is none of them
 */
export function parseJsonReport(value: unknown): readonly TestResult[] | undefined {
  if (!isObject(value)) return undefined;
  if (Array.isArray(value['testResults'])) return value['testResults'].filter(isObject).flatMap(jestFile);
  if (isObject(value['stats']) && Array.isArray(value['tests'])) return mocha(value);
  if (isObject(value['config']) && Array.isArray(value['suites'])) {
    return playwrightResults(value['config'], value['suites']);
  }
  return undefined;
}

/** One test file of jest; a file that could not even be loaded has a message and no tests. */
function jestFile(file: Json): readonly TestResult[] {
  const name = textOf(file['name']) ?? textOf(file['testFilePath']);
  const place = name === undefined ? {} : { file: name };
  const tests = Array.isArray(file['assertionResults']) ? file['assertionResults'].filter(isObject) : [];
  if (tests.length === 0 && file['status'] === 'failed') {
    const failure = (textOf(file['message']) ?? textOf(file['failureMessage']) ?? '').slice(0, MAX_FAILURE);
    return [{ name: name ?? 'a test file', status: 'failed', ...place, failure }];
  }
  return tests.map((test) => {
    const suites = Array.isArray(test['ancestorTitles']) ? test['ancestorTitles'] : [];
    const messages = Array.isArray(test['failureMessages']) ? test['failureMessages'] : [];
    const line = isObject(test['location']) ? test['location']['line'] : undefined;
    return {
      name: [...suites, test['title']].filter((title) => typeof title === 'string' && title !== '').join(' › '),
      status: test['status'] === 'passed' || test['status'] === 'failed' ? test['status'] : 'skipped',
      ...place,
      ...secondsOf(test['duration']),
      ...(typeof line === 'number' && line > 0 && { line }),
      ...(test['status'] === 'passed' && Number(test['invocations']) > 1 && { flaky: true as const }),
      ...(test['status'] === 'failed' && {
        failure: messages
          .filter((one) => typeof one === 'string')
          .join('\n')
          .slice(0, MAX_FAILURE),
      }),
    };
  });
}

/** mocha lists all tests once, and those that failed or wait again by their full title. */
function mocha(report: Json): readonly TestResult[] {
  const titles = (list: unknown): ReadonlySet<unknown> =>
    new Set(Array.isArray(list) ? list.filter(isObject).map((test) => test['fullTitle']) : []);
  const failed = titles(report['failures']);
  const pending = titles(report['pending']);
  const tests = Array.isArray(report['tests']) ? report['tests'].filter(isObject) : [];
  return tests.map((test): TestResult => {
    const title = test['fullTitle'];
    const error = isObject(test['err']) ? test['err'] : {};
    const file = textOf(test['file']);
    return {
      name: textOf(title) ?? 'a test without a name',
      status: failed.has(title) ? 'failed' : pending.has(title) ? 'skipped' : 'passed',
      ...(file !== undefined && { file }),
      ...secondsOf(test['duration']),
      ...(failed.has(title) && {
        failure: (textOf(error['stack']) ?? textOf(error['message']) ?? '').slice(0, MAX_FAILURE),
      }),
    };
  });
}

function secondsOf(milliseconds: unknown): { seconds?: number } {
  return typeof milliseconds === 'number' && milliseconds >= 0 ? { seconds: milliseconds / 1000 } : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
