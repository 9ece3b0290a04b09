import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openLab, running } from '../lab/lab.ts';
import type { LabFacts } from '../lab/part.ts';
import { findChromium, openPage } from './browser.ts';
import { progressOf } from './progress.ts';
import type { Stage } from './stage.ts';
import { DELIVER, type Started, Team } from './team.ts';
import { WEB_PARTS, type WebCompany, setUpWebCompany } from './web-company.ts';
import { CONTROL_TOWER, ROLLBACK, pullRequest } from './web-project.ts';

interface Scene extends Stage {
  readonly team: Team;
  readonly company: WebCompany;
  readonly facts: LabFacts;
  readonly chromium: string;
  /** Folder for pictures of the pages, where they are kept. */
  readonly pictures: string | undefined;
}

/** A site: two releases past a cache, a preview, and back again. */
export async function tellWeb(stage: Stage): Promise<void> {
  const { title, say, quote, timed } = stage;
  say('A team pushes a page in React. This shows all that happens until a browser shows it: a workflow runner, npm,');
  say('Vite and Chromium are real; GitHub and AWS (S3, CloudFront, IAM) are played on loopback.');
  say(
    'STAND-IN: the edges of CloudFront. They keep pages for an hour, as a distribution with a minimum TTL does, until',
  );
  say("an invalidation tells them otherwise. GitHub's artifacts are a folder of this machine.");

  title('Bringing up the parts (minutes on a new machine, seconds afterwards)');
  const chromium = await findChromium();
  const facts = await timed('up', async () => openLab(...WEB_PARTS));

  title('What the platform team sets up once');
  const company = await setUpWebCompany(facts, ['staging', 'production']);
  for (const { name, bucket, url } of company.places) say(`${name}: the bucket ${bucket.name}, served at ${url}`);
  say('A role for each, and one for previews, with the policy in the README of deploy-web and no more.');

  const team = await Team.start(running, CONTROL_TOWER);
  stage.own(async () => team.remove());
  const pictures = stage.keep ? await mkdtemp(path.join(tmpdir(), 'control-tower-')) : undefined;
  const scene: Scene = { ...stage, team, company, facts, chromium, pictures };
  title('What a product team writes: this one workflow');
  quote(await team.workflow());

  title('git push: control-tower 1.0.0');
  await deliver(scene);
  await look(scene, 0);
  await look(scene, 1);

  title('git push: control-tower 1.1.0');
  for (const file of ['package.json', 'package-lock.json']) {
    await team.edit(file, (text) => text.replaceAll('"version": "1.0.0"', '"version": "1.1.0"'));
  }
  await deliver(scene);
  await look(scene, 1, 'release 1.1.0');

  title('A pull request that gives the page another name');
  await team.edit('src/app.tsx', (text) => text.replace('<h1>Control tower</h1>', '<h1>Control room</h1>'));
  await deliver(scene, pullRequest('opened'));
  await look(scene, 0, 'Control room', 'previews/pr-7/index.html');
  say('It is closed again:');
  await deliver(scene, pullRequest('closed'));

  title('Back to 1.0.0, by one button');
  quote(await team.workflow(ROLLBACK));
  await deliver(scene, { file: ROLLBACK, inputs: { to: '' } });
  await look(scene, 1, 'release 1.0.0');
  if (stage.keep) showAround(scene);
}

async function deliver(
  { team, company, facts, say, showSummaries }: Scene,
  started: Partial<Started> = {},
): Promise<void> {
  const delivered = await team.run(company, facts, { file: DELIVER, ...started }, progressOf(say));
  showSummaries(delivered);
  if (delivered.exitCode !== 0) throw new Error(`the delivery failed:\n${delivered.log.slice(-4000)}`);
}

/** Opens a page in Chromium and says what stands there. @throws Error where `expected` does not */
async function look(scene: Scene, place: number, expected = 'release', page = ''): Promise<void> {
  const { company, chromium, pictures, say, quote } = scene;
  const { name, url } = company.places[place] ?? { name: '', url: '' };
  const picture = pictures && path.join(pictures, `${page === '' ? name : 'preview'}-${Date.now()}.png`);
  const { text } = await openPage(chromium, `${url}${page}`, picture);
  say(`Chromium at ${url}${page}${picture === undefined ? '' : ` (${picture})`} shows:`);
  quote(text);
  if (!text.includes(expected)) throw new Error(`the page does not show ${expected}`);
}

function showAround({ title, say, company, team, pictures }: Scene): void {
  title('Everything is left running: look around');
  for (const { name, url } of company.places) say(`${name}: ${url}`);
  say(`pictures of the pages: ${pictures}`);
  say(`the team's repository: ${team.folder}`);
  say('npm run lab -- down      ends all of it');
}
