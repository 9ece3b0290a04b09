import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import { UserError } from '../action/errors.ts';

/** A file to be packed. */
export interface Packed {
  /** Absolute. */
  readonly file: string;
  /** Within the archive, with `/`. */
  readonly name: string;
  readonly size: number;
  readonly mode: number;
}

const MAX_FILES = 100_000;
/** actions/checkout and npm keep tokens there, and who may read an artifact may be anyone. */
const SECRET = new Set(['.git', '.npmrc']);
/** What GitHub takes of one artifact, unpacked. */
const MAX_BYTES = 10 * 1024 ** 3;

/**
 * The files of a folder, or the one file, in the order of their names. Links are left out, as they may lead anywhere,
 * and so is what holds tokens.
 * @throws UserError when there is none, or more than an artifact may hold
 */
export async function filesOf(start: string, shown: string): Promise<readonly Packed[]> {
  const first = await lstat(start).catch(() => undefined);
  if (first?.isFile() === true) return [packed(start, path.basename(start), first)];
  if (first?.isDirectory() !== true) {
    throw new UserError(`input artifact: there is no folder or file ${JSON.stringify(shown)} in the directory`, {
      remedy: 'Give the path that the build writes to, relative to the input directory.',
    });
  }
  const files: Packed[] = [];
  let bytes = 0;
  const folders = [''];
  for (const folder of folders) {
    for (const entry of await readdir(path.join(start, folder), { withFileTypes: true })) {
      if (SECRET.has(entry.name)) continue;
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) folders.push(name);
      if (!entry.isFile()) continue;
      const one = packed(path.join(start, name), name, await lstat(path.join(start, name)));
      files.push(one);
      bytes += one.size;
      if (files.length > MAX_FILES || bytes > MAX_BYTES) {
        throw new UserError(
          `input artifact: ${shown} holds more than ${MAX_FILES} files or ${MAX_BYTES / 1024 ** 3} GiB`,
          {
            remedy: 'Name a folder that holds only what is wanted.',
          },
        );
      }
    }
  }
  if (files.length === 0)
    throw new UserError(`input artifact: ${shown} holds no files`, { remedy: 'Check that the build writes there.' });
  return files.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function packed(file: string, name: string, { size, mode }: { readonly size: number; readonly mode: number }): Packed {
  return { file, name, size, mode };
}

/** The archive as it grows. All files have the time given, so that the same files make the same archive. */
export function zipOf(files: readonly Packed[], time: Date): Readable {
  const zip = new ZipFile();
  // An error of a file's stream comes on the archive, not on its output.
  zip.on('error', (error: unknown) => void output.destroy(error instanceof Error ? error : new Error(String(error))));
  const output = zip.outputStream as Readable;
  for (const { file, name, mode } of files) zip.addFile(file, name, { mtime: time, mode });
  zip.end();
  return output;
}
