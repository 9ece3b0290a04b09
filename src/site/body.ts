import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, brotliCompress, gzip } from 'node:zlib';
import { UserError } from '../action/errors.ts';
import type { StreamedBody } from '../aws/rest.ts';
import type { SiteFile } from './scan.ts';

/** Small enough to be read whole, which saves opening and streaming each. */
const SMALL = 1024 ** 2;
/** Nearly as small as 11, in a tenth of the time. */
const BROTLI_QUALITY = 9;

/** What is sent of a file. */
export interface Body {
  readonly body: Buffer | StreamedBody;
  readonly contentEncoding: '' | 'gzip' | 'br';
}

/**
 * The bytes of a file, packed where that is asked for and makes them fewer.
 * @throws UserError (for a large file, while it is sent) when it is no longer what was read before
 */
export async function bodyOf(file: SiteFile): Promise<Body> {
  const { source, bytes, sha256 } = file;
  if (typeof source === 'string' && file.compression === 'none' && bytes > SMALL) {
    return { body: { bytes, sha256, open: () => checked(file, source) }, contentEncoding: '' };
  }
  const content = typeof source === 'string' ? await readFile(source).catch(() => undefined) : source;
  if (content === undefined) throw changed(file);
  if (createHash('sha256').update(content).digest('hex') !== sha256) throw changed(file);
  const packed = await pack(content, file.compression);
  if (packed === undefined || packed.length >= content.length) return { body: content, contentEncoding: '' };
  return { body: packed, contentEncoding: file.compression === 'gzip' ? 'gzip' : 'br' };
}

async function pack(content: Buffer, compression: SiteFile['compression']): Promise<Buffer | undefined> {
  if (compression === 'none') return undefined;
  if (compression === 'gzip') return promisify(gzip)(content, { level: 9 });
  const params = { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY };
  return promisify(brotliCompress)(content, { params });
}

/** Keeps the last piece back until all of it is known to be what was read before, so that nothing else is stored. */
async function* checked(file: SiteFile, source: string): AsyncIterable<Buffer> {
  const hash = createHash('sha256');
  let held: Buffer | undefined;
  let size = 0;
  const handle = await open(source).catch(() => undefined);
  if (handle === undefined) throw changed(file);
  for await (const chunk of handle.createReadStream() as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > file.bytes) throw changed(file);
    hash.update(chunk);
    if (held) yield held;
    held = chunk;
  }
  if (hash.digest('hex') !== file.sha256) throw changed(file);
  if (held) yield held;
}

function changed({ path }: SiteFile): UserError {
  return new UserError(`${path} changed while it was uploaded, so it was not stored`, {
    remedy: 'let nothing write to the site while it is deployed, and run the job again',
  });
}
