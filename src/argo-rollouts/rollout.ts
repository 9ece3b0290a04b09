import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { numberAt, textAt } from '../kube/fields.ts';
import { type Kube, type KubeObject, type ObjectRef, showRef } from '../kube/kube.ts';
import type { RolloutPlan, RolloutWish } from './plan.ts';
import { type Released, type RolloutState, describeState, rolloutState } from './state.ts';

export { type RolloutMetric, type RolloutPlan, type RolloutStep, type RolloutWish, planRollout } from './plan.ts';
export { type MetricReport, type RolloutReport, reportRollout } from './report.ts';
export { abortRollout, promoteRollout } from './control.ts';
export { type Released, type RolloutPhase, type RolloutState, rolloutState } from './state.ts';

const MANAGER = 'delivery-actions';

interface Following extends Pick<Host, 'clock' | 'signal'> {
  /** Milliseconds. */
  readonly timeout: number;
  /** One line whenever something changed. */
  readonly onProgress: (line: string) => void;
}

/**
 * What a release starts from: the Rollout that has the name or refers to the Deployment of that name, else the Deployment.
 * @throws UserError when there is neither
 */
export async function findWorkload(
  kube: Kube,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<Pick<RolloutWish, 'workload' | 'referred'>> {
  const type = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' };
  const isServed = (await kube.resource(type)) !== undefined;
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', namespace };
  const rollouts = isServed ? await kube.list({ ...type, namespace }) : [];
  const referredBy = (one: KubeObject): string => textAt(one, 'spec', 'workloadRef', 'name');
  const rollout =
    rollouts.find(({ metadata }) => metadata.name === name) ?? rollouts.find((one) => referredBy(one) === name);
  const target = rollout === undefined ? name : referredBy(rollout);
  const referred = target === '' ? undefined : await kube.get({ ...deployment, name: target });
  if (rollout !== undefined) return { workload: rollout, ...(referred && { referred }) };
  if (referred !== undefined) return { workload: referred };
  throw new UserError(`there is no Deployment or Rollout ${name} in namespace ${namespace}`, {
    remedy: 'Deploy it first, or mend the input workload.',
  });
}

/**
 * Hands the workload to the controller, where it is not yet, and gives it the new version. From then on the controller
 * goes on by itself, whatever becomes of the runner.
 * @throws UserError when the controller does not take the workload over in time
 * @throws KubeError when the server says no
 */
export async function startRollout(kube: Kube, plan: RolloutPlan, following: Following): Promise<Released> {
  if ((await kube.resource(plan.rollout)) === undefined) {
    throw new UserError('the cluster does not know Rollouts', {
      remedy: 'Install Argo Rollouts in it, or choose another traffic.',
    });
  }
  for (const object of plan.objects) await kube.apply(object, { fieldManager: MANAGER, force: true });
  for (const { ref, patch } of plan.changes) await kube.patch(ref, patch, { fieldManager: MANAGER });
  if (plan.adopts) await adopted(kube, plan, following);
  const changed = await kube.patch(plan.release.ref, plan.release.patch, { fieldManager: MANAGER });
  return { generation: changed.metadata.generation ?? 0, byReference: changed.kind !== 'Rollout' };
}

const ENDS_ADOPTION: ReadonlySet<RolloutState['phase']> = new Set(['promoted', 'failed']);

/** The Deployment must have no pods of its own when its image changes, or it would roll them itself. */
async function adopted(kube: Kube, { rollout, release }: RolloutPlan, following: Following): Promise<void> {
  const before = await kube.get(release.ref);
  const released = { generation: before?.metadata.generation ?? 0, byReference: true };
  const { state } = await until(kube, rollout, released, following, ({ phase }) => ENDS_ADOPTION.has(phase));
  if (state.phase === 'failed') {
    throw new UserError(`Argo Rollouts does not take the Deployment over: ${state.message}`, {
      remedy: 'Its own pods still serve; mend what it says, or delete the Rollout.',
    });
  }
  const { clock, signal, timeout } = following;
  const end = clock.now() + timeout;
  for (;;) {
    const deployment = await kube.get(release.ref);
    if (numberAt(deployment, 'spec', 'replicas') === 0 && !numberAt(deployment, 'status', 'replicas')) return;
    if (clock.now() > end) throw late(rollout, 'the Deployment was not scaled down');
    await clock.sleep(500, signal);
  }
}

/**
 * Follows a release until it is promoted, aborted, failed or held; a run that resumes follows just the same.
 * @throws UserError after `timeout`, with what it waits for
 */
export async function followRollout(
  kube: Kube,
  rollout: ObjectRef,
  released: Released,
  following: Following,
): Promise<{ readonly rollout: KubeObject; readonly state: RolloutState }> {
  return until(kube, rollout, released, following, ({ phase }) => phase !== 'progressing');
}

async function until(
  kube: Kube,
  ref: ObjectRef,
  released: Released,
  { timeout, signal, onProgress }: Following,
  isDone: (state: RolloutState) => boolean,
): Promise<{ readonly rollout: KubeObject; readonly state: RolloutState }> {
  const { apiVersion, kind, namespace = '', name } = ref;
  const selection = { apiVersion, kind, namespace, fieldSelector: `metadata.name=${name}` };
  const end = new AbortController();
  const limit = AbortSignal.timeout(timeout);
  const stop = AbortSignal.any([signal, limit, end.signal]);
  let told = '';
  try {
    for await (const event of kube.watch(selection, stop)) {
      if (event.type === 'SYNCED') continue;
      if (event.type === 'DELETED') throw new UserError(`${showRef(ref)} was deleted`);
      const state = rolloutState(event.object, released);
      const line = describeState(state);
      if (line !== told) onProgress(line);
      told = line;
      if (isDone(state)) return { rollout: event.object, state };
    }
  } catch (error) {
    if (!stop.aborted) throw error;
  } finally {
    end.abort();
  }
  signal.throwIfAborted();
  throw late(ref, told || 'it was not seen');
}

function late(ref: ObjectRef, words: string): UserError {
  return new UserError(`${showRef(ref)} did not end in time: ${words}`, {
    remedy:
      'The controller goes on by itself: run again with mode step to follow it, or with mode abort to take it back.',
  });
}
