/** Which lines of a file tests ran: line (from 1) to how often; only lines that hold code are in it. */
export type Lines = ReadonlyMap<number, number>;

/** What reports say of each file, by its name as the report has it. */
export interface ParsedCoverage {
  readonly files: ReadonlyMap<string, Lines>;
  /** Folders that file names may be relative to, as the report names them. */
  readonly roots: readonly string[];
  /** Totals of a report that tells no lines. */
  readonly total?: Total;
}

/** Lines that hold code, and those of them that ran. */
export interface Total {
  readonly total: number;
  readonly covered: number;
}

/** A report larger than this in files or lines is refused. */
export const MAX_FILES = 50_000;
export const MAX_LINE = 5_000_000;

/** Gathers the lines of one report; lines told twice keep the higher count. */
export class Gatherer {
  readonly files = new Map<string, Map<number, number>>();

  /** @throws Error when there are too many files */
  file(name: string): Map<number, number> {
    const lines = this.files.get(name) ?? new Map<number, number>();
    this.files.set(name, lines);
    if (this.files.size > MAX_FILES) throw new Error(`names more than ${MAX_FILES} files`);
    return lines;
  }
}

/** Adds a line; what is no line or no count is left out. */
export function addLine(lines: Map<number, number>, line: number, hits: number): void {
  if (!Number.isInteger(line) || line < 1 || line > MAX_LINE || !Number.isFinite(hits)) return;
  lines.set(line, Math.max(lines.get(line) ?? 0, hits));
}

/** How many lines of a file hold code and how many of them ran. */
export function totalOf(lines: Iterable<number>): Total {
  let total = 0;
  let covered = 0;
  for (const hits of lines) {
    total += 1;
    if (hits > 0) covered += 1;
  }
  return { total, covered };
}

/** Percent, rounded down to one digit so that 79.96 never reads as 80; 100 where there is nothing to cover. */
export function percentOf({ total, covered }: Total): number {
  return total === 0 ? 100 : Math.floor((covered / total) * 1000) / 10;
}
