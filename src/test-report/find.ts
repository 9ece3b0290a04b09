import { type Dirent, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../action/errors.ts';
import { parseJsonReport } from './json.ts';
import { parseJunit } from './junit.ts';
import type { TestResult } from './result.ts';

/** Reports lie near the top: a walk never goes deeper, reads more files or larger ones than this. */
const MAX_DEPTH = 5;
const MAX_FILES = 200;
const MAX_BYTES = 20_000_000;
/** Of all reports together, as XML of this size takes seconds to read. */
const MAX_TOTAL = 50_000_000;
const MAX_ENTRIES = 50_000;

/** File systems may keep whole seconds only: a fresh report is never taken for an old one. */
const GRACE_MS = 1000;

const SKIPPED = new Set(['node_modules', '.git', '.venv', 'venv', '.yarn', '.pnpm-store']);
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
  for (const { file, size } of candidates(directory, since)) {
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

function candidates(directory: string, since: number): readonly { readonly file: string; readonly size: number }[] {
  const files: { file: string; size: number }[] = [];
  let entries = 0;
  const visit = (folder: string, depth: number): void => {
    for (const entry of list(path.join(directory, folder))) {
      entries += 1;
      if (entries > MAX_ENTRIES || files.length >= MAX_FILES) return;
      const relative = path.join(folder, entry.name);
      if (entry.isDirectory() && depth < MAX_DEPTH && !SKIPPED.has(entry.name)) visit(relative, depth + 1);
      if (!entry.isFile() || !NAMED.test(relative)) continue;
      const { mtimeMs, size } = statSync(path.join(directory, relative));
      if (mtimeMs >= since - GRACE_MS) files.push({ file: relative, size });
    }
  };
  visit('', 0);
  return files;
}

function list(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}
