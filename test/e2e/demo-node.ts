import { lacking, openLab, running } from '../lab/lab.ts';
import type { LabFacts } from '../lab/part.ts';
import { type Company, PARTS, addressOf, setUpCompany } from './company.ts';
import { progressOf } from './progress.ts';
import { simulations, tellSimulated } from './simulated.ts';
import type { Stage } from './stage.ts';
import { Team } from './team.ts';
import { firstReleaseAt, releaseAt, sendVisitors } from './visitors.ts';

interface Scene extends Stage {
  readonly team: Team;
  readonly company: Company;
  readonly facts: LabFacts;
}

/** A service: a release that serves, then one that crashes and is taken back. */
export async function tellNode(stage: Stage): Promise<void> {
  const { screen, title, say, quote, timed } = stage;
  say('A team pushes a commit. This shows all that happens until it serves, with real parts on this machine:');
  say('Kubernetes, a container registry, image builds and a workflow runner; AWS and GitHub are played on loopback.');

  const ordinary = process.getuid?.() !== 0;
  const images = !ordinary || (await lacking('images')).length === 0;
  if (ordinary && !process.env['LAB_KUBECONFIG']) for (const line of simulations(images)) say(line);

  title('Bringing up the parts (minutes on a new machine, seconds afterwards)');
  const facts = await timed('up', async () => openLab(...PARTS.filter((part) => images || part !== 'images')));

  title('What the platform team sets up once');
  const company = await setUpCompany(facts, ['staging', 'production']);
  say('Two environments with a namespace each; a role that may build and one that may deploy; the access entry and');
  say('the RBAC of the latter. All of it by the documents in README.md, and no more rights than stand there.');

  const team = await Team.start(running);
  stage.own(async () => team.remove());
  const scene = { ...stage, team, company, facts };
  if (facts.cluster?.simulated === true) {
    await tellSimulated({ ...scene, screen: { ...screen, title } });
  } else {
    title('What a product team writes: this one workflow');
    quote(await team.workflow());
    await firstRelease(scene);
    await brokenRelease(scene);
  }
  if (stage.keep) await showAround(scene);
}

async function firstRelease(scene: Scene): Promise<void> {
  const { team, company, facts, title, say, showSummaries } = scene;
  title('git push: tracking-api 1.0.0');
  const delivered = await team.push(company, facts, progressOf(say));
  showSummaries(delivered);
  if (delivered.exitCode !== 0)
    throw new Error(`the delivery of a good release failed:\n${delivered.log.slice(-4000)}`);

  title('It serves: asking it over HTTP');
  const address = await addressIn(company, facts, 'production');
  const shipment = JSON.stringify({ id: 'LC-1001', destination: 'Graz' });
  await firstReleaseAt(address);
  await ask(scene, `${address}/readyz`);
  await ask(scene, `${address}/shipments`, shipment);
}

async function brokenRelease({ team, company, facts, title, say, quote, showSummaries }: Scene): Promise<void> {
  title('git push: tracking-api 1.1.0, which needs a setting that nobody made');
  for (const file of ['package.json', 'package-lock.json']) {
    await team.edit(file, (text) => text.replaceAll('"version": "1.0.0"', '"version": "1.1.0"'));
  }
  const line = "if (!process.env.CARRIERS_URL) throw new Error('CARRIERS_URL is not set');";
  await team.edit('src/server.js', (text) => text.replace('const port =', `${line}\nconst port =`));
  quote(`+ ${line}`);
  say('Its tests pass, as they never start the server. Visitors ask the running service all the while.');
  const visitors = sendVisitors(await addressIn(company, facts, 'staging'));
  const delivered = await team.push(company, facts, progressOf(say));
  const { asked, failed, releases } = await visitors.callBack();
  showSummaries(delivered);
  if (delivered.exitCode === 0) throw new Error('the delivery of a broken release succeeded');

  title('What visitors noticed');
  say(`${asked} requests during that delivery: ${failed} failed, answered by ${releases.join(', ')}.`);
  for (const { name } of company.environments) {
    say(`${name} serves ${await releaseAt(await addressIn(company, facts, name))}.`);
  }
  say('production was never touched: staging stopped the release.');
  if (failed > 0 || releases.join() !== '1.0.0') throw new Error('the old version did not serve everyone');
}

async function showAround({ team, company, facts, title, say }: Scene): Promise<void> {
  const { cluster, registry } = facts;
  title('Everything is left running: look around');
  for (const { name, namespace } of company.environments) {
    say(`${name}: ${await addressOf(company, facts, namespace)}/readyz, in the namespace ${namespace}`);
  }
  say(`with kubectl, if you have it: kubectl --kubeconfig ${cluster?.kubeconfig} get pods --all-namespaces`);
  say(`curl http://${registry?.host}/v2/_catalog`);
  say(`the team's repository: ${team.folder}`);
  say('npm run lab -- status    says what is up');
  say('npm run lab -- down      ends all of it');
}

async function ask({ say, quote }: Stage, url: string, body?: string): Promise<void> {
  const answer = await fetch(url, body === undefined ? {} : { method: 'POST', body });
  say(`${body === undefined ? 'GET ' : 'POST'} ${url}${body === undefined ? '' : ` ${body}`}`);
  quote(`${answer.status} ${await answer.text()}`);
}

async function addressIn(company: Company, facts: LabFacts, name: string): Promise<string> {
  const found = company.environments.find((environment) => environment.name === name);
  return addressOf(company, facts, found?.namespace ?? '');
}
