/** How much of a failure's text is kept, in characters. */
export const MAX_FAILURE = 20_000;
/** How much of each of the two values that should have been equal. */
export const MAX_VALUE = 1000;

/** How one test ended. */
export interface TestResult {
  /** Suites and test, outermost first, such as `cart › adds an item`. */
  readonly name: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  /** Seconds, where the runner told. */
  readonly seconds?: number;
  /** The test file as the report names it: absolute, or relative to where the runner stood. */
  readonly file?: string;
  readonly line?: number;
  /** Message and stack of a failed test, as long as the report had them. */
  readonly failure?: string;
  /** The values of a failed assertion, where the runner told them apart from the message. */
  readonly expected?: string;
  readonly actual?: string;
  /** It passed, and had failed before in the same run: the runner or this build tried it again. */
  readonly flaky?: true;
}

/** What all test reports of a job say together. */
export interface TestSummary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly TestResult[];
  /** Tests that failed first and passed when tried again; they count as passed. */
  readonly flaky: readonly TestResult[];
}

/** Adds up results; the failed and the flaky ones are kept in the order they came. */
export function summarize(results: readonly TestResult[]): TestSummary {
  const count = (status: TestResult['status']): number => results.filter((one) => one.status === status).length;
  return {
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
    failures: results.filter((one) => one.status === 'failed'),
    flaky: results.filter((one) => one.flaky === true && one.status === 'passed'),
  };
}
