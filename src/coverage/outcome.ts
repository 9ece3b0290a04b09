import type { Changed, Unknown } from './changed.ts';
import { type Lines, type Total, percentOf, totalOf } from './coverage.ts';
import type { Coverage } from './find.ts';

/** Lines `from` to `to`, both included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** A changed file with lines that hold code. */
export interface ChangedFile extends Total {
  readonly file: string;
  /** Changed lines that no test ran. */
  readonly uncovered: readonly Range[];
}

/** What the summary, the outputs and the verdict say of coverage. */
export interface CoverageOutcome {
  readonly total: Total;
  /** Every file, the one with the most uncovered lines first. */
  readonly files: readonly (Total & { readonly file: string })[];
  /** Absent where no base is known to compare with; then `unknown` may say why. */
  readonly changed?: Total & { readonly by: string; readonly files: readonly ChangedFile[] };
  readonly unknown?: string;
  /** Why the build fails for it; absent when it does not. */
  readonly failure?: { readonly why: string; readonly whatToDo: string };
}

/** Percent that the lines have to reach; absent where it does not matter. */
export interface Thresholds {
  readonly overall?: number;
  readonly changed?: number;
}

/**
 * Puts the coverage beside what was changed and what is wanted. Undefined where no report was found and none is wanted.
 */
export function judgeCoverage(
  coverage: Coverage,
  changed: Changed | Unknown | undefined,
  wanted: Thresholds,
): CoverageOutcome | undefined {
  if (coverage.reports.length === 0) {
    if (wanted.overall === undefined && wanted.changed === undefined) return undefined;
    return { total: { total: 0, covered: 0 }, files: [], failure: noReport(coverage.unreadable) };
  }
  const files = [...coverage.files].map(([file, lines]) => ({ file, ...totalOf(lines.values()) }));
  const known = changed !== undefined && 'lines' in changed ? changedOf(coverage, changed) : undefined;
  const unknown = changed !== undefined && 'unknown' in changed ? changed.unknown : undefined;
  const failure = failureOf(coverage.total, known, unknown, wanted);
  return {
    total: coverage.total,
    files: files.toSorted((a, b) => b.total - b.covered - (a.total - a.covered) || (a.file < b.file ? -1 : 1)),
    ...(known && { changed: known }),
    ...(unknown !== undefined && { unknown }),
    ...(failure && { failure }),
  };
}

function changedOf(coverage: Coverage, { by, lines }: Changed): NonNullable<CoverageOutcome['changed']> {
  const files = [...lines].flatMap(([file, numbers]) => {
    const known = coverage.files.get(file);
    if (known === undefined) return [];
    const hits = [...known].filter(([line]) => numbers.has(line)).map(([, count]) => count);
    return hits.length === 0 ? [] : [{ file, ...totalOf(hits), uncovered: rangesOf(known, numbers) }];
  });
  const sum = (of: 'total' | 'covered'): number => files.reduce((before, file) => before + file[of], 0);
  return { by, total: sum('total'), covered: sum('covered'), files };
}

/** The changed lines that did not run, as ranges: lines without code between two of them do not part a range. */
function rangesOf(lines: Lines, changed: ReadonlySet<number>): readonly Range[] {
  const ranges: { from: number; to: number }[] = [];
  let open: { from: number; to: number } | undefined;
  for (const line of [...changed].toSorted((a, b) => a - b)) {
    const hits = lines.get(line);
    if (hits === undefined) continue;
    if (hits > 0) open = undefined;
    else if (open !== undefined && gapless(lines, changed, open.to, line)) open.to = line;
    else ranges.push((open = { from: line, to: line }));
  }
  return ranges;
}

function gapless(lines: Lines, changed: ReadonlySet<number>, from: number, to: number): boolean {
  for (let line = from + 1; line < to; line += 1) if (!changed.has(line) || lines.has(line)) return false;
  return true;
}

function failureOf(
  total: Total,
  changed: CoverageOutcome['changed'],
  unknown: string | undefined,
  wanted: Thresholds,
): CoverageOutcome['failure'] {
  if (wanted.overall !== undefined && below(total, wanted.overall)) {
    return {
      why: `tests cover ${percentOf(total)} % of the lines, less than coverage-threshold (${wanted.overall} %)`,
      whatToDo: 'Test what the table names, or lower the input `coverage-threshold`.',
    };
  }
  if (wanted.changed === undefined) return undefined;
  if (changed !== undefined && below(changed, wanted.changed)) {
    return {
      why: `tests cover ${percentOf(changed)} % of the lines that this ${changed.by} changes, less than coverage-threshold-changed (${wanted.changed} %)`,
      whatToDo: 'Test the lines that the table names, or lower the input `coverage-threshold-changed`.',
    };
  }
  if (unknown === undefined) return undefined;
  const [why = '', whatToDo = ''] = unknown.split(': ');
  return {
    why: `coverage-threshold-changed cannot be checked: ${why}`,
    whatToDo: whatToDo === '' ? '' : `Set it: ${whatToDo}.`,
  };
}

function below({ total, covered }: Total, percent: number): boolean {
  return total > 0 && covered * 100 < percent * total;
}

function noReport(unreadable: readonly string[]): NonNullable<CoverageOutcome['failure']> {
  const [first] = unreadable;
  return {
    why:
      first === undefined
        ? 'a coverage threshold is set, but the tests wrote no coverage report'
        : `a coverage threshold is set, but the coverage report cannot be read: ${first}`,
    whatToDo:
      'Let the test script write one, as lcov, Cobertura XML or istanbul JSON: `c8 --reporter=lcov`, `vitest run --coverage`, `jest --coverage`, `pytest --cov --cov-report=xml`.',
  };
}
