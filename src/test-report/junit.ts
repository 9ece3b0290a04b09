import { type QualifiedTag, type Tag, parser } from 'sax';
import { MAX_FAILURE, type TestResult } from './result.ts';

const MAX_DEPTH = 200;

type Attributes = Readonly<Record<string, unknown>>;
type Draft = { -readonly [K in keyof TestResult]: TestResult[K] };

/**
 * Reads a JUnit XML report as written by node:test, jest-junit, vitest, mocha, pytest, Gradle and others: a
 * `testcase` with a child `failure` or `error` failed, one with `skipped` was skipped. There is no binding schema;
 * the elements are those that https://github.com/testmoapp/junitxml collects from the tools. A passed test with
 * `flakyFailure` or `flakyError` failed before (Maven Surefire's schema, which Playwright follows).
 * @returns undefined when the text is XML but no JUnit report
 * @throws Error when the text is no XML
 */
export function parseJunit(text: string): readonly TestResult[] | undefined {
  const reader = new JunitReader();
  const strict = true;
  Object.assign(parser(strict), reader.handlers).write(text).close();
  return reader.results;
}

class JunitReader {
  results: TestResult[] | undefined;
  readonly #suites: { name: string; file: string | undefined }[] = [];
  #depth = 0;
  #test: Draft | undefined;
  #inFailure = false;
  #isPytest = false;
  /** Where in the results each test of pytest stands. */
  readonly #pytest = new Map<string, number>();

  readonly handlers = {
    onopentag: ({ name, attributes }: Tag | QualifiedTag): void => this.#open(name, attributes),
    onclosetag: (name: string): void => this.#close(name),
    ontext: (text: string): void => this.#text(text),
    oncdata: (text: string): void => this.#text(text),
    onerror: (error: Error): never => {
      throw new Error(`is not XML: ${error.message.split('\n')[0]}`, { cause: error });
    },
  };

  #open(name: string, attributes: Attributes): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new Error(`is nested deeper than ${MAX_DEPTH} elements`);
    if (this.#depth === 1 && (name === 'testsuites' || name === 'testsuite')) this.results = [];
    if (name === 'testsuite') {
      this.#isPytest ||= attribute(attributes, 'name') === 'pytest';
      this.#suites.push({ name: attribute(attributes, 'name') ?? '', file: attribute(attributes, 'file') });
    } else if (name === 'testcase') {
      this.#test = this.#begin(attributes);
    } else if (this.#test !== undefined && (name === 'failure' || name === 'error')) {
      this.#test.status = 'failed';
      this.#test.failure ??= attribute(attributes, 'message')?.slice(0, MAX_FAILURE) ?? '';
      this.#inFailure = true;
    } else if (this.#test?.status === 'passed' && name === 'skipped') {
      this.#test.status = 'skipped';
    } else if (this.#test?.status === 'passed' && (name === 'flakyFailure' || name === 'flakyError')) {
      this.#test.flaky = true;
    }
  }

  #begin(attributes: Attributes): Draft {
    const suites = this.#suites.map((suite) => suite.name).filter((name) => name !== '');
    const file = attribute(attributes, 'file') ?? this.#suites.findLast((suite) => suite.file !== undefined)?.file;
    const seconds = Number(attribute(attributes, 'time') ?? Number.NaN);
    // pytest counts its lines from 0, and has one suite for all modules.
    const line = Number(attribute(attributes, 'line') ?? Number.NaN) + (this.#isPytest ? 1 : 0);
    const within = this.#isPytest ? [attribute(attributes, 'classname') ?? 'pytest'] : suites;
    return {
      name: [...within, attribute(attributes, 'name') ?? 'a test without a name'].join(' › '),
      status: 'passed',
      ...(file !== undefined && { file }),
      ...(Number.isInteger(line) && line > 0 && { line }),
      ...(Number.isFinite(seconds) && { seconds }),
    };
  }

  #text(text: string): void {
    if (!this.#inFailure || this.#test?.failure === undefined) return;
    const before = this.#test.failure;
    // Most runners repeat the message at the start of the text; node:test and pytest put the stack there.
    const whole = before !== '' && text.trimStart().startsWith(before) ? text.trimStart() : `${before}\n${text}`;
    this.#test.failure = whole.trim().slice(0, MAX_FAILURE);
  }

  #close(name: string): void {
    this.#depth -= 1;
    if (name === 'failure' || name === 'error') this.#inFailure = false;
    if (name === 'testsuite') this.#suites.pop();
    if (name !== 'testcase' || this.#test === undefined) return;
    if (this.#isPytest) this.#addPytest(this.#test);
    else this.results?.push(this.#test);
    this.#test = undefined;
  }

  /** pytest-rerunfailures writes a test that it ran again once more, the last time with how it ended. */
  #addPytest(test: Draft): void {
    const key = JSON.stringify([test.name, test.file]);
    const earlier = this.#pytest.get(key);
    if (earlier === undefined) this.#pytest.set(key, (this.results?.push(test) ?? 0) - 1);
    else this.results?.splice(earlier, 1, { ...test, ...(test.status === 'passed' && { flaky: true as const }) });
  }
}

function attribute(attributes: Attributes, name: string): string | undefined {
  const value = attributes[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
