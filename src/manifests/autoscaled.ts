import type { Problem } from '../action/errors.ts';
import { at, textAt } from '../kube/fields.ts';
import { showRef } from '../kube/kube.ts';
import { identityOf } from './identity.ts';
import type { Document } from '../kube/document.ts';

/**
 * Workloads that state a number of pods although an autoscaler of the same manifests decides it: each deploy would set
 * it back, in the middle of a busy day too, until the autoscaler notices.
 */
export function autoscaledWithReplicas(documents: readonly Document[]): readonly Problem[] {
  const scaled = new Map<string, Document>();
  for (const document of documents) {
    const { kind, metadata } = document.object;
    if (kind !== 'HorizontalPodAutoscaler') continue;
    const [apiVersion, target, name] = ['apiVersion', 'kind', 'name'].map((field) =>
      textAt(document.object, 'spec', 'scaleTargetRef', field),
    );
    if (apiVersion && target && name)
      scaled.set(identityOf({ apiVersion, kind: target, metadata: { ...metadata, name } }), document);
  }
  return documents.flatMap(({ object, file, line }) => {
    const by = scaled.get(identityOf(object));
    if (by === undefined || at(object, 'spec', 'replicas') === undefined) return [];
    return [
      {
        message: `${showRef(object)} states spec.replicas, which ${showRef(by.object)} decides: each deploy sets it back`,
        remedy: 'take spec.replicas out of the manifest',
        place: { file, line },
      },
    ];
  });
}
