import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { findSite } from '../site/find.ts';
import { ORDER } from '../site/kind.ts';
import { type SitePlan, type Snapshot, byPath, isOurs, planSite } from '../site/plan.ts';
import { keepRelease, released, uploadAll } from '../site/publish.ts';
import { type Release, layoutOf, releaseId } from '../site/release.ts';
import { type SiteFile, contentOf, scanSite, siteFile } from '../site/scan.ts';
import { isRootBound } from '../site/root-bound.ts';
import { isOwed, reach } from './reach.ts';
import { type Scene, note } from './scene.ts';
import { claim, countOf, readFreely, serve, tooManyDeploys } from './switch.ts';
import type { Verdict, WebRecord } from './record.ts';
import type { WebInputs } from './inputs.ts';
import type { Host } from '../action/host.ts';

const CONFIG = 'config.json';
const TRIES = 5;

/** The files to deploy, and one hash for what was built. */
export interface Site {
  readonly files: readonly SiteFile[];
  /** Without config.json: equal in every environment that one build is brought to. */
  readonly content: string;
  /** Pages that ask for their files at the root of the host, and so fail in a folder. */
  readonly rootBound: boolean;
}

/** Finds, reads and hashes the site, with its configuration. @throws UserError with all that is wrong with it */
export async function readSite(given: WebInputs, host: Host, record: WebRecord): Promise<Site> {
  const { folder, tool } = await findSite(host.info.workspace, given.directory, given.site);
  const root = path.resolve(host.info.workspace, folder);
  const options = { compress: given.compress, immutable: given.immutable };
  const scanned = await scanSite(root, options);
  record.tool = tool;
  host.log.info(`${folder}: ${countOf(scanned)}${tool === '' ? '' : ` of ${tool}`}`);
  const built = scanned.filter((file) => file.path !== CONFIG);
  const rootBound = isRootBound(await readFile(path.join(root, 'index.html'), 'utf8'));
  if (given.config === undefined) return { files: scanned, content: contentOf(built), rootBound };
  const source = Buffer.from(`${JSON.stringify(given.config, undefined, 2)}\n`);
  const sha256 = createHash('sha256').update(source).digest('hex');
  record.settings = Object.keys(given.config);
  const config = siteFile({ path: CONFIG, sha256, bytes: source.length, source }, options);
  return { files: [...built, config], content: contentOf(built), rootBound };
}

/** Brings a site into its bucket. @param began called before the first write */
export async function deploy(scene: Scene, site: Site, began: () => Promise<void>): Promise<Verdict> {
  const { host, given, record, layout, target } = scene;
  const id = releaseId(host.clock.now(), host.info.sha, site.content);
  const made = { id, commit: host.info.sha, content: site.content };
  record.release = made;
  if (site.rootBound && target.prefix !== '' && scene.edge?.base !== '/') tellRootBound(scene);
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const snapshot = await readFreely(scene);
    const plan = planSite(site.files, snapshot, layout);
    tellPlan(scene, plan);
    const served = isServed(plan, snapshot) ? snapshot.current : undefined;
    record.release = served ?? made;
    if (served !== undefined && !isOwed(scene, snapshot)) return 'unchanged';
    if (given.dryRun) return 'checked';
    if (tries === 1) await began();
    tellStrangers(scene, plan, snapshot);
    const release = served ?? (await prepare(scene, plan, made));
    const claimed = await claim(scene, snapshot, release.id);
    if (claimed === undefined) continue;
    host.log.info(`switching ${countOf(plan.switch.copy)} to ${release.id}, the pages last`);
    // A hashed file whose place held another is as new to CloudFront as a page.
    const overwritten = plan.upload.filter((file) => snapshot.listed.has(layout.key(file.path)));
    const change = { claimed, release, snapshot, switching: plan.switch, overwritten };
    await reach(scene, await serve(scene, change), change);
    return 'deployed';
  }
  throw tooManyDeploys();
}

/** Brings all of a release into the bucket that visitors do not see yet, and its account. */
async function prepare(
  scene: Scene,
  plan: SitePlan,
  made: Pick<Release, 'id' | 'commit' | 'content'>,
): Promise<Release> {
  const { host, record, bucket, layout } = scene;
  const etags = await host.log.group('uploading', async () => {
    const sent = await uploadAll(plan, scene);
    host.log.info(`${record.progress.uploaded} files, ${record.progress.bytes} bytes`);
    return sent;
  });
  const files = plan.files.map((file) => released(file, etags.get(file.path) ?? ''));
  const release = { ...made, at: host.clock.now(), run: host.info.runUrl, files };
  await keepRelease(bucket, layout, release);
  return release;
}

/** Whether visitors get these very files already. */
function isServed({ files, upload, switch: { copy, remove } }: SitePlan, { current }: Snapshot): boolean {
  if (upload.length + copy.length + remove.length > 0) return false;
  const ids = new Set(current?.files.map(({ path: file, id }) => `${id} ${file}`));
  return current?.files.length === files.length && files.every(({ path: file, id }) => ids.has(`${id} ${file}`));
}

function tellPlan(scene: Scene, { files, upload, switch: { copy }, unchanged, misnamed }: SitePlan): void {
  const { record } = scene;
  const changed = new Set([...upload, ...copy].map(({ path: file }) => file));
  record.unchanged = unchanged;
  record.rows = ORDER.flatMap((kind) => {
    const all = files.filter((file) => file.kind === kind);
    const others = all.filter((file) => changed.has(file.path));
    const bytes = others.reduce((sum, file) => sum + file.bytes, 0);
    return all.length === 0 ? [] : [{ kind, files: all.length, changed: others.length, bytes }];
  });
  const [first] = misnamed;
  if (first === undefined || record.notes.some((text) => text.includes(first))) return;
  note(
    scene,
    `${first}${misnamed.length > 1 ? ` and ${misnamed.length - 1} more` : ''} is named like a file with its content's hash, yet its content is another than before. It is served as one that may change from now on; browsers that had it keep the old one for up to a year. Give it another name.`,
  );
}

/** What somebody else put in the place of a file is lost by the deploy, and may show that the place is a wrong one. */
function tellStrangers(scene: Scene, { upload, switch: { copy } }: SitePlan, { listed, recent }: Snapshot): void {
  const { layout, record } = scene;
  const ours = byPath(recent);
  const strangers = [...upload, ...copy].filter(
    ({ path: file }) => listed.has(layout.key(file)) && !ours.get(file)?.some((one) => isOurs(one, listed, layout)),
  );
  const [first] = strangers;
  if (first === undefined || record.notes.some((text) => text.startsWith(first.path))) return;
  const more = strangers.length > 1 ? ` and ${strangers.length - 1} more` : '';
  note(scene, `${first.path}${more} in the bucket came from elsewhere, and this release takes the place of it.`);
}

function tellRootBound(scene: Scene): void {
  note(
    scene,
    `index.html asks for its files at the root of the host ("/…"), but this site lies under ${scene.edge?.base ?? `/${layoutOf(scene.target.prefix).prefix}`}: build it with a relative base (Vite: base: './'; Create React App: "homepage": "."; Angular: --base-href ./) or a <base> element.`,
  );
}
