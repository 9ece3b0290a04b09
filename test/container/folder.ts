import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** What a file of a test's folder holds: its text, with `x` for an executable, or the target of a link. */
export type Entry = string | { readonly x: string } | { readonly link: string };

/** Gives `use` a real temporary folder with these files; it is removed afterwards. */
export async function withFolder<T>(
  files: Readonly<Record<string, Entry>>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'container-'));
  try {
    for (const [name, entry] of Object.entries(files)) await place(join(folder, name), entry);
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function place(path: string, entry: Entry): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if (typeof entry === 'object' && 'link' in entry) return symlink(entry.link, path);
  await writeFile(path, typeof entry === 'string' ? entry : entry.x);
  await chmod(path, typeof entry === 'string' ? 0o644 : 0o755);
}
