import { UserError } from '../action/errors.ts';
import { type Snapshot, isOurs, planSwitch } from '../site/plan.ts';
import { type Release, idsIn } from '../site/release.ts';
import { readReleases, readSnapshot } from '../site/snapshot.ts';
import { invalidate, reach } from './reach.ts';
import type { Verdict } from './record.ts';
import type { Scene } from './scene.ts';
import { claim, countOf, readFreely, remove, serve, tooManyDeploys } from './switch.ts';

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
    if (release.id === snapshot.current?.id) return 'unchanged';
    const lasting = release.files.filter(({ kind }) => kind !== 'asset');
    const switching = planSwitch(lasting, snapshot, layout, new Set(release.files.map(({ path }) => path)));
    record.rows = [{ kind: 'page', files: lasting.length, changed: switching.copy.length, bytes: 0 }];
    record.unchanged = release.files.length - switching.copy.length;
    if (given.dryRun) return 'checked';
    if (tries === 1) await began();
    const claimed = await claim(scene, snapshot, release.id);
    if (claimed === undefined) continue;
    host.log.info(`putting ${countOf(switching.copy)} of ${release.id} back, the pages last`);
    const served = await serve(scene, { claimed, release, snapshot, switching });
    await reach(scene, served, snapshot, switching);
    return 'rolled-back';
  }
  throw tooManyDeploys();
}

async function wanted({ given, bucket, layout }: Scene, snapshot: Snapshot): Promise<Release> {
  const { listed, held } = snapshot;
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
  const missing = release.files.filter((file) =>
    file.kind === 'asset' ? !isOurs(file, listed, layout) : !listed.has(layout.stored(file)),
  );
  const [first] = missing;
  if (first === undefined) return release;
  throw new UserError(`${missing.length} files of the release ${id} are gone or others now, such as ${first.path}`, {
    remedy: 'Its time of keep-old may be over. Roll back to a later release, or deploy its commit anew.',
  });
}

/** Takes a preview away, with all its releases. */
export async function removePreview(scene: Scene): Promise<Verdict> {
  const { bucket, layout, record, given, edge } = scene;
  const { listed } = await readSnapshot(bucket, layout);
  const releases = await readReleases(bucket, layout, idsIn(listed.keys(), layout));
  const files = releases.flatMap((release) => release.files).filter((file) => isOurs(file, listed, layout));
  const served = new Set(files.map(({ path }) => layout.key(path)));
  const kept = [...listed.keys()].filter((key) => key.startsWith(layout.state));
  if (listed.size === 0) return 'unchanged';
  if (given.dryRun) return 'checked';
  // What names the files goes last: where this ends half way, the next run still knows them.
  record.deleted = await remove(scene, 'Files of the preview could not be deleted', [...served]);
  if (record.deleted === served.size) record.deleted += await remove(scene, 'Its releases could not be deleted', kept);
  const left = listed.size - record.deleted;
  if (left > 0)
    record.notes.push(
      `${left} ${left === 1 ? 'object stays' : 'objects stay'} under ${layout.prefix}: this action did not put them there, or they could not be deleted.`,
    );
  if (edge !== undefined) await invalidate(scene, { paths: [], assets: [], isFirst: true });
  return 'removed';
}

function where(bucket: string, prefix: string): string {
  return prefix === '' ? `the bucket ${bucket}` : `${prefix} of the bucket ${bucket}`;
}
