import { readFileSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../action/errors.ts';
import { recentFiles } from '../project/recent-files.ts';
import { parseJsonReport } from './json.ts';
import { parseJunit } from './junit.ts';
import type { TestResult } from './result.ts';

const MAX_BYTES = 20_000_000;
/** Of all reports together, as XML of this size takes seconds to read. */
const MAX_TOTAL = 50_000_000;

/** In the file's name or a folder's: Gradle writes build/test-results/test/TEST-….xml, vitest .vitest/json/output.json. */
const NAMED = /(junit|test|report|result).*\.(xml|json)$/i;

/** What the reports in a folder said. */
export interface TestReports {
  /** Files that were reports, relative to the folder. */
  readonly files: readonly string[];
  readonly results: readonly TestResult[];
  /** Files that look like reports and could not be read: a sentence each. */
  readonly unreadable: readonly string[];
}

/**
 * Finds the test reports under `directory` written at or after `since` (milliseconds since 1970), by name
 * (`junit.xml`, `test-results/TEST-1.xml`, `jest-results.json`) and by content. Older ones belong to another run.
 */
export function findTestReports(directory: string, since: number): TestReports {
  const found: { files: string[]; results: TestResult[]; unreadable: string[] } = {
    files: [],
    results: [],
    unreadable: [],
  };
  let total = 0;
  for (const { file, size } of recentFiles(directory, since, NAMED)) {
    try {
      if (size > MAX_BYTES) throw new Error(`is larger than ${MAX_BYTES / 1e6} MB`);
      total += size;
      if (total > MAX_TOTAL) throw new Error(`is left out: all reports together are larger than ${MAX_TOTAL / 1e6} MB`);
      const results = parse(file, readFileSync(path.join(directory, file), 'utf8'));
      if (results === undefined) continue;
      found.files.push(file);
      found.results.push(...results);
    } catch (error) {
      found.unreadable.push(`${file} ${messageOf(error)}`);
    }
  }
  return found;
}

function parse(file: string, text: string): readonly TestResult[] | undefined {
  return file.endsWith('.xml') ? parseJunit(text) : parseJsonReport(JSON.parse(text));
}
