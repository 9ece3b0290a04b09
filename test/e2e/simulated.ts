import { createHash } from 'node:crypto';
import { numberAt, textAt } from '../../src/kube/fields.ts';
import type { LabFacts } from '../lab/part.ts';
import type { Company } from './company.ts';
import { progressOf } from './progress.ts';
import { CHECKS, type Delivered, DEPLOY, DELIVER, type Team } from './team.ts';
import type { Screen } from './terminal.ts';

/** All that a story on simulated nodes is told with. */
export interface SimulatedScene {
  readonly team: Team;
  readonly company: Company;
  readonly facts: LabFacts;
  readonly screen: Screen;
  readonly showSummaries: (delivered: Delivered) => void;
}

const DEPLOYMENT = 'k8s/deployment.yaml';

/** What a viewer must not take for real, in whole sentences. @param images whether images are built */
export function simulations(images: boolean): readonly string[] {
  const pods =
    'SIMULATED: the pods. Real ones need root on Linux; these turn Ready without running anything, so nothing answers over HTTP.';
  const image =
    'NOT BUILT: the image, as no Docker engine answers. build-node only installs, lints and tests; what is deployed is a digest that nobody built.';
  return images ? [pods] : [pods, image];
}

/** A good release and one that no node has room for: the scheduler, the controllers and the rollback are real. */
export async function tellSimulated(scene: SimulatedScene): Promise<void> {
  const { team, company, facts, screen } = scene;
  const { title, say, quote } = screen;
  const reached = facts.images ? company.environments : company.environments.slice(-1);

  title('What a product team writes');
  for (const file of facts.images ? [DELIVER] : [CHECKS, DEPLOY]) {
    say(file);
    quote(await team.workflow(file));
  }

  title('git push: tracking-api 1.0.0');
  const delivered = await deliver(scene, '1.0.0');
  if (delivered.exitCode !== 0)
    throw new Error(`the delivery of a good release failed:\n${delivered.log.slice(-4000)}`);
  const before: Record<string, string> = {};
  for (const { name, namespace } of reached) {
    before[name] = await servedIn(company, namespace);
    say(`${name}: ${before[name]}`);
  }

  title('git push: tracking-api 1.1.0, which asks for more memory than any node has');
  for (const file of ['package.json', 'package-lock.json']) {
    await team.edit(file, (text) => text.replaceAll('"version": "1.0.0"', '"version": "1.1.0"'));
  }
  await team.edit(DEPLOYMENT, (text) => text.replace('memory: 64Mi', 'memory: 64Gi').replace('256Mi', '64Gi'));
  quote('-             requests: { cpu: 20m, memory: 64Mi }\n+             requests: { cpu: 20m, memory: 64Gi }');
  if ((await deliver(scene, '1.1.0')).exitCode === 0) throw new Error('the delivery of a broken release succeeded');

  title('What is there now');
  for (const { name, namespace } of reached) {
    const after = await servedIn(company, namespace);
    say(`${name}: ${after}${after === before[name] ? ', as before' : ''}`);
    if (after !== before[name]) throw new Error(`${name} is not what it was before: ${before[name]}`);
  }

  title('What was real, and what not');
  say(
    'Real: the workflows and their runner, the actions, the API server, its controllers and scheduler, the rollback.',
  );
  for (const line of simulations(facts.images !== undefined)) say(line);
}

/** @returns the last run: the first of two when that failed */
async function deliver(
  { team, company, facts, screen, showSummaries }: SimulatedScene,
  release: string,
): Promise<Delivered> {
  const run = async (file: string, inputs?: Readonly<Record<string, string>>): Promise<Delivered> => {
    const delivered = await team.run(company, facts, { file, ...(inputs && { inputs }) }, progressOf(screen.say));
    showSummaries(delivered);
    return delivered;
  };
  if (facts.images) return run(DELIVER);
  const checked = await run(CHECKS);
  if (checked.exitCode !== 0) return checked;
  const image = `registry.invalid/tracking-api@sha256:${createHash('sha256').update(`tracking-api ${release}`).digest('hex')}`;
  screen.say(`deploys the digest that nobody built, by hand: ${image}`);
  return run(DEPLOY, { image: `tracking-api=${image}` });
}

async function servedIn({ kube }: Company, namespace: string): Promise<string> {
  const live = await kube.get({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'tracking-api', namespace });
  const image = textAt(live, 'spec', 'template', 'spec', 'containers', 0, 'image') ?? 'no image';
  const [ready, wanted] = [numberAt(live, 'status', 'readyReplicas') ?? 0, numberAt(live, 'spec', 'replicas') ?? 0];
  return `${ready} of ${wanted} pods are Ready with ${image.replace(/(sha256:.{12}).*/, '$1…')}`;
}
