import { UserError } from '../action/errors.ts';
import { type Snapshot, byPath, isOurs, planSwitch } from '../site/plan.ts';
import { type Release, type ReleasedFile, idsIn } from '../site/release.ts';
import { type Claim, LostClaim } from '../site/pointer.ts';
import { readReleases } from '../site/snapshot.ts';
import { invalidate, isOwed, reach } from './reach.ts';
import type { Verdict } from './record.ts';
import type { Scene } from './scene.ts';
import { claim, countOf, readFreely, remove, serve, superseded, tooManyDeploys } from './switch.ts';

const TRIES = 5;

/**
 * Serves an earlier release again, out of what the bucket keeps: nothing is built or uploaded.
 * @throws UserError when there is none, or files of it are gone
 */
export async function rollBack(scene: Scene, began: () => Promise<void>): Promise<Verdict> {
  const { given, record, layout, host } = scene;
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const snapshot = await readFreely(scene);
    const release = await wanted(scene, snapshot);
    record.release = release;
    const lasting = release.files.filter(({ kind }) => kind !== 'asset');
    const switching = planSwitch(lasting, snapshot, layout, new Set(release.files.map(({ path }) => path)));
    // The pointer's own release may have been half overwritten by a run that was ended.
    const isWhole = release.id === snapshot.current?.id && switching.copy.length + switching.remove.length === 0;
    if (isWhole && !isOwed(scene, snapshot)) return 'unchanged';
    record.rows = [{ kind: 'page', files: lasting.length, changed: switching.copy.length, bytes: 0 }];
    record.unchanged = release.files.length - switching.copy.length;
    if (given.dryRun) return 'checked';
    if (tries === 1) await began();
    const claimed = await claim(scene, snapshot, release.id);
    if (claimed === undefined) continue;
    host.log.info(`putting ${countOf(switching.copy)} of ${release.id} back, the pages last`);
    const change = { claimed, release, snapshot, switching, overwritten: [] };
    await reach(scene, await serve(scene, change), change);
    return 'rolled-back';
  }
  throw tooManyDeploys();
}

async function wanted({ given, bucket, layout }: Scene, snapshot: Snapshot): Promise<Release> {
  const { listed, held, recent } = snapshot;
  const known = idsIn(listed.keys(), layout);
  const [current, ...older] = held.pointer.history;
  const before = older.find(({ release }) => release !== current?.release && known.includes(release))?.release;
  const id = given.to || before;
  if (id === undefined) {
    throw new UserError(`There is no earlier release of ${where(bucket.name, layout.prefix)} to go back to`, {
      remedy: current
        ? 'Deploy an earlier commit instead.'
        : 'Nothing was deployed there yet: check bucket and prefix.',
    });
  }
  if (!known.includes(id)) {
    const there = known.toReversed().slice(0, 10).join(', ');
    throw new UserError(`There is no release ${id} in ${where(bucket.name, layout.prefix)}`, {
      remedy: there === '' ? 'There is none at all.' : `There are: ${there}`,
    });
  }
  const [release] = await readReleases(bucket, layout, [id]);
  if (release === undefined) throw new Error(`no release ${id} was read`);
  const since = byPath(recent);
  const found = release.files.map((file): ReleasedFile | undefined => {
    if (file.kind !== 'asset') return listed.has(layout.stored(file)) ? file : undefined;
    // A later release may have put the same content there again, packed another way.
    const there = [file, ...(since.get(file.path) ?? [])].find(
      (one) => one.sha256 === file.sha256 && isOurs(one, listed, layout),
    );
    return there && { ...file, id: there.id, etag: there.etag };
  });
  const missing = release.files.filter((_, i) => found[i] === undefined);
  const [first] = missing;
  if (first === undefined) return { ...release, files: found.filter((file) => file !== undefined) };
  throw new UserError(
    `${countOf(missing)} of the release ${id} ${missing.length === 1 ? 'is' : 'are'} gone or changed, such as ${first.path}`,
    {
      remedy: 'Its time of keep-old may be over. Roll back to a later release, or deploy its commit anew.',
    },
  );
}

/**
 * Takes a preview away, with all its releases. The pointer alone stays, so that an older run of the pull request that
 * ends later does not bring it back.
 */
export async function removePreview(scene: Scene): Promise<Verdict> {
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const snapshot = await readFreely(scene);
    const others = [...snapshot.listed.keys()].filter((key) => key !== scene.layout.pointer);
    if (others.length === 0 && !isOwed(scene, snapshot)) return 'unchanged';
    if (scene.given.dryRun) return 'checked';
    const claimed = await claim(scene, snapshot, '');
    if (claimed === undefined) continue;
    await clear(scene, snapshot, claimed, others);
    await invalidate(scene, claimed, { paths: [], assets: [], isFirst: true });
    return 'removed';
  }
  throw tooManyDeploys();
}

async function clear(scene: Scene, { listed }: Snapshot, claimed: Claim, others: readonly string[]): Promise<void> {
  const { bucket, layout, record, edge } = scene;
  try {
    const releases = await readReleases(bucket, layout, idsIn(listed.keys(), layout));
    const files = releases.flatMap((release) => release.files).filter((file) => isOurs(file, listed, layout));
    const served = new Set(files.map(({ path }) => layout.key(path)));
    const kept = others.filter((key) => key.startsWith(layout.state));
    // What names the files goes last: where this ends half way, the next run still knows them.
    record.deleted = await remove(scene, claimed, 'Files of the preview could not be deleted', [...served]);
    if (record.deleted === served.size)
      record.deleted += await remove(scene, claimed, 'Its releases could not be deleted', kept);
    await claimed.finish(edge !== undefined);
  } catch (error) {
    if (error instanceof LostClaim) throw superseded(undefined);
    await claimed.giveBack();
    throw error;
  }
  const left = others.length - record.deleted;
  if (left === 0) return;
  record.notes.push(
    `${left} ${left === 1 ? 'object stays' : 'objects stay'} under ${layout.prefix}: this action did not put them there, or they could not be deleted.`,
  );
}

function where(bucket: string, prefix: string): string {
  return prefix === '' ? `the bucket ${bucket}` : `${prefix} of the bucket ${bucket}`;
}
