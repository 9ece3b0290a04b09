/** How much of a failure's text is kept, in characters. */
export const MAX_FAILURE = 20_000;

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
}

/** What all test reports of a job say together. */
export interface TestSummary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly TestResult[];
}

/** Adds up results; the failed ones are kept in the order they came. */
export function summarize(results: readonly TestResult[]): TestSummary {
  const count = (status: TestResult['status']): number => results.filter((one) => one.status === status).length;
  return {
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
    failures: results.filter((one) => one.status === 'failed'),
  };
}
