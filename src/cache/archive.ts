import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { lstat, mkdir, realpath, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { inheritable } from '../action/exec.ts';
import { isObject } from '../project/json.ts';

/** Folders of one name below a folder, such as `node_modules` and `packages/web/node_modules`. */
export interface Folders {
  /** The folder that all of them lie in. */
  readonly base: string;
  /** What each of them is called, such as `node_modules`. */
  readonly name: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** What programs keep for themselves while they run: nobody needs it, and it changes while it is read. */
const UNKEPT = ['.cache', '.vite', '.vitest'];
/** Bytes of the line before the archive that names its folders. */
const MAX_HEAD = 256 * 1024;
/** Fast, and about as small as the levels above make it; the checksum finds what came wrong over the wire. */
const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 } };
const MAX_WORDS = 2000;

/**
 * Writes folders into a file: a line of JSON that names them, then a tar archive compressed by zstd.
 * @param folders relative to the base; none where an install has nothing to do
 * @throws Error where it cannot, or where something changes while it is read
 */
export async function pack(folders: readonly string[], file: string, place: Folders): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify({ folders })}\n`);
  const unkept = UNKEPT.map((one) => `--exclude=${place.name}/${one}`);
  if (folders.length === 0) return;
  const names = Readable.from(folders.map((one) => `./${one}\0`));
  const tar = startTar(['-cf', '-', '-C', place.base, ...unkept, '--null', '-T', '-'], place);
  await all([
    tar.ended,
    pipeline(names, tar.child.stdin),
    pipeline(tar.child.stdout, createZstdCompress(ZSTD), createWriteStream(file, { flags: 'a' })),
  ]);
}

/**
 * Brings back what {@link pack} wrote, in place of the folders that are there. Nothing is written outside of folders of
 * that name, whatever the archive says; where anything is wrong, none of them is left.
 * @returns the folders
 * @throws Error where it is not complete, or names other folders
 */
export async function unpack(content: AsyncIterable<Uint8Array>, place: Folders): Promise<readonly string[]> {
  const { head, rest } = await parted(content);
  const folders = foldersIn(head, place.name);
  for (const one of folders) await checkPlace(one, place.base);
  const clear = async (): Promise<void> => {
    for (const one of folders) await rm(path.join(place.base, one), { recursive: true, force: true });
  };
  await clear();
  if (folders.length === 0) return [];
  try {
    // The names are the only ones that tar takes out of the archive; it never follows a link of the archive by itself.
    const names = folders.map((one) => `./${one}`);
    // Read to its last byte: at the mark of its end tar would close the pipe, which may break the writer.
    const tar = startTar(['-xf', '-', '--ignore-zeros', '--no-same-owner', '-C', place.base, '--', ...names], place);
    tar.child.stdout.resume();
    await all([tar.ended, pipeline(Readable.from(rest), createZstdDecompress(), tar.child.stdin)]);
  } catch (error) {
    await clear();
    throw error;
  }
  return folders;
}

/** The line that names the folders, and what comes after it. */
async function parted(
  content: AsyncIterable<Uint8Array>,
): Promise<{ readonly head: string; readonly rest: AsyncIterable<Uint8Array> }> {
  const chunks = content[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (!head.includes(0x0a)) {
    const next = await chunks.next();
    if (next.done === true || head.length > MAX_HEAD) throw new Error('the entry does not say what is in it');
    head = Buffer.concat([head, next.value]);
  }
  const end = head.indexOf(0x0a);
  const first = head.subarray(end + 1);
  async function* rest(): AsyncGenerator<Uint8Array> {
    yield first;
    yield* { [Symbol.asyncIterator]: () => chunks };
  }
  return { head: head.subarray(0, end).toString(), rest: rest() };
}

function foldersIn(head: string, name: string): readonly string[] {
  const value: unknown = JSON.parse(head);
  const folders = isObject(value) ? value['folders'] : undefined;
  if (Array.isArray(folders) && folders.every((one) => isFolder(one, name))) return folders;
  throw new Error(`the entry holds other folders than ${name}`);
}

function isFolder(folder: unknown, name: string): folder is string {
  if (typeof folder !== 'string' || path.posix.normalize(folder) !== folder) return false;
  const words = folder.split('/');
  return words.indexOf(name) === words.length - 1 && words[0] !== '..' && words[0] !== '';
}

/** The folder above must be one of the checkout, so that no link in it leads elsewhere; the folder itself is no link. */
async function checkPlace(folder: string, base: string): Promise<void> {
  const above = path.dirname(path.join(base, folder));
  const real = path.join(await realpath(base), path.dirname(folder));
  if ((await realpath(above)) !== real) throw new Error(`${folder} leads out of the project`);
  const found = await lstat(path.join(base, folder)).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) throw new Error(`${folder} is no folder`);
}

/** All of them to their ends, whatever fails: a program that still writes must not be left behind. */
async function all(work: readonly Promise<void>[]): Promise<void> {
  for (const end of await Promise.allSettled(work)) if (end.status === 'rejected') throw end.reason;
}

interface Tar {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly ended: Promise<void>;
}

function startTar(args: readonly string[], { env, signal }: Folders): Tar {
  const child = spawn('tar', args, {
    env: { ...inheritable(env), TAR_OPTIONS: undefined },
    signal,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (more: string) => void (words = (words + more).slice(0, MAX_WORDS)));
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    // 1 says that something changed while it was read.
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`tar: ${words.trim() || code}`))));
  });
  // Whoever awaits the pipes first must not leave this one unheard.
  ended.catch(() => undefined);
  return { child, ended };
}
