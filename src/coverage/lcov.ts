import { Gatherer, type ParsedCoverage, addLine } from './coverage.ts';

/**
 * Reads an lcov trace (geninfo(1)): records from `SF:<file>` to `end_of_record`, in which `DA:<line>,<hits>` stands for a
 * line. Written by c8, istanbul, Vitest, node --test, coverage.py and others.
 * @returns undefined when the text is none
 * @throws Error when a record is broken
 */
export function parseLcov(text: string): ParsedCoverage | undefined {
  if (!/^(?:TN:.*\r?\n|\s|#.*\r?\n)*SF:/.test(text.slice(0, 10_000))) return undefined;
  const gathered = new Gatherer();
  let lines: Map<number, number> | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trimEnd();
    if (line.startsWith('SF:')) lines = gathered.file(line.slice(3));
    else if (line === 'end_of_record') lines = undefined;
    else if (line.startsWith('DA:')) {
      const [, number, hits] = /^DA:(\d+),(-?\d+)/.exec(line) ?? [];
      if (number === undefined || lines === undefined) throw new Error(`is broken in line ${index + 1}`);
      addLine(lines, Number(number), Number(hits));
    }
  }
  if (lines !== undefined) throw new Error('is cut off: the last record has no end_of_record');
  return { files: gathered.files, roots: [] };
}
