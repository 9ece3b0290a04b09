import { Failed, UserError } from '../action/errors.ts';
import { DELETED_AT_ONCE } from '../aws/s3.ts';
import type { Snapshot, Switch } from '../site/plan.ts';
import { type Claim, type Pointer, LostClaim, claimPointer, isClaimed, isNewer } from '../site/pointer.ts';
import { keepRelease, switchOver } from '../site/publish.ts';
import { type Release, type ReleasedFile, idsIn } from '../site/release.ts';
import { garbageOf, nextToGo, retentionOf } from '../site/retention.ts';
import { readReleases, readSnapshot } from '../site/snapshot.ts';
import { type Scene, note, orNote } from './scene.ts';

const POLL_MS = 2000;

/**
 * Reads what the bucket holds once no other deploy is changing it.
 * @throws Failed (superseded) when a later run has brought its release in
 */
export async function readFreely(scene: Scene): Promise<Snapshot> {
  const { bucket, layout, host, given, record } = scene;
  const deadline = host.clock.now() + given.timeout;
  for (let told = false; ; told = true) {
    const snapshot = await readSnapshot(bucket, layout);
    const { pointer } = snapshot.held;
    record.previous ??= snapshot.current;
    // Whoever starts an older run again wants just that.
    if (isNewer(pointer, host.info.runId) && host.info.runAttempt === '1') throw superseded(pointer);
    const isBusy = isClaimed(pointer, host.clock.now());
    // A pointer that is newer than the list tells nothing about it: files may have been deleted in between.
    const isWhole = snapshot.listed.get(layout.pointer)?.etag === snapshot.held.etag;
    if (!isBusy && isWhole) return snapshot;
    const other = pointer.claim?.release || 'another release';
    if (host.clock.now() > deadline) throw stillBusy(other, given.timeout);
    if (!told && isBusy) host.log.info(`another deploy is bringing ${other} in: waiting for it`);
    await host.clock.sleep(POLL_MS, host.signal);
  }
}

/** What is about to be changed, by whom the claim is. */
export interface Change {
  readonly claimed: Claim;
  readonly release: Release;
  readonly snapshot: Snapshot;
  readonly switching: Switch;
  /** Files with a hash in their name whose place held something else. */
  readonly overwritten: readonly Pick<ReleasedFile, 'path'>[];
}

/** The right to serve the release, unless something has changed since the snapshot was read. */
export async function claim(scene: Scene, { held }: Snapshot, release: string): Promise<Claim | undefined> {
  const { bucket, layout, host } = scene;
  host.signal.throwIfAborted();
  const claimed = await claimPointer(bucket, layout, { held, release, run: host.info.runId, clock: host.clock });
  if (!claimed) host.log.info('another deploy has changed the bucket meanwhile: comparing again');
  return claimed;
}

/**
 * Makes the release the one that visitors get, and takes away what no kept release needs.
 * @returns the release with what S3 calls its files now
 */
export async function serve(scene: Scene, { claimed, release, snapshot, switching }: Change): Promise<Release> {
  const { bucket, layout, record } = scene;
  try {
    record.toSwitch = switching.copy.length;
    const etags = await switchOver(switching, claimed, scene);
    const before = new Map(snapshot.current?.files.map((file) => [file.path, file]));
    // What was not copied is what the release before has in its place.
    const etagOf = ({ path, kind, etag }: Release['files'][number]): string =>
      kind === 'asset' ? etag : (etags.get(path) ?? before.get(path)?.etag ?? '');
    const served = { ...release, files: release.files.map((file) => ({ ...file, etag: etagOf(file) })) };
    await keepRelease(bucket, layout, served);
    const gone = switching.remove.map(({ path }) => layout.key(path));
    await remove(scene, claimed, 'Pages that are no longer there could not be deleted', gone);
    await tidy(scene, claimed, served, snapshot);
    const { history } = await claimed.finish(scene.edge !== undefined);
    record.isServed = true;
    record.kept = { ...record.kept, until: nextToGo(history, scene.host.clock.now(), scene.given.keepOld) };
    return served;
  } catch (error) {
    if (error instanceof LostClaim) throw superseded(undefined);
    await claimed.giveBack();
    throw error;
  }
}

/** Deletes the files of releases that nobody needs any more. */
async function tidy(scene: Scene, claimed: Claim, served: Release, { listed, held }: Snapshot): Promise<void> {
  const { bucket, layout, record, given, host } = scene;
  const known = [...new Set([...idsIn(listed.keys(), layout), served.id])];
  const now = host.clock.now();
  const [current, ...older] = held.pointer.history;
  const ended = current === undefined || current.release === served.id ? [] : [{ ...current, until: now }];
  const history = [{ release: served.id, since: now }, ...ended, ...older];
  const { keep, drop } = retentionOf(known, history, now, given.keepOld);
  record.kept = { releases: keep.length - 1, until: undefined };
  if (drop.length === 0) return;
  await orNote(scene, 'Old files could not be looked through', async () => {
    const others = keep.filter((id) => id !== served.id);
    const releases = {
      keep: [served, ...(await readReleases(bucket, layout, others))],
      drop: await readReleases(bucket, layout, drop),
    };
    const garbage = garbageOf(releases, listed, layout);
    const gone = await remove(scene, claimed, 'Old files could not be deleted', garbage);
    record.deleted += gone;
    // A release is forgotten once nothing of it is left, so that the next run goes on where this one ended.
    if (gone === garbage.length) {
      await remove(
        scene,
        claimed,
        'Old releases could not be deleted',
        drop.map((id) => layout.release(id)),
      );
    }
  });
}

/**
 * Deletes while the claim is held: whoever has lost it may be about to delete files of another release.
 * @returns how many were deleted; what was not is a note
 * @throws LostClaim
 */
export async function remove(scene: Scene, claimed: Claim, what: string, keys: readonly string[]): Promise<number> {
  const failed: { readonly key: string; readonly why: string }[] = [];
  let asked = 0;
  await orNote(scene, what, async () => {
    while (asked < keys.length) {
      await claimed.hold();
      const some = keys.slice(asked, asked + DELETED_AT_ONCE);
      failed.push(...(await scene.bucket.remove(some)));
      asked += some.length;
    }
  });
  const [first, ...others] = failed;
  if (first !== undefined) {
    note(scene, `${what}: ${first.key}${others.length === 0 ? '' : ` and ${others.length} more`} (${first.why})`);
  }
  return asked - failed.length;
}

export function superseded(pointer: Pointer | undefined): Failed {
  const other = pointer?.claim?.release || pointer?.history[0]?.release;
  const later = other
    ? `A later run serves, or is bringing in, the release ${other}: this older one was not put over it`
    : 'A later run took this preview away: this older one did not bring it back';
  return new Failed(
    pointer === undefined ? 'Another deploy took over while this one was bringing its release in' : later,
    { verdict: 'superseded' },
    { remedy: 'Nothing to do where the later one is what you want. Else start this run again, or roll back.' },
  );
}

function stillBusy(release: string, waited: number): UserError {
  return new UserError(`Another deploy is still bringing in ${release} after ${waited / 1000} s, so this one gave up`, {
    remedy: 'Wait for that run or cancel it, and run the job again.',
  });
}

/** @throws UserError after several tries against other deploys */
export function tooManyDeploys(): UserError {
  return new UserError('Other deploys of the same site keep changing the bucket', {
    remedy: 'Let deploys to one environment wait for each other by a concurrency group, and run the job again.',
  });
}

/** Such as `1 file` or `12 files`. */
export function countOf(files: readonly unknown[]): string {
  return `${files.length} ${files.length === 1 ? 'file' : 'files'}`;
}
