import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Recording, parseEvents } from './events.ts';
import { findTestReports } from './find.ts';

/** The recorders: src/recorders, and the same in dist/, where this stands in a folder beside them. */
const RECORDERS = fileURLToPath(new URL('../recorders/', import.meta.url));

/** As much as a recorder writes. */
const MAX_BYTES = 20_000_000;
const MAX_FILES = 50;

/** What the recorders and reporters of one run wrote, and why some of it could not be read. */
export interface RecordedRun extends Recording {
  readonly unreadable: readonly string[];
}

/** A new folder under `temp` with the recorders in it: there one run of a test task writes what happens. */
export function recordingFolder(temp: string): string {
  mkdirSync(temp, { recursive: true });
  const folder = mkdtempSync(path.join(temp, 'tests-'));
  for (const name of readdirSync(RECORDERS)) copyFileSync(path.join(RECORDERS, name), path.join(folder, name));
  return folder;
}

/**
 * Reads what was written into the folder of a run, and removes it. A project's own programs may have written there too,
 * so nothing of it is trusted.
 */
export function readRecording(folder: string): RecordedRun {
  const reports = findTestReports(folder, 0);
  const results = [...reports.results];
  const open: Recording['open'][number][] = [];
  for (const text of eventFiles(folder)) {
    const recorded = parseEvents(text);
    results.push(...recorded.results);
    open.push(...recorded.open);
  }
  rmSync(folder, { recursive: true, force: true });
  return { results, open, unreadable: reports.unreadable };
}

function eventFiles(folder: string): readonly string[] {
  const names = readdirSync(folder).filter((name) => /^events-.*\.ndjson$/.test(name));
  return names
    .slice(0, MAX_FILES)
    .map((name) => path.join(folder, name))
    .filter((file) => statSync(file).isFile() && statSync(file).size <= MAX_BYTES)
    .map((file) => readFileSync(file, 'utf8'));
}
