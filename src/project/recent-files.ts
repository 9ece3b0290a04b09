import { type Dirent, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

/** A file that was found, relative to the folder searched, and its size in bytes. */
export interface RecentFile {
  readonly file: string;
  readonly size: number;
}

/** Reports lie near the top: a walk never goes deeper nor takes more files than this. */
const MAX_DEPTH = 5;
const MAX_FILES = 200;
const MAX_ENTRIES = 50_000;

/** File systems may keep whole seconds only: a fresh file is never taken for an old one. */
const GRACE_MS = 1000;

const SKIPPED = new Set(['node_modules', '.git', '.venv', 'venv', '.yarn', '.pnpm-store']);

/**
 * The files under `directory` written at or after `since` (milliseconds since 1970) whose path from there fits `named`, in
 * the order of their names; links are not followed.
 */
export function recentFiles(directory: string, since: number, named: RegExp): readonly RecentFile[] {
  const files: RecentFile[] = [];
  let entries = 0;
  const visit = (folder: string, depth: number): void => {
    for (const entry of list(path.join(directory, folder))) {
      entries += 1;
      if (entries > MAX_ENTRIES || files.length >= MAX_FILES) return;
      const relative = path.join(folder, entry.name);
      if (entry.isDirectory() && depth < MAX_DEPTH && !SKIPPED.has(entry.name)) visit(relative, depth + 1);
      if (!entry.isFile() || !named.test(relative)) continue;
      const found = statSync(path.join(directory, relative), { throwIfNoEntry: false });
      if (found !== undefined && found.mtimeMs >= since - GRACE_MS) files.push({ file: relative, size: found.size });
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
