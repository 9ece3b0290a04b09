import { type StdioOptions, spawn } from 'node:child_process';

/** How many checks passed and failed. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** The numbers of a `jest --json` report that count. */
export interface JestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  /** Test files that failed before or beside their tests, such as those that do not load. */
  readonly numRuntimeErrorTestSuites: number;
}

/** One check that either holds or does not. */
export function verdict(holds: boolean): Tally {
  return holds ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** What a jest run adds; without a report, or with a failing exit code and no failed test, the run itself failed. */
export function jestTally(report: JestReport | undefined, exitCode: number): Tally {
  if (!report) return { passed: 0, failed: 1 };
  const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
  return { passed: report.numPassedTests, failed: exitCode !== 0 && failed === 0 ? 1 : failed };
}

/** All tallies together. */
export function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce((a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed }), {
    passed: 0,
    failed: 0,
  });
}

/** The last line of a run: `12 passed, 0 failed`. */
export function show({ passed, failed }: Tally): string {
  return `${passed} passed, ${failed} failed`;
}

/**
 * Runs a program in sight of the person watching, or, where another one is in sight, with its output at the end.
 * @returns its exit code, 1 when a signal ended it
 */
export function watch(
  program: string,
  args: readonly string[],
  { env = {}, later = false }: { readonly env?: NodeJS.ProcessEnv; readonly later?: boolean } = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const stdio: StdioOptions = later ? ['ignore', 'pipe', 'pipe'] : 'inherit';
    const child = spawn(program, args, { stdio, env: { ...process.env, ...env } });
    const said: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => said.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      process.stdout.write(Buffer.concat(said));
      resolve(code ?? 1);
    });
  });
}
