import { textAt } from './fields.ts';
import type { Kube, KubeObject } from './kube.ts';
import { isOwnedBy, readyCount } from './revision.ts';

const REVISION_LABEL = 'controller-revision-hash';

/**
 * Deletes the pods of a StatefulSet's failed version that never got ready. Its controller does not replace such a pod
 * by itself, so a restored StatefulSet would wait for it for ever (Kubernetes documentation, "Forced rollback").
 * @param failed as it was before it was restored
 */
export async function deleteStuckPods(kube: Kube, failed: KubeObject): Promise<void> {
  const revision = textAt(failed, 'status', 'updateRevision');
  const { namespace = '' } = failed.metadata;
  if (failed.kind !== 'StatefulSet' || revision === '') return;
  const pods = await kube.list({ apiVersion: 'v1', kind: 'Pod', namespace });
  const stuck = pods.filter(
    (pod) => isOwnedBy(pod, failed) && pod.metadata.labels?.[REVISION_LABEL] === revision && readyCount([pod]) === 0,
  );
  for (const { metadata } of stuck)
    await kube.delete({ apiVersion: 'v1', kind: 'Pod', namespace, name: metadata.name });
}
