import type { Bucket, ObjectHeaders } from '../aws/s3.ts';
import { IN_FLIGHT } from '../aws/rest.ts';
import { eachOf } from '../task/each.ts';
import { bodyOf } from './body.ts';
import { ORDER } from './kind.ts';
import type { SitePlan, Switch } from './plan.ts';
import type { Claim } from './pointer.ts';
import { type Layout, type Release, type ReleasedFile, writeRelease } from './release.ts';
import type { SiteFile } from './scan.ts';

/** How far the work is; told after each file. */
export interface Progress {
  /** Files and bytes sent, as they are sent. */
  uploaded: number;
  bytes: number;
  /** Files that visitors see in their new form, or no longer. */
  switched: number;
}

/** Where the work is done, and its account. */
export interface Workplace {
  readonly bucket: Bucket;
  readonly layout: Layout;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

const KEPT: ObjectHeaders = { contentType: 'application/json', cacheControl: 'no-store', contentEncoding: '' };

/**
 * Brings everything into the bucket that visitors do not see yet: assets under their new names, and a copy of each
 * other file. Stops before the next file when `signal` aborts.
 * @returns what S3 calls each asset, by path
 */
export async function uploadAll(
  { upload, store, inPlace }: SitePlan,
  { bucket, layout, signal, progress }: Workplace,
): Promise<ReadonlyMap<string, string>> {
  const etags = new Map(inPlace);
  const send = async (file: SiteFile, key: string): Promise<string> => {
    signal.throwIfAborted();
    const { body, contentEncoding } = await bodyOf(file);
    const { contentType, cacheControl } = file;
    const etag = await bucket.write(key, body, { contentType, cacheControl, contentEncoding });
    progress.uploaded += 1;
    progress.bytes += 'bytes' in body ? body.bytes : body.length;
    return etag;
  };
  await eachOf(upload, IN_FLIGHT, async (file) => void etags.set(file.path, await send(file, layout.key(file.path))));
  await eachOf(store, IN_FLIGHT, async (file) => send(file, layout.stored(file)));
  return etags;
}

/**
 * Makes a release visible: first what pages name, then the pages, last the workers.
 * @returns what S3 calls each file in its place, by path
 */
export async function switchOver(
  { copy }: Switch,
  claim: Claim,
  { bucket, layout, signal, progress }: Workplace,
): Promise<ReadonlyMap<string, string>> {
  const etags = new Map<string, string>();
  const put = async (file: Switch['copy'][number]): Promise<void> => {
    signal.throwIfAborted();
    await claim.hold();
    etags.set(file.path, await bucket.copy(layout.stored(file), layout.key(file.path)));
    progress.switched += 1;
  };
  for (const kind of ORDER) {
    const ofKind = copy.filter((file) => file.kind === kind);
    await eachOf(
      ofKind.filter(({ path }) => path !== 'index.html'),
      IN_FLIGHT,
      put,
    );
    await eachOf(
      ofKind.filter(({ path }) => path === 'index.html'),
      1,
      put,
    );
  }
  return etags;
}

/** Keeps the release in the bucket. */
export async function keepRelease(bucket: Bucket, layout: Layout, release: Release): Promise<void> {
  await bucket.write(layout.release(release.id), writeRelease(release), KEPT);
}

/** A file as it is kept; `etag` is `''` while it is not in its place. */
export function released({ path, kind, sha256, bytes, id }: SiteFile, etag: string): ReleasedFile {
  return { path, kind, sha256, bytes, id, etag };
}
