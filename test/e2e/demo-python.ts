import { openLab, running } from '../lab/lab.ts';
import type { LabFacts } from '../lab/part.ts';
import { bringPythonBase } from '../lab/python-base.ts';
import { type Company, addressOf, setUpCompany } from './company.ts';
import { progressOf } from './progress.ts';
import { PROBLEM, PYTHON_PARTS, ROUTING_SERVICE, layersOf, release } from './python-project.ts';
import type { Stage } from './stage.ts';
import { type Delivered, Team } from './team.ts';
import { firstReleaseAt, releaseAt, sendVisitors } from './visitors.ts';

interface Scene extends Stage {
  readonly team: Team;
  readonly company: Company;
  readonly facts: LabFacts;
}

/** A Python service with OR-Tools: a release, then another of which only the sources are new. */
export async function tellPython(stage: Stage): Promise<void> {
  const { title, say, quote, timed } = stage;
  if (process.getuid?.() !== 0) throw new Error('the story of a Python service needs real pods, which need root');
  say('A team pushes a Python service without a Dockerfile. This shows all that happens until it serves.');

  title('Bringing up the parts (minutes on a new machine, seconds afterwards)');
  const facts = await timed('up', async () => openLab(...PYTHON_PARTS));
  if (facts.cluster?.simulated === true) throw new Error('another kubelet runs on this machine: end it first');
  await bringPythonBase(facts.images);

  title('What the platform team sets up once');
  const company = await setUpCompany(facts, ['staging', 'production']);
  say('The same as for every service: two environments, a role that may build and one that may deploy.');

  const team = await Team.start(running, ROUTING_SERVICE);
  stage.own(async () => team.remove());
  const scene = { ...stage, team, company, facts };
  title('What a product team writes: this one workflow');
  quote(await team.workflow());
  const first = await firstRelease(scene);
  await nextRelease(scene, first);
  if (stage.keep) for (const { name } of company.environments) say(`${name}: ${await addressIn(scene, name)}/docs`);
}

/** @returns the digest of its image */
async function firstRelease(scene: Scene): Promise<string> {
  const { title, say, quote } = scene;
  title('git push: routing-service 1.0.0');
  const delivered = await deliver(scene);

  title('It serves: asking it over HTTP');
  const address = await addressIn(scene, 'production');
  await firstReleaseAt(address);
  say(`POST ${address}/routes ${JSON.stringify(PROBLEM)}`);
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${address}/routes`, { method: 'POST', headers, body: JSON.stringify(PROBLEM) });
  quote(`${answer.status} ${await answer.text()}`);
  return digestIn(delivered);
}

async function nextRelease(scene: Scene, before: string): Promise<void> {
  const { team, company, facts, title, say } = scene;
  title('git push: routing-service 1.1.0, while visitors ask it all the time');
  await release(team, '1.0.0', '1.1.0');
  const visitors = sendVisitors(await addressIn(scene, 'production'));
  const delivered = await deliver(scene);
  const { asked, failed, releases } = await visitors.callBack();

  title('What visitors noticed, and what the cluster had to pull');
  say(`${asked} requests during that delivery: ${failed} failed, answered by ${releases.join(', ')}.`);
  for (const { name } of company.environments) say(`${name} serves ${await releaseAt(await addressIn(scene, name))}.`);
  const [known, now] = [before, digestIn(delivered)].map(async (digest) => layersOf(facts, 'routing-service', digest));
  const layers = [...((await now) ?? [])];
  const there = (await known) ?? new Map<string, number>();
  const [all, fresh] = [layers, layers.filter(([digest]) => !there.has(digest))].map(sum);
  say(`Of ${megabytes(all)} of image, ${megabytes(fresh)} were new: the packages are a layer that stays the same.`);
  if (failed > 0 || releases.at(-1) !== '1.1.0') throw new Error('the new version did not take over without a failure');
}

async function deliver({ team, company, facts, say, showSummaries }: Scene): Promise<Delivered> {
  const delivered = await team.push(company, facts, progressOf(say));
  showSummaries(delivered);
  if (delivered.exitCode !== 0)
    throw new Error(`the delivery of a good release failed:\n${delivered.log.slice(-4000)}`);
  return delivered;
}

function digestIn({ summaries }: Delivered): string {
  const digest = summaries.map(({ markdown }) => /@(sha256:[0-9a-f]{64})/.exec(markdown)?.[1]).find(Boolean);
  if (digest === undefined) throw new Error('no summary names the digest of the image');
  return digest;
}

const sum = (layers: readonly (readonly [string, number])[]): number => layers.reduce((all, [, size]) => all + size, 0);
const megabytes = (bytes = 0): string =>
  bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

async function addressIn({ company, facts }: Scene, name: string): Promise<string> {
  const found = company.environments.find((environment) => environment.name === name);
  return addressOf(company, facts, found?.namespace ?? '', 'routing-service');
}
