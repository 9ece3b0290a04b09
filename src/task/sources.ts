import { createHash } from 'node:crypto';
import { lstat, readFile, readdir, readlink } from 'node:fs/promises';
import path from 'node:path';
import type { Host } from '../action/host.ts';

/** What a commit's tasks work on. */
export interface Sources {
  /** Of every file of the checkout and the project's place in it: equal where all of them are equal. */
  readonly hash: string;
  /** The commit that is checked out. */
  readonly commit: string;
}

/** Files beside the commit's own are read up to here; a checkout with more of them is taken for unlike any other. */
const MAX_FILES = 2000;
const MAX_BYTES = 50_000_000;

/**
 * Hashes the whole checkout that a folder lies in: a task may read any file of the repository. The commit's own files
 * are known by git's tree, so that none of them is read; what differs from it or is not in it, ignored files too, is
 * read, since a step before this one may have made it.
 * @param skipped folders that are made by installs, such as `node_modules`, which the lockfile decides
 * @returns undefined outside of a repository, or where there is too much beside the commit
 */
export async function hashSources(
  directory: string,
  skipped: readonly string[],
  { exec }: Pick<Host, 'exec'>,
): Promise<Sources | undefined> {
  const git = async (...args: string[]): Promise<string | undefined> => {
    const { exitCode, stdout } = await exec
      .ask('git', args, { cwd: directory })
      .catch(() => ({ exitCode: 1, stdout: '' }));
    return exitCode === 0 ? stdout : undefined;
  };
  const [head, status] = await Promise.all([
    git('rev-parse', 'HEAD', 'HEAD^{tree}', '--show-toplevel', '--show-prefix'),
    git('status', '--porcelain=v1', '-z', '--untracked-files=all', '--ignored=matching', '--no-renames'),
  ]);
  const [commit, tree, top, prefix = ''] = (head ?? '').split('\n');
  if (status === undefined || !commit || !tree || !top) return undefined;
  const sum = createHash('sha256').update(JSON.stringify([tree, prefix]));
  const beside = status.split('\0').filter((line) => line !== '');
  const left = { files: MAX_FILES, bytes: MAX_BYTES };
  const added = await addFiles(
    beside.map((line) => line.slice(3)).filter((name) => !isSkipped(name, skipped)),
    { top, skipped, sum, left },
  );
  return added ? { hash: sum.digest('hex'), commit } : undefined;
}

interface Adding {
  readonly top: string;
  readonly skipped: readonly string[];
  readonly sum: ReturnType<typeof createHash>;
  readonly left: { files: number; bytes: number };
}

/** Whether all of them could be added. */
async function addFiles(names: readonly string[], adding: Adding): Promise<boolean> {
  const { top, skipped, sum, left } = adding;
  for (const name of names.toSorted((a, b) => (a < b ? -1 : 1))) {
    const file = path.join(top, name);
    const stats = await lstat(file).catch(() => undefined);
    if (stats?.isDirectory() === true) {
      const inside = (await readdir(file)).map((one) => `${name.replace(/\/$/, '')}/${one}`);
      if (
        !(await addFiles(
          inside.filter((one) => !isSkipped(one, skipped)),
          adding,
        ))
      )
        return false;
      continue;
    }
    left.files -= 1;
    left.bytes -= stats?.size ?? 0;
    if (left.files < 0 || left.bytes < 0) return false;
    // A file that is gone counts too: git names it as deleted.
    const kind = stats === undefined ? 'gone' : stats.isSymbolicLink() ? 'link' : stats.isFile() ? 'file' : 'other';
    sum.update(JSON.stringify([name, kind, (stats?.mode ?? 0) & 0o100]));
    if (kind === 'file') sum.update(await readFile(file));
    if (kind === 'link') sum.update(await readlink(file));
    sum.update('\0');
  }
  return true;
}

function isSkipped(name: string, skipped: readonly string[]): boolean {
  return name.split('/').some((part) => skipped.includes(part));
}
