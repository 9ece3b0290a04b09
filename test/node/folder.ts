import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReadFile } from '../../src/project/project.ts';

/** Gives `use` a reader of a real temporary folder with these files; the folder is removed afterwards. */
export function inFolder<T>(files: Readonly<Record<string, string | object>>, use: (read: ReadFile) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'node-project-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
    }
    return use((file) => readIfThere(join(folder, file)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The error that `attempt` ends with; fails when it ends well. */
export function errorOf(attempt: () => unknown): unknown {
  try {
    attempt();
  } catch (error) {
    return error;
  }
  throw new Error('no error was thrown');
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
