import { readdirSync } from 'node:fs';
import path from 'node:path';
import { readerOf } from '../project/project.ts';
import type { SourceTree } from './project.ts';

/** Folders that hold no sources of the project's own. */
const ELSEWHERE = new Set(['node_modules', 'venv', '__pycache__', 'build', 'dist', 'site-packages']);
/** Far more files than any service has; what lies deeper or later starts none. */
const MAX_FILES = 20_000;
const MAX_DEPTH = 8;

/** The sources below a folder, without hidden folders and those of tools; links are not followed. */
export function openTree(folder: string): SourceTree {
  const files: string[] = [];
  const visit = (relative: string, depth: number): void => {
    for (const entry of readdirSync(path.join(folder, relative), { withFileTypes: true })) {
      if (files.length >= MAX_FILES) return;
      const name = relative === '' ? entry.name : `${relative}/${entry.name}`;
      if (entry.isFile()) files.push(name);
      else if (entry.isDirectory() && depth < MAX_DEPTH && !entry.name.startsWith('.') && !ELSEWHERE.has(entry.name)) {
        visit(name, depth + 1);
      }
    }
  };
  visit('', 0);
  return { files, read: readerOf(folder) };
}
