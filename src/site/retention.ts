import type { Listed } from '../aws/s3.ts';
import { isOurs } from './plan.ts';
import { LONGEST_HISTORY, type Served } from './pointer.ts';
import { type Layout, type Release, timeOf } from './release.ts';

/** Releases by whether their files have to stay. */
export interface Retention {
  readonly keep: readonly string[];
  readonly drop: readonly string[];
}

/** A release that was prepared and never served, as of a job that was killed, is given up after so long. */
const ABANDONED_MS = 86_400_000;

/**
 * A release stays while it is served, for `keepOld` milliseconds afterwards, and as long as it is the one before: a
 * rollback is always possible, and a page that somebody left open finds its files.
 * @param known ids of all releases in the bucket
 */
export function retentionOf(
  known: readonly string[],
  history: readonly Served[],
  now: number,
  keepOld: number,
): Retention {
  const [current, ...older] = history;
  const before = older.find(({ release }) => release !== current?.release);
  const stays = new Set([current?.release, before?.release]);
  for (const { release, until = now } of history) if (until > now - keepOld) stays.add(release);
  const remembered = new Set(history.map(({ release }) => release));
  // Of a site that is deployed often, the history has forgotten releases whose time is not over.
  const forgotten = history.length < LONGEST_HISTORY ? 0 : (history.at(-1)?.since ?? 0);
  const timeFor = (id: string): number => (timeOf(id) < forgotten ? keepOld : ABANDONED_MS);
  const keeps = (id: string): boolean => stays.has(id) || (!remembered.has(id) && timeOf(id) > now - timeFor(id));
  return { keep: known.filter(keeps), drop: known.filter((id) => !keeps(id)) };
}

/** When the first release whose time is not over may go, in milliseconds since 1970; undefined where there is none. */
export function nextToGo(history: readonly Served[], now: number, keepOld: number): number | undefined {
  const ends = new Map<string, number | undefined>();
  // The newest come first: what counts of each release is the last time it was served.
  for (const { release, until } of history) if (!ends.has(release)) ends.set(release, until);
  const coming = [...ends.values()].filter((until) => until !== undefined && until + keepOld > now) as number[];
  return coming.length === 0 ? undefined : Math.min(...coming) + keepOld;
}

/**
 * Keys of the files that only dropped releases have and that are still what this action put there. Nothing that it did
 * not upload is ever among them.
 */
export function garbageOf(
  { keep, drop }: { readonly keep: readonly Release[]; readonly drop: readonly Release[] },
  listed: ReadonlyMap<string, Listed>,
  layout: Layout,
): readonly string[] {
  const needed = new Set(
    keep.flatMap(({ files }) => files.flatMap((file) => [layout.key(file.path), layout.stored(file)])),
  );
  const dropped = drop.flatMap(({ files }) =>
    files.flatMap((file) => [
      ...(isOurs(file, listed, layout) ? [layout.key(file.path)] : []),
      ...(listed.has(layout.stored(file)) ? [layout.stored(file)] : []),
    ]),
  );
  return [...new Set(dropped)].filter((key) => !needed.has(key));
}
