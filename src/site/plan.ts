import type { Listed } from '../aws/s3.ts';
import { inOrder } from './kind.ts';
import type { Held } from './pointer.ts';
import type { Layout, Release, ReleasedFile } from './release.ts';
import { type SiteFile, revalidated } from './scan.ts';

/** What the bucket holds of a site. */
export interface Snapshot {
  readonly listed: ReadonlyMap<string, Listed>;
  readonly held: Held;
  /** The release that is served; undefined before the first deploy. */
  readonly current: Release | undefined;
  /** The latest releases, the served one among them. */
  readonly recent: readonly Release[];
}

/** What has to be done for a release to be served. */
export interface SitePlan {
  /** The files of the release, each as it will be served. */
  readonly files: readonly SiteFile[];
  /** Files with a hash in their name, to be put in their place. */
  readonly upload: readonly SiteFile[];
  /** Other files, to be kept first and put in their place later. */
  readonly store: readonly SiteFile[];
  readonly switch: Switch;
  /** What S3 calls the files with a hash in their name that are in their place already, by path. */
  readonly inPlace: ReadonlyMap<string, string>;
  /** Files that the bucket holds already as they have to be. */
  readonly unchanged: number;
  /** Files named like hashed ones whose content is another than before: they are treated as others. */
  readonly misnamed: readonly string[];
}

/** What makes a release visible, in this order: copies, then deletions. */
export interface Switch {
  readonly copy: readonly Pick<ReleasedFile, 'path' | 'kind' | 'id'>[];
  /** Pages and workers of the release before that this one does not have; anything else stays for `keep-old`. */
  readonly remove: readonly ReleasedFile[];
}

/** Compares a site with its bucket. */
export function planSite(scanned: readonly SiteFile[], snapshot: Snapshot, layout: Layout): SitePlan {
  const earlier = byPath(snapshot.recent);
  const isMisnamed = ({ kind, path, sha256 }: SiteFile): boolean =>
    kind === 'asset' && earlier.get(path)?.some((other) => other.sha256 !== sha256) === true;
  const files = scanned.map((file) => (isMisnamed(file) ? revalidated(file) : file));
  const assets = files.filter(({ kind }) => kind === 'asset');
  const inPlace = new Map(
    assets.flatMap(({ path, id }) => {
      const there = earlier.get(path)?.find((file) => file.id === id && isOurs(file, snapshot.listed, layout));
      return there === undefined ? [] : [[path, there.etag] as const];
    }),
  );
  const upload = assets.filter(({ path }) => !inPlace.has(path));
  const lasting = files.filter(({ kind }) => kind !== 'asset');
  const switching = planSwitch(lasting, snapshot, layout, new Set(files.map(({ path }) => path)));
  return {
    files,
    upload,
    store: distinct(lasting.filter((file) => !snapshot.listed.has(layout.stored(file)))),
    switch: switching,
    inPlace,
    unchanged: files.length - upload.length - switching.copy.length,
    misnamed: scanned.filter(isMisnamed).map(({ path }) => path),
  };
}

/**
 * What has to be copied and deleted so that the files whose names do not change are those of a release.
 * @param all paths of all files of that release
 */
export function planSwitch(
  lasting: readonly Pick<ReleasedFile, 'path' | 'kind' | 'id'>[],
  { current, listed }: Snapshot,
  layout: Layout,
  all: ReadonlySet<string>,
): Switch {
  const served = new Map(current?.files.map((file) => [file.path, file]));
  const isServed = ({ path, id }: Pick<ReleasedFile, 'path' | 'id'>): boolean => {
    const before = served.get(path);
    return before?.id === id && isOurs(before, listed, layout);
  };
  return {
    copy: inOrder(lasting.filter((file) => !isServed(file))),
    remove: [...served.values()].filter(
      (file) => ['page', 'worker'].includes(file.kind) && !all.has(file.path) && isOurs(file, listed, layout),
    ),
  };
}

/**
 * Whether the object in a file's place is still the one that this action put there: what it was called then, or what
 * the copy that is kept of it is called, since a run that was ended half way has noted no names.
 */
export function isOurs(file: ReleasedFile, listed: ReadonlyMap<string, Listed>, layout: Layout): boolean {
  const there = listed.get(layout.key(file.path))?.etag;
  return there !== undefined && there !== '' && [file.etag, listed.get(layout.stored(file))?.etag].includes(there);
}

/** All that releases have had under each path, in their order. */
export function byPath(releases: readonly Release[]): ReadonlyMap<string, readonly ReleasedFile[]> {
  const found = new Map<string, ReleasedFile[]>();
  for (const file of releases.flatMap(({ files }) => files)) {
    const others = found.get(file.path);
    if (others === undefined) found.set(file.path, [file]);
    else others.push(file);
  }
  return found;
}

function distinct(files: readonly SiteFile[]): readonly SiteFile[] {
  return [...new Map(files.map((file) => [file.id, file])).values()];
}
