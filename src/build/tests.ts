import type { Host } from '../action/host.ts';
import type { Project } from '../project/project.ts';
import { findTestReports } from '../test-report/find.ts';
import { placeOf } from '../test-report/place.ts';
import { type TestSummary, summarize } from '../test-report/result.ts';
import { type FailedTest, gist } from './failed-tests.ts';

/** What the tests of a build said. */
export interface TestOutcome {
  /** Absent where no report was found. */
  readonly tests?: TestSummary;
  readonly failedTests: readonly FailedTest[];
}

/** Reads the reports that were written since a time (milliseconds since 1970), and annotates each failed test. */
export function readTests({ directory, workspace }: Project, since: number, host: Pick<Host, 'log'>): TestOutcome {
  const { files, results, unreadable } = findTestReports(directory, since);
  for (const sentence of unreadable) host.log.warning(`a test report cannot be read: ${sentence}`);
  if (files.length === 0) return { failedTests: [] };
  const tests = summarize(results);
  const failedTests = tests.failures.map((result) => {
    const place = placeOf(result, directory, workspace);
    return { name: result.name, failure: result.failure ?? '', ...(place !== undefined && { place }) };
  });
  for (const { name, place, failure } of failedTests) host.log.error(`${name}: ${gist(failure)}`, place);
  return { tests, failedTests };
}
