import { CONCURRENCY, eachOf } from '../task/each.ts';
import type { Bucket } from '../aws/s3.ts';
import type { Snapshot } from './plan.ts';
import { readPointer } from './pointer.ts';
import { type Layout, type Release, idsIn, readRelease } from './release.ts';

/** Releases whose files are looked through for what need not be uploaded again. */
const RECENT = 5;

/**
 * Reads what the bucket holds of a site: one list, the pointer and the latest releases.
 * @throws UserError when S3 refuses, or somebody else wrote what is kept there
 */
export async function readSnapshot(bucket: Bucket, layout: Layout): Promise<Snapshot> {
  const listed = await bucket.list(layout.prefix);
  const held = await readPointer(bucket, layout, listed.has(layout.pointer));
  const known = idsIn(listed.keys(), layout);
  const served = held.pointer.history[0]?.release;
  const latest = held.pointer.history.map(({ release }) => release);
  const wanted = new Set([...latest, ...known.toReversed()].filter((id) => known.includes(id)).slice(0, RECENT));
  const recent = await readReleases(bucket, layout, [...wanted]);
  return { listed, held, recent, current: recent.find(({ id }) => id === served) };
}

/** Releases by their ids, in that order. */
export async function readReleases(
  bucket: Bucket,
  layout: Layout,
  ids: readonly string[],
): Promise<readonly Release[]> {
  return eachOf(ids, CONCURRENCY, async (id) => {
    const key = layout.release(id);
    return readRelease((await bucket.read(key)).body.toString('utf8'), key);
  });
}
