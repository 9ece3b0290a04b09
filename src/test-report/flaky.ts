import type { TestResult } from './result.ts';

/**
 * The results of a task that was run several times, as one: those of the last run, in which a test that passed there and
 * failed in an earlier run is flaky.
 */
export function mergeAttempts(attempts: readonly (readonly TestResult[])[]): readonly TestResult[] {
  const failedBefore = new Map(
    attempts
      .slice(0, -1)
      .flat()
      .filter(({ status }) => status === 'failed')
      .map((test) => [keyOf(test), test]),
  );
  return (attempts.at(-1) ?? []).map((test) => {
    const before = failedBefore.get(keyOf(test));
    if (before === undefined || test.status !== 'passed') return test;
    const { failure, expected, actual } = before;
    return {
      ...test,
      flaky: true,
      ...(failure !== undefined && { failure }),
      ...(expected !== undefined && { expected }),
      ...(actual !== undefined && { actual }),
    };
  });
}

/**
 * Results of several reports as one: a test that the recorder told is not told again by a report that the project writes
 * by itself. They name suites in their own ways, so tests are known by their title and how they ended.
 */
export function withoutRepeated(recorded: readonly TestResult[], found: readonly TestResult[]): readonly TestResult[] {
  const known = new Set(recorded.flatMap((test) => spellings(test.name).map((name) => `${test.status} ${name}`)));
  return found.filter((test) => !spellings(test.name).some((name) => known.has(`${test.status} ${name}`)));
}

/** `cart › adds` also as `adds`, and as `cart adds`, which jest-junit writes. */
function spellings(name: string): readonly string[] {
  const titles = name.split(/ [›>] /);
  return [titles.at(-1) ?? name, titles.join(' ')];
}

function keyOf({ name, file }: TestResult): string {
  return JSON.stringify([name, file]);
}
