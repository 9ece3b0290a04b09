import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { UserError, type Problem } from '../action/errors.ts';
import { quote } from '../action/fields.ts';
import { CONCURRENCY, eachOf } from '../task/each.ts';
import { contentTypeOf, isCompressible } from './content-type.ts';
import { IMMUTABLE, type Kind, REVALIDATED, kindOf } from './kind.ts';

/** How the bytes are packed where that makes them fewer. */
export type Compression = 'none' | 'gzip' | 'brotli';

/** One file of a site as it is on this machine. */
export interface SiteFile {
  /** Inside the site, with `/`. */
  readonly path: string;
  readonly kind: Kind;
  /** SHA-256 of the content, in hexadecimal digits. */
  readonly sha256: string;
  readonly bytes: number;
  readonly contentType: string;
  readonly cacheControl: string;
  readonly compression: Compression;
  /** One for content and headers together: what is served is the same where it is. */
  readonly id: string;
  /** The file's own path, or the content of one that is made here. */
  readonly source: string | Buffer;
}

export interface ScanOptions {
  readonly compress: Compression;
  /** Globs of files that never change under their name. */
  readonly immutable: readonly string[];
}

/** S3 takes no larger object in one request; a web page has no use for it either. */
const LARGEST = 5 * 1024 ** 3;
/** Packed in memory, so no larger. */
const LARGEST_PACKED = 32 * 1024 ** 2;
const SMALLEST_PACKED = 1024;
const MOST_FILES = 200_000;
/** Folders that link to one another in twos have more ways through them than anyone can walk. */
const MOST_LINKS = 1000;
/** Bytes of a key of S3, of which the prefix takes some. */
const LONGEST = 900;
/** What systems and tools leave behind, and nobody asks a web server for. */
const LITTER = /^(\.DS_Store|Thumbs\.db|desktop\.ini|\.git|\.gitkeep|\.gitignore)$/;
/** Where this action keeps its releases. */
export const STATE = '.releases';

/**
 * Reads and hashes every file of the folder.
 * @throws UserError that names every link that leads out or in a circle, every name that cannot be a key, every file
 * that must not be public, and a site without pages
 */
export async function scanSite(root: string, options: ScanOptions): Promise<readonly SiteFile[]> {
  const problems: Problem[] = [];
  const paths: string[] = [];
  const real = await realpath(root);
  await walk(real, '', [real], { paths, problems, links: 0 });
  for (const file of paths) problems.push(...nameFaults(file));
  if (paths.length === 0) problems.push({ message: 'the site has no files', remedy: 'run the build before this step' });
  if (problems.length > 0) throw UserError.all(problems.slice(0, 50), 'the site cannot be deployed as it is');
  const files = await eachOf(paths, CONCURRENCY, async (file) => {
    const source = path.join(root, file);
    const { size, hash } = await hashOf(source);
    if (size > LARGEST) throw new UserError(`${file} is larger than 5 GiB`, { remedy: 'serve it from elsewhere' });
    return siteFile({ path: file, sha256: hash, bytes: size, source }, options);
  });
  return files;
}

/** The file with all that follows from its name. */
export function siteFile(
  file: Pick<SiteFile, 'path' | 'sha256' | 'bytes' | 'source'>,
  { compress, immutable }: ScanOptions,
): SiteFile {
  const kind = kindOf(file.path, immutable);
  const packs = isCompressible(file.path) && file.bytes >= SMALLEST_PACKED && file.bytes <= LARGEST_PACKED;
  return withId({
    ...file,
    kind,
    contentType: contentTypeOf(file.path),
    cacheControl: kind === 'asset' ? IMMUTABLE : REVALIDATED,
    compression: packs ? compress : 'none',
  });
}

/** The same file as one that may change under its name. */
export function revalidated(file: SiteFile): SiteFile {
  return withId({ ...file, kind: 'other', cacheControl: REVALIDATED });
}

function withId(file: Omit<SiteFile, 'id'>): SiteFile {
  const served = [file.sha256, file.contentType, file.cacheControl, file.compression];
  return { ...file, id: createHash('sha256').update(served.join('\n')).digest('hex') };
}

/** One hash for all contents and their paths: equal where the same build is deployed. */
export function contentOf(files: readonly Pick<SiteFile, 'path' | 'sha256'>[]): string {
  const hash = createHash('sha256');
  for (const { path: file, sha256 } of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    hash.update(`${sha256} ${file}\n`);
  }
  return hash.digest('hex');
}

interface Walk {
  readonly paths: string[];
  readonly problems: Problem[];
  /** Links to folders that were followed. */
  links: number;
}

/** @param above real paths of the folders that lead here: one that comes again makes a circle */
async function walk(root: string, folder: string, above: readonly string[], walked: Walk): Promise<void> {
  const { paths, problems } = walked;
  const entries = await readdir(path.join(root, folder), { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (LITTER.test(entry.name)) continue;
    const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
    const whole = path.join(root, name);
    const real = entry.isSymbolicLink() ? await realpath(whole).catch(() => undefined) : whole;
    const fault = entry.isSymbolicLink() ? linkFault(real, above) : undefined;
    if (fault !== undefined || real === undefined) {
      problems.push({ message: `${name} is a link ${fault}`, remedy: 'put a copy of the file in its place' });
      continue;
    }
    const kind = entry.isSymbolicLink() ? await stat(real) : entry;
    if (kind !== entry && kind.isDirectory()) walked.links += 1;
    if (kind.isDirectory()) await walk(root, name, [...above, await realpath(whole)], walked);
    else if (kind.isFile()) paths.push(name);
    else problems.push({ message: `${name} is neither a file nor a folder`, remedy: 'take it out of the site' });
    if (paths.length > MOST_FILES) {
      throw new UserError(`the site has more than ${MOST_FILES} files`, { remedy: 'check the input site' });
    }
    if (walked.links > MOST_LINKS) {
      throw new UserError(`the site leads through more than ${MOST_LINKS} links`, {
        remedy: 'put copies of the folders in their place',
      });
    }
  }
}

function linkFault(real: string | undefined, above: readonly string[]): string | undefined {
  const [root = ''] = above;
  if (real === undefined) return 'that leads nowhere or in a circle';
  if (above.includes(real)) return 'that leads in a circle';
  return real.startsWith(root + path.sep) ? undefined : 'that leads out of the site';
}

function nameFaults(file: string): readonly Problem[] {
  const told = quote(file);
  const secret = /(^|\/)(\.env(\.[^/]*)?|\.npmrc|\.netrc|\.aws|id_rsa|[^/]*\.pem)(\/|$)/.test(file);
  if (secret) return [{ message: `${told} would be public`, remedy: 'take it out of the built site' }];
  // In any folder: it may be that of another site.
  if (file.split('/').includes(STATE)) {
    return [{ message: `${told} stands where releases are kept`, remedy: `give the folder ${STATE} another name` }];
  }
  if (Buffer.byteLength(file) > LONGEST) return [{ message: `${told} is too long for S3`, remedy: 'shorten its path' }];
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f\ufffd\\]/.test(file)) {
    return [{ message: `${told} has a sign that no address can have`, remedy: 'rename the file' }];
  }
  return [];
}

async function hashOf(file: string): Promise<{ size: number; hash: string }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    size += chunk.length;
    hash.update(chunk);
  }
  return { size, hash: hash.digest('hex') };
}
