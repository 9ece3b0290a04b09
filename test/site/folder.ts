import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Memory in place of a disk, where the system has such a folder: for tests of very many files. */
export const QUICK = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** A folder with files in it, gone when `use` ends. */
export async function withFiles<T>(
  files: Readonly<Record<string, string | Buffer>>,
  use: (folder: string) => Promise<T>,
  within = tmpdir(),
): Promise<T> {
  const folder = mkdtempSync(path.join(within, 'site-'));
  try {
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
      writeFileSync(path.join(folder, file), content);
    }
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
