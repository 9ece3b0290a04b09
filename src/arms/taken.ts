import { at } from '../kube/fields.ts';
import { type Kube, KubeError, type KubeObject, type ObjectRef, refOf } from '../kube/kube.ts';
import type { ArmDeployments } from './arms.ts';
import { type Labels, WORKLOAD_LABEL, arms, labelsAt, selectorText } from './labels.ts';
import { ARMS_MANAGER } from './manifest.ts';

const SWEEPS = 5;

/**
 * Takes the labels away by which Services find the arms' pods: they leave the endpoints at once, finish what they have
 * begun, and stay for evidence. Neither a ReplicaSet's next pod nor a Deployment's next template has the labels then:
 * the Deployment is paused, as it would replace the pods else.
 * @param keys names of the labels
 * @returns how many pods had them
 * @throws AggregateError of everything that was refused, once all else was sent
 */
export async function takeLabels(kube: Kube, deployments: ArmDeployments, keys: readonly string[]): Promise<number> {
  const gone = Object.fromEntries(keys.map((key) => [key, null]));
  const inTemplate = { template: { metadata: { labels: gone } } };
  const { canary } = deployments;
  const { namespace = '' } = canary.metadata;
  const workload = labelsAt(canary, 'metadata', 'labels')[WORKLOAD_LABEL] ?? '';
  const selection = { namespace, labelSelector: selectorText({ [WORKLOAD_LABEL]: workload }) };
  const failures: unknown[] = [];
  const send = async (ref: ObjectRef, patch: object): Promise<void> => {
    try {
      await kube.patch(ref, patch, { fieldManager: ARMS_MANAGER });
    } catch (error) {
      if (!(error instanceof KubeError && error.status === 404)) failures.push(error);
    }
  };
  const sweep = async (kind: 'Pod' | 'ReplicaSet', patch: object): Promise<number> => {
    const apiVersion = kind === 'Pod' ? 'v1' : 'apps/v1';
    const found = (await kube.list({ apiVersion, kind, ...selection })).filter((one) => carries(one, keys));
    await Promise.all(found.map(async (one) => send(refOf(one), patch)));
    return found.length;
  };
  const pods = async (): Promise<number> => sweep('Pod', { metadata: { labels: gone } });
  const done = await Promise.allSettled([
    pods(),
    sweep('ReplicaSet', { spec: inTemplate }),
    ...arms.map(async (arm) => send(refOf(deployments[arm]), { spec: { paused: true, ...inTemplate } })),
  ]);
  failures.push(...done.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : [])));
  // A pod may have been on its way by the old template.
  let taken = done[0].status === 'fulfilled' ? done[0].value : 0;
  for (let left = SWEEPS, more = 1; left > 0 && failures.length === 0 && more > 0; left -= 1) {
    more = await pods();
    taken += more;
  }
  if (failures.length > 0) throw new AggregateError(failures, 'some pods could not be taken out of the Service');
  return taken;
}

/** Gives the labels back to the templates of arms from which they were taken, for the pods that come next. */
export async function giveLabels(kube: Kube, deployments: ArmDeployments, labels: Labels): Promise<void> {
  await Promise.all(
    arms.map(async (arm) => {
      const ref = refOf(deployments[arm]);
      if (at(await kube.get(ref), 'spec', 'paused') !== true) return;
      const patch = { spec: { paused: false, template: { metadata: { labels } } } };
      await kube.patch(ref, patch, { fieldManager: ARMS_MANAGER });
    }),
  );
}

function carries(object: KubeObject, keys: readonly string[]): boolean {
  const labels: Labels =
    object.kind === 'Pod'
      ? labelsAt(object, 'metadata', 'labels')
      : labelsAt(object, 'spec', 'template', 'metadata', 'labels');
  return at(object, 'metadata', 'deletionTimestamp') === undefined && keys.some((key) => labels[key] !== undefined);
}
