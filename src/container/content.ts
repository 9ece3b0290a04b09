import { createHash, hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readFile, readdir, readlink } from 'node:fs/promises';
import path from 'node:path';
import { UserError, messageOf } from '../action/errors.ts';
import { eachOf } from '../task/each.ts';
import { type Ignore, type Verdict, parseIgnore } from './dockerignore.ts';

/** One file of a build context. */
export interface ContextFile {
  /** From the context's root, with `/` between its parts. */
  readonly path: string;
  /** Where it can be read. */
  readonly source: string;
  readonly kind: 'file' | 'link';
  readonly executable: boolean;
  /** Bytes. */
  readonly size: number;
}

/** Everything that decides what an image contains. */
export interface Content {
  readonly files: readonly ContextFile[];
  /** Text of the Dockerfile. */
  readonly dockerfile: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** Such as `linux/amd64`; the order does not count. */
  readonly platforms?: readonly string[];
  readonly target?: string;
  /** Digests of the base images, by their names; a base that could not be resolved is left out. */
  readonly bases?: Readonly<Record<string, string>>;
  /** The labels that stay the same from commit to commit: see labels.ts. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** Raised when the same inputs would give another hash, so that old tags are not taken for today's. */
const VERSION = 'delivery-actions content 1';
/** The thread pool of Node reads four files at once; some more keep it busy. */
const AT_ONCE = 16;
const READ_WHOLE = 1024 * 1024;
const MAX_IGNORE_FILE = 1024 * 1024;

/**
 * The files that docker would see as the build context: those that the ignore file leaves, `.git` never among them.
 * `<dockerfile>.dockerignore` beside the Dockerfile wins over `.dockerignore` of the context. Empty folders, sockets
 * and pipes are left out; git knows none of them.
 * @param dockerfilePath the Dockerfile, when it is not the one in the directory
 * @param rules text of an ignore file that stands in place of both
 * @returns sorted by path
 * @throws UserError when the ignore file has a bad pattern, or a file cannot be read
 */
export async function contextFiles(
  directory: string,
  dockerfilePath?: string,
  rules?: string,
): Promise<readonly ContextFile[]> {
  const dockerfile = dockerfilePath ?? path.join(directory, 'Dockerfile');
  const ignore = rules === undefined ? await readIgnore(directory, dockerfile) : parseIgnore(rules);
  const files: ContextFile[] = [];
  const visit = async (folder: string, parent?: Verdict): Promise<void> => {
    const entries = await readdir(path.join(directory, folder), { withFileTypes: true }).catch((error: unknown) => {
      throw unreadable(folder === '' ? directory : folder, error);
    });
    for (const entry of entries) {
      if (entry.name === '.git') continue;
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      const verdict = ignore.judge(name, parent);
      if (entry.isDirectory()) {
        if (!verdict.excluded || ignore.mayTakeBackBelow(name)) await visit(name, verdict);
      } else if (!verdict.excluded && (entry.isFile() || entry.isSymbolicLink())) {
        files.push(await describeFile(directory, name));
      }
    }
  };
  await visit('');
  return files.toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

/**
 * A hash of all that decides what an image contains: equal on every machine and checkout of the same content.
 * Of a file count its path, its bytes (of a link its target) and whether it is executable, which is what git keeps.
 * @returns 64 hexadecimal digits
 */
export async function contentHash(content: Content): Promise<string> {
  const whole = createHash('sha256');
  // Each entry is JSON on a line of its own, so that no two contents run into the same text.
  const add = (...entry: readonly unknown[]): void => void whole.update(`${JSON.stringify(entry)}\n`);
  add(VERSION);
  add('dockerfile', content.dockerfile);
  add('build-args', sorted(content.buildArgs));
  add('platforms', [...new Set(content.platforms)].toSorted());
  add('target', content.target ?? '');
  add('bases', sorted(content.bases));
  add('labels', sorted(content.labels));
  const sums = await eachOf(content.files, AT_ONCE, sumOf);
  for (const [index, { path, kind, executable }] of content.files.entries()) add(kind, path, executable, sums[index]);
  return whole.digest('hex');
}

async function readIgnore(directory: string, dockerfile: string): Promise<Ignore> {
  for (const file of [`${dockerfile}.dockerignore`, path.join(directory, '.dockerignore')]) {
    const shown = path.relative(directory, file);
    const stats = await lstat(file).catch(() => undefined);
    if (stats === undefined) continue;
    if (stats.size > MAX_IGNORE_FILE) {
      throw new UserError(`${shown} is larger than ${MAX_IGNORE_FILE} bytes.`, {
        remedy: 'Write patterns for folders instead of naming each file.',
        place: { file: shown },
      });
    }
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      throw unreadable(shown, error);
    });
    return parseIgnore(text, shown);
  }
  return parseIgnore('');
}

async function describeFile(directory: string, name: string): Promise<ContextFile> {
  const source = path.join(directory, name);
  const stats = await lstat(source).catch((error: unknown) => {
    throw unreadable(name, error);
  });
  const link = stats.isSymbolicLink();
  return {
    path: name,
    source,
    kind: link ? 'link' : 'file',
    executable: !link && (stats.mode & 0o100) !== 0,
    size: stats.size,
  };
}

async function sumOf({ path: name, source, kind, size }: ContextFile): Promise<string> {
  try {
    if (kind === 'link') return hash('sha256', await readlink(source));
    if (size <= READ_WHOLE) return hash('sha256', await readFile(source));
    const sum = createHash('sha256');
    for await (const chunk of createReadStream(source) as AsyncIterable<Buffer>) sum.update(chunk);
    return sum.digest('hex');
  } catch (error) {
    throw unreadable(name, error);
  }
}

function sorted(record: Readonly<Record<string, string>> = {}): readonly (readonly [string, string])[] {
  return Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function unreadable(name: string, cause: unknown): UserError {
  return new UserError(`${name} of the build context cannot be read: ${messageOf(cause)}`, {
    remedy: 'Mend its permissions, or name it in .dockerignore when the image does not need it.',
    cause,
  });
}
