import type { Host } from '../action/host.ts';
import type { Project } from '../project/project.ts';
import { gist } from '../test-report/gist.ts';
import { placeOf } from '../test-report/place.ts';
import { type TestResult, type TestSummary, summarize } from '../test-report/result.ts';
import type { Trouble } from '../test-report/trouble.ts';
import type { WatchedTests } from './test-watch.ts';
import type { FailedTest } from './failed-tests.ts';

/** What the tests of a build said. */
export interface TestOutcome {
  /** Absent where no report was found. */
  readonly tests?: TestSummary;
  readonly failedTests: readonly FailedTest[];
  /** Tests, or tasks where no report names the test, that failed and passed when run again. */
  readonly flaky: readonly FailedTest[];
  /** Tasks whose tests hung or whose runner crashed, by name. */
  readonly troubles: ReadonlyMap<string, Trouble>;
}

/** One of GitHub's ten annotations of errors is left for what the build says in the end. */
const MAX_ERRORS = 9;

/** Annotates each failed and each flaky test at its place, as far as GitHub shows them. */
export function tellTests(
  { results, flakyTasks, troubles, unreadable }: WatchedTests,
  { directory, workspace }: Project,
  host: Pick<Host, 'log'>,
): TestOutcome {
  for (const sentence of unreadable) host.log.warning(`a test report cannot be read: ${sentence}`);
  const tests = results && summarize(results);
  const told = (result: TestResult): FailedTest => {
    const place = placeOf(result, directory, workspace);
    return {
      name: result.name,
      failure: result.failure ?? '',
      gist: gist(result),
      ...(place !== undefined && { place }),
    };
  };
  const failedTests = tests?.failures.map(told) ?? [];
  const flaky: readonly FailedTest[] = [
    ...(tests?.flaky.map(told) ?? []),
    ...flakyTasks.map((name) => ({
      name,
      failure: '',
      gist: 'the task failed and then passed; no report names the test',
    })),
  ];
  for (const [at, { name, place, gist }] of failedTests.entries()) {
    if (at < MAX_ERRORS) host.log.error(`${name}: ${gist}`, place);
    else host.log.info(`failed: ${name}: ${gist}`);
  }
  for (const { name, place, gist } of flaky) {
    host.log.warning(`${name} is flaky: it failed and passed when run again. First it said: ${gist}`, place);
  }
  return { ...(tests && { tests }), failedTests, flaky, troubles };
}
