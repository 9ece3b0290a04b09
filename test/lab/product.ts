import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Copies what a caller gets of this repository into `folder`, with its workflows in the words that act knows: `$/` and
 * `queue` are younger than act, and here one runner works for one caller anyway.
 */
export async function copyProduct(root: string, folder: string): Promise<void> {
  for (const part of ['actions', 'dist']) await cp(join(root, part), join(folder, part), { recursive: true });
  const workflows = join('.github', 'workflows');
  await mkdir(join(folder, workflows), { recursive: true });
  for (const name of await readdir(join(root, workflows))) {
    const text = await readFile(join(root, workflows, name), 'utf8');
    const known = text.replaceAll(/\$\/(\S+)/g, 'logicore/delivery-actions/$1@v1').replaceAll(/^ +queue: max\n/gm, '');
    await writeFile(join(folder, workflows, name), known);
  }
}
