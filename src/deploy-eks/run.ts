import type { Action } from '../action/action.ts';
import { Cancelled, Failed, UserError, describe, messageOf } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { type DeploymentTracker, deploymentTracker } from '../github/deployments.ts';
import { type Applied, applyAll, validate } from '../kube/apply.ts';
import { explainKubeError } from '../kube/errors.ts';
import { type Kube, KubeError, refOf, showRef } from '../kube/kube.ts';
import { planWaves } from '../kube/order.ts';
import { checkRights } from '../kube/rights.ts';
import { type Saved, rollBack } from '../kube/rollback.ts';
import { type WaitResult, waitForAll } from '../kube/wait.ts';
import { imagesOf, imagesWithoutDigest, replaceImages } from '../manifests/images.ts';
import { type Document, loadManifests } from '../manifests/load.ts';
import { connectTo } from './connect.ts';
import { failureOf } from './failure.ts';
import { type DeployInputs, inputs } from './inputs.ts';
import { digestRequired, planTarget, withOrigin } from './plan.ts';
import { type DeployReport, type DeployedObject, type Verdict, oneLine, summary } from './report.ts';

const FIELD_MANAGER = 'deploy-eks';
/** The old version was running a moment ago: it gets this long to serve again. */
const ROLLBACK_MS = 120_000;

/** The action deploy-eks. */
export const deployEks: Action<typeof inputs, 'deployed' | 'verdict' | 'url'> = {
  name: 'deploy-eks',
  inputs,
  outputs: ['deployed', 'verdict', 'url'],
  run: deploy,
};

async function deploy(
  given: DeployInputs,
  host: Host,
): Promise<Partial<Record<'deployed' | 'verdict' | 'url', string>>> {
  const started = host.clock.now();
  const target = planTarget(given, host.env);
  const documents = await readDocuments(given, host);
  const connection = await connectTo(target, host);
  const namespace = given.namespace || connection.namespace;
  const { kube } = connection;
  const story = new Story(given, host, started, documents);

  return explaining(given, async () => {
    host.log.info(`checking ${documents.length} objects against the cluster, changing nothing`);
    const placed = await validate(kube, documents, { fieldManager: FIELD_MANAGER, namespace, force: true });
    for (const lacking of await checkRights(kube, placed)) host.log.warning(describe(lacking));
    if (given.dryRun)
      return story.end(
        'checked',
        placed.map(({ object }) => ({ ...refOf(object), change: 'unchanged' as const })),
      );

    const tracker = deploymentTracker(host, {
      token: given.environment === '' ? '' : given.githubToken,
      environment: given.environment,
      url: given.environmentUrl,
    });
    await tracker.start();
    return reporting(tracker, async () => {
      const applied = await apply(kube, placed, host);
      const wait = await awaitServing(kube, applied, given, host);
      const objects = applied.map((item) => deployedObject(item, wait));
      if (!wait.failed && wait.timedOut.length === 0) {
        return story.end(objects.every(({ change }) => change === 'unchanged') ? 'unchanged' : 'deployed', objects);
      }

      const failure = await failureOf(kube, wait, started, host.clock);
      host.log.info(`${showRef(failure.ref)}: ${failure.why}`);
      const rollback = await takeBack(kube, applied, given, host);
      return story.fail({ failure, objects, ...(rollback ? { rollback } : {}) });
    });
  });
}

/** Tells GitHub how the deploy ended, whatever way it did. */
async function reporting<T>(tracker: DeploymentTracker, deploying: () => Promise<T>): Promise<T> {
  try {
    const result = await deploying();
    await tracker.report('success');
    return result;
  } catch (error) {
    await tracker.report('failure', messageOf(error));
    throw error;
  }
}

async function readDocuments(given: DeployInputs, host: Host): Promise<readonly Document[]> {
  const loaded = await loadManifests(given.manifests, host.info.workspace, given.namespace);
  const documents = replaceImages(loaded, given.images);
  const loose = digestRequired(given) ? imagesWithoutDigest(documents) : [];
  if (loose.length > 0) throw UserError.all(loose, 'images without a digest');
  return documents.map((document) => ({ ...document, object: withOrigin(document.object, host.info) }));
}

async function apply(kube: Kube, documents: readonly Document[], host: Host): Promise<readonly Applied[]> {
  return host.log.group('applying', async () =>
    applyAll(kube, planWaves(documents), {
      fieldManager: FIELD_MANAGER,
      force: true,
      signal: host.signal,
      clock: host.clock,
      onApplied: ({ object, change }) => host.log.info(`${change.padEnd(10)} ${showRef(object)}`),
    }),
  );
}

async function awaitServing(
  kube: Kube,
  applied: readonly Applied[],
  given: DeployInputs,
  host: Host,
): Promise<WaitResult> {
  const changedAt = host.clock.now();
  return waitForAll(
    kube,
    applied.map(({ object }) => ({ object, changedAt })),
    { timeout: given.timeout, signal: host.signal, clock: host.clock, onProgress: (line) => host.log.info(line) },
  );
}

/** Puts back what was there before, where the inputs ask for it and there was something; the sentences say what came of it. */
async function takeBack(
  kube: Kube,
  applied: readonly Applied[],
  given: DeployInputs,
  host: Host,
): Promise<readonly string[] | undefined> {
  const changed = applied.filter(({ change }) => change !== 'unchanged');
  if (given.onFailure === 'leave' || !changed.some(({ before }) => before !== undefined)) return undefined;
  const saved = changed.map(({ object, before }): Saved => ({ ref: refOf(object), ...(before ? { before } : {}) }));
  const result = await host.log.group('rolling back', async () =>
    rollBack(kube, saved, {
      timeout: ROLLBACK_MS,
      signal: host.signal,
      clock: host.clock,
      onProgress: (line) => host.log.info(line),
    }),
  );
  return [
    ...result.wait.ready.map(
      ({ ref, seconds }) => `${showRef(ref)} restored and serving after ${seconds.toFixed(1)} s`,
    ),
    ...result.wait.timedOut.map(
      ({ ref, message }) => `${showRef(ref)} was restored but does not serve yet: ${message}`,
    ),
    ...(result.wait.failed
      ? [`${showRef(result.wait.failed.ref)} was restored but fails: ${result.wait.failed.cause.message}`]
      : []),
    ...result.failed.map(({ ref, message }) => `${showRef(ref)} could not be restored: ${message}`),
  ];
}

function deployedObject({ object, change }: Applied, wait: WaitResult): DeployedObject {
  const { kind, name, namespace } = refOf(object);
  const served = wait.ready.find(({ ref }) => ref.kind === kind && ref.name === name && ref.namespace === namespace);
  return {
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    change,
    ...(served ? { seconds: served.seconds } : {}),
  };
}

/** Ends the story of one deploy: the summary is written and the outputs are made. */
class Story {
  readonly #base: Omit<DeployReport, 'verdict' | 'seconds' | 'objects'>;
  readonly #host: Host;
  readonly #started: number;

  constructor(given: DeployInputs, host: Host, started: number, documents: readonly Document[]) {
    const images = [...new Set(documents.flatMap(({ object }) => imagesOf(object)))];
    this.#base = { environment: given.environment, url: given.environmentUrl, info: host.info, images };
    this.#host = host;
    this.#started = started;
  }

  async end(verdict: Verdict, objects: readonly DeployedObject[]) {
    await this.#write(verdict, { objects });
    return { verdict, deployed: JSON.stringify(objects), url: verdict === 'checked' ? '' : this.#base.url };
  }

  async fail(rest: Pick<DeployReport, 'objects' | 'failure' | 'rollback'>): Promise<never> {
    const verdict = rest.rollback === undefined ? 'failed' : 'rolled-back';
    await this.#write(verdict, rest);
    const outputs = { verdict, deployed: JSON.stringify(rest.objects), url: '' };
    const remedy = rest.failure?.whatToDo;
    throw new Failed(oneLine({ verdict, ...rest }), outputs, remedy ? { remedy } : {});
  }

  async #write(verdict: Verdict, rest: Pick<DeployReport, 'objects' | 'failure' | 'rollback'>): Promise<void> {
    const seconds = (this.#host.clock.now() - this.#started) / 1000;
    await this.#host.summarize(summary({ ...this.#base, ...rest, verdict, seconds }));
  }
}

/** The API server's refusals in words that help. */
async function explaining<T>(given: DeployInputs, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof KubeError) {
      throw explainKubeError(error, {
        ...(given.cluster ? { cluster: given.cluster } : {}),
        ...(given.roleToAssume ? { role: given.roleToAssume } : {}),
      });
    }
    if (error instanceof Cancelled)
      throw new Failed(`${error.message}: what was applied stays; run again to finish`, { verdict: 'cancelled' });
    throw error;
  }
}
