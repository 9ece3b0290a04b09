import type { Ask } from './bounded.ts';
import { numberAt } from './fields.ts';
import type { Kube, KubeObject, ObjectRef } from './kube.ts';
import { isOwnedBy, newPods, readyCount } from './revision.ts';

/** How many pods of a workload are ready: of the version it is set to, and of others that still run. */
export interface PodCounts {
  readonly wanted: number;
  readonly current: number;
  readonly other: number;
}

/** Counts the pods that serve now; `undefined` for what has none, may not be read or is not answered in time. */
export async function countPods(kube: Kube, ref: ObjectRef, ask: Ask): Promise<PodCounts | undefined> {
  const { namespace } = ref;
  if (!['Deployment', 'StatefulSet', 'DaemonSet'].includes(ref.kind) || namespace === undefined) return undefined;
  const [workload, pods, sets] = await Promise.all([
    ask(() => kube.get(ref), undefined),
    ask<readonly KubeObject[] | undefined>(() => kube.list({ apiVersion: 'v1', kind: 'Pod', namespace }), undefined),
    ask(() => kube.list({ apiVersion: 'apps/v1', kind: 'ReplicaSet', namespace }), []),
  ]);
  if (!workload || !pods) return undefined;
  const owners = [workload, ...sets.filter((set) => isOwnedBy(set, workload))];
  // A pod that is being ended stays ready until it is gone, but gets no requests any more.
  const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const all = staying.filter((pod) => owners.some((owner) => isOwnedBy(pod, owner)));
  const current = readyCount(newPods(workload, staying, sets));
  return { wanted: wantedPods(workload) ?? 0, current, other: readyCount(all) - current };
}

/** How many pods a workload is set to have; `undefined` for what is no workload, or not counted yet. */
export function wantedPods(object: KubeObject): number | undefined {
  if (object.kind === 'DaemonSet') return numberAt(object, 'status', 'desiredNumberScheduled');
  if (object.kind === 'Deployment' || object.kind === 'StatefulSet') return numberAt(object, 'spec', 'replicas') ?? 1;
  return undefined;
}
