import type { Host } from '../action/host.ts';
import { changedLines } from '../coverage/changed.ts';
import { findCoverage } from '../coverage/find.ts';
import { type CoverageOutcome, type Thresholds, judgeCoverage } from '../coverage/outcome.ts';
import type { Project } from '../project/project.ts';

/** As many notes on uncovered lines as still help; a summary has them all. */
const MAX_NOTICES = 5;

/**
 * Reads the coverage reports written since a time (milliseconds since 1970), and notes changed lines that no test ran.
 * Undefined where there is none and none is wanted.
 */
export async function measureCoverage(
  { directory, workspace }: Project,
  since: number,
  wanted: Thresholds,
  host: Pick<Host, 'exec' | 'info' | 'log'>,
): Promise<CoverageOutcome | undefined> {
  const coverage = findCoverage(directory, workspace, since);
  for (const sentence of coverage.unreadable) host.log.warning(`a coverage report cannot be read: ${sentence}`);
  const changed = coverage.reports.length > 0 ? await changedLines(host) : undefined;
  const outcome = judgeCoverage(coverage, changed, wanted);
  const open =
    outcome?.changed?.files.flatMap(({ file, uncovered }) => uncovered.map((range) => ({ file, ...range }))) ?? [];
  // The longest first, as they are what a test is missing for.
  const shown = open.toSorted((a, b) => b.to - b.from - (a.to - a.from)).slice(0, MAX_NOTICES);
  for (const { file, from, to } of shown) {
    const what = from === to ? 'This changed line is' : `These ${to - from + 1} changed lines are`;
    host.log.notice(`${what} not covered by a test`, { file, line: from, ...(to > from && { endLine: to }) });
  }
  return outcome;
}
