import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Host } from '../action/host.ts';

/**
 * Lends `use` texts as the secrets of a build, by the ids that `RUN --mount=type=secret` names: files that only this
 * user reads and that are removed afterwards.
 */
export async function withSecretFiles<T>(
  texts: ReadonlyMap<string, string>,
  { info }: Pick<Host, 'info'>,
  use: (files: ReadonlyMap<string, string>) => Promise<T>,
): Promise<T> {
  if (texts.size === 0) return use(new Map());
  await mkdir(info.temp, { recursive: true });
  const folder = await mkdtemp(path.join(info.temp, 'secrets-'));
  try {
    const files = new Map([...texts.keys()].map((id, index) => [id, path.join(folder, String(index))]));
    for (const [id, text] of texts) await writeFile(files.get(id) ?? '', text, { mode: 0o600 });
    return await use(files);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
