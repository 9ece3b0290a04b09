import type { Action } from '../action/action.ts';
import { Failed, UserError, describe } from '../action/errors.ts';
import { unlessAborted } from '../action/grace.ts';
import type { Host } from '../action/host.ts';
import { trackedDeployment } from '../github/deployments.ts';
import { applyAll } from '../kube/apply.ts';
import { connectTo } from '../cluster/connect.ts';
import { planTarget } from '../cluster/target.ts';
import { explainKubeError } from '../kube/errors.ts';
import { type Kube, KubeError, showRef } from '../kube/kube.ts';
import { planWaves } from '../kube/order.ts';
import { checkRights } from '../kube/rights.ts';
import { rollBack } from '../kube/rollback.ts';
import { type Checked, validate } from '../kube/validate.ts';
import { type WaitResult, waitForAll } from '../kube/wait.ts';
import { autoscaledWithReplicas } from '../manifests/autoscaled.ts';
import { imagesWithoutDigest, replaceImages } from '../manifests/images.ts';
import type { Document } from '../kube/document.ts';
import { loadManifests } from '../manifests/load.ts';
import { servicesWithoutPods } from '../manifests/selectors.ts';
import { blindFailure, failureOf, refusalOf } from './failure.ts';
import { type DeployInputs, inputs } from './inputs.ts';
import { type Rollback, deployedObject } from './outcome.ts';
import { digestRequired, withOrigin } from './plan.ts';
import { previewLine, previewOf, previewSummary } from './preview.ts';
import { DeployRecord } from './record.ts';
import { refusalSummary } from './refusal.ts';
import type { Failure } from './report.ts';
import { Story } from './story.ts';

const FIELD_MANAGER = 'deploy-eks';
/** The old version was running a moment ago: it gets this long to serve again. */
const ROLLBACK_MS = 120_000;

type Outputs = Partial<Record<'deployed' | 'verdict' | 'url', string>>;

/** The action deploy-eks. */
export const deployEks: Action<typeof inputs, 'deployed' | 'verdict' | 'url'> = {
  name: 'deploy-eks',
  inputs,
  outputs: ['deployed', 'verdict', 'url'],
  run: deployOrTell,
};

/** What ends before the first object is applied has no story to tell, but the page has to say why nothing came. */
async function deployOrTell(given: DeployInputs, host: Host): Promise<Outputs> {
  const record = new DeployRecord(host.clock);
  try {
    return await deploy(given, host, record);
  } catch (error) {
    if (error instanceof UserError && !(error instanceof Failed)) {
      const unchanged = record.unanswered.length === 0;
      await host.summarize(
        refusalSummary(error.problems, { environment: given.environment, info: host.info, unchanged }),
      );
    }
    throw error;
  }
}

async function deploy(given: DeployInputs, host: Host, record: DeployRecord): Promise<Outputs> {
  const target = planTarget(given, host.env);
  const documents = await readDocuments(given, host);
  const story = new Story(given, host, record, documents);
  const { environment, environmentUrl: url, githubToken: token } = given;
  return trackedDeployment(host, { environment, url, token }, async (tracker) => {
    try {
      const { kube, namespace } = await unlessAborted(connectTo(target, host), host.signal);
      story.kube = kube;
      const checked = await check(kube, documents, given.namespace || namespace, host);
      if (given.dryRun) return await preview(kube, checked, given, host);
      record.documents = checked.map(({ document }) => document);
      record.mark(`the cluster would accept all ${checked.length} objects`);
      await tracker.start();
      return await release(kube, { given, host, record, story });
    } catch (error) {
      if (host.signal.aborted && !(error instanceof Failed)) return story.cancelled();
      throw inWords(error, given);
    }
  });
}

interface Release {
  readonly given: DeployInputs;
  readonly host: Host;
  readonly record: DeployRecord;
  readonly story: Story;
}

/** Applies, waits, and takes back what does not serve. */
async function release(kube: Kube, { given, host, record, story }: Release): Promise<Outputs> {
  let failure: Failure;
  try {
    await apply(kube, record, host);
    const wait = await awaitServing(kube, record, given, host);
    if (!wait.failed && wait.timedOut.length === 0) {
      record.mark('everything serves');
      return await story.served();
    }
    failure = await failureOf(kube, wait, record, host);
  } catch (error) {
    // Refused before anything was changed, it is no failed deploy.
    const told = inWords(error, given);
    if (!(told instanceof UserError) || host.signal.aborted || record.applied.length === 0) throw error;
    // A cluster that does not let us look can't be judged, so nothing is taken back.
    if (error instanceof KubeError && record.untouched.length === 0) return story.failed(blindFailure(told));
    failure = refusalOf(told);
  }
  record.mark(failure.why);
  host.log.info(`${failure.ref ? `${showRef(failure.ref)}: ` : ''}${failure.why}`);
  return story.failed(failure, await takeBack(kube, record, given, host));
}

async function readDocuments(given: DeployInputs, host: Host): Promise<readonly Document[]> {
  const loaded = await loadManifests(given.manifests, host.info.workspace, given.namespace);
  const documents = replaceImages(loaded, given.images);
  const loose = digestRequired(given) ? imagesWithoutDigest(documents) : [];
  if (loose.length > 0) throw UserError.all(loose, 'images without a digest');
  for (const { message, remedy, place } of servicesWithoutPods(documents))
    host.log.warning(describe({ message, ...(remedy !== undefined && { remedy }) }), place);
  return documents.map((document) => ({ ...document, object: withOrigin(document.object, host.info) }));
}

async function check(
  kube: Kube,
  documents: readonly Document[],
  namespace: string,
  { log, signal }: Host,
): Promise<readonly Checked[]> {
  log.info(`checking ${documents.length} objects against the cluster, changing nothing`);
  const checked = await validate(kube, documents, { fieldManager: FIELD_MANAGER, namespace, force: true, signal });
  // Rights on what comes with this very deploy may come with it too.
  const known = checked.filter(({ planned }) => planned !== undefined);
  const lacking = await checkRights(
    kube,
    known.map(({ document }) => document),
  );
  const restated = autoscaledWithReplicas(checked.map(({ document }) => document));
  for (const problem of [...restated, ...lacking]) log.warning(describe(problem), problem.place);
  return checked;
}

async function preview(kube: Kube, checked: readonly Checked[], given: DeployInputs, host: Host): Promise<Outputs> {
  const previews = await previewOf(kube, checked, host.signal);
  for (const one of previews) host.log.info(previewLine(one));
  await host.summarize(previewSummary(previews, given.environment));
  return { verdict: 'checked', deployed: JSON.stringify(previews.map((one) => deployedObject(one))), url: '' };
}

async function apply(kube: Kube, record: DeployRecord, host: Host): Promise<void> {
  await host.log.group('applying', async () =>
    applyAll(kube, planWaves(record.documents), {
      fieldManager: FIELD_MANAGER,
      force: true,
      signal: host.signal,
      clock: host.clock,
      onAsked: (document) => record.asked(document),
      onApplied: (applied) => {
        record.applied.push(applied);
        host.log.info(`${applied.change.padEnd(10)} ${showRef(applied.object)}`);
      },
    }),
  );
  const changed = record.applied.filter(({ change }) => change !== 'unchanged').length;
  record.mark(`applied ${record.applied.length} objects, ${changed} of them new or changed`);
}

async function awaitServing(kube: Kube, record: DeployRecord, given: DeployInputs, host: Host): Promise<WaitResult> {
  const changedAt = host.clock.now();
  return waitForAll(
    kube,
    record.applied.map(({ object }) => ({ object, changedAt })),
    {
      timeout: given.timeout,
      signal: host.signal,
      clock: host.clock,
      onProgress: (line) => host.log.info(line),
      onReady: (ref, seconds) => record.served(ref, seconds),
    },
  );
}

/** Puts back what was there before, where the inputs ask for it and there was something. */
async function takeBack(
  kube: Kube,
  record: DeployRecord,
  given: DeployInputs,
  host: Host,
): Promise<Rollback | undefined> {
  const changed = record.applied.flatMap(({ object, before, change }) =>
    before ? [{ before, applied: object, isTold: change !== 'unchanged' }] : [],
  );
  if (given.onFailure === 'leave' || !changed.some(({ isTold }) => isTold)) return undefined;
  const result = await host.log.group('rolling back', async () =>
    rollBack(kube, changed, {
      timeout: ROLLBACK_MS,
      signal: host.signal,
      clock: host.clock,
      onProgress: (line) => host.log.info(line),
      onRestored: () => record.mark('put back what was there before'),
    }),
  );
  const after = record.moments.at(-1)?.seconds ?? record.seconds;
  for (const { ref, message } of [...result.left, ...result.failed])
    host.log.warning(`${showRef(ref)} was not rolled back: ${message}`);
  record.mark(result.wait && !result.wait.failed ? 'what was there before serves again' : 'not awaited further');
  return { ...result, after };
}

/** The API server's refusals in words that help. */
function inWords(error: unknown, given: DeployInputs): unknown {
  if (!(error instanceof KubeError)) return error;
  return explainKubeError(error, {
    ...(given.cluster ? { cluster: given.cluster } : {}),
    ...(given.roleToAssume ? { role: given.roleToAssume } : {}),
  });
}
