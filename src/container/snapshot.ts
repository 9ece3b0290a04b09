import { constants } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readlink, symlink } from 'node:fs/promises';
import path from 'node:path';
import { eachOf } from '../task/each.ts';
import type { ContextFile } from './content.ts';

/** Copies wait for the disk more than for a core. */
const AT_ONCE = 16;

/**
 * The files of a build context as they are now, in a new folder below `temp`, so that what runs later changes nothing of
 * them. Copies and no hard links: what rewrites a file in its place would reach through a link. Where the file system
 * shares blocks, nothing is written.
 */
export async function takeSnapshot(files: readonly ContextFile[], temp: string): Promise<string> {
  await mkdir(temp, { recursive: true });
  const root = await mkdtemp(path.join(temp, 'context-'));
  const folders = new Set(files.map((file) => path.dirname(path.join(root, file.path))));
  for (const folder of folders) await mkdir(folder, { recursive: true });
  await eachOf(files, AT_ONCE, async ({ path: name, source, kind }) => {
    const copy = path.join(root, name);
    if (kind === 'link') await symlink(await readlink(source), copy);
    else await copyFile(source, copy, constants.COPYFILE_FICLONE);
  });
  return root;
}
