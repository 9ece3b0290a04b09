import { at, numberAt, textAt } from './fields.ts';
import type { KubeObject } from './kube.ts';

const REVISION = 'deployment.kubernetes.io/revision';

/**
 * The pods of the version that a workload is moving to, by its chain of owners; none as long as its controller has
 * not seen the change, since whatever runs then is the old version.
 */
export function newPods(
  workload: KubeObject,
  pods: readonly KubeObject[],
  replicaSets: readonly KubeObject[],
): readonly KubeObject[] {
  if (workload.kind === 'Pod') return pods.filter((pod) => pod.metadata.uid === workload.metadata.uid);
  const owned = (owner: KubeObject | undefined): readonly KubeObject[] =>
    owner === undefined ? [] : pods.filter((pod) => isOwnedBy(pod, owner));
  if (workload.kind === 'Job') return owned(workload);
  const observed = numberAt(workload, 'status', 'observedGeneration') ?? 0;
  if (observed < (workload.metadata.generation ?? 0)) return [];
  switch (workload.kind) {
    case 'Deployment':
      return owned(newReplicaSet(workload, replicaSets));
    case 'StatefulSet': {
      const revision = textAt(workload, 'status', 'updateRevision');
      return owned(workload).filter((pod) => pod.metadata.labels?.['controller-revision-hash'] === revision);
    }
    case 'DaemonSet': {
      // The API server keeps this number in step with the template, and the controller copies it onto its pods.
      const template = workload.metadata.annotations?.['deprecated.daemonset.template.generation'];
      return owned(workload).filter(
        (pod) => template === undefined || pod.metadata.labels?.['pod-template-generation'] === template,
      );
    }
    default:
      return owned(workload);
  }
}

/** The ReplicaSet of a Deployment's present revision. */
export function newReplicaSet(deployment: KubeObject, replicaSets: readonly KubeObject[]): KubeObject | undefined {
  const revision = deployment.metadata.annotations?.[REVISION];
  if (revision === undefined) return undefined;
  return replicaSets.find((set) => isOwnedBy(set, deployment) && set.metadata.annotations?.[REVISION] === revision);
}

/** How many of these pods are ready. */
export function readyCount(pods: readonly KubeObject[]): number {
  return pods.filter((pod) => {
    const conditions = at(pod, 'status', 'conditions');
    return (
      Array.isArray(conditions) &&
      conditions.some((entry) => at(entry, 'type') === 'Ready' && at(entry, 'status') === 'True')
    );
  }).length;
}

export function isOwnedBy(object: KubeObject, owner: KubeObject): boolean {
  const { uid } = owner.metadata;
  return uid !== undefined && (object.metadata.ownerReferences ?? []).some((reference) => reference.uid === uid);
}
