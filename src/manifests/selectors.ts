import type { Problem } from '../action/errors.ts';
import { at } from '../kube/fields.ts';
import { type KubeObject, showRef } from '../kube/kube.ts';
import { podSpecPath } from '../kube/pod-spec.ts';
import type { Document } from '../kube/document.ts';

type Labels = Readonly<Record<string, unknown>>;

/**
 * Services that none of the pods beside them answer for. Kubernetes takes such a Service without a word, and whoever
 * asks it is refused; no more than a warning, as the pods may come from elsewhere.
 */
export function servicesWithoutPods(documents: readonly Document[]): readonly Problem[] {
  const pods = documents.map(({ object }) => podLabels(object)).filter((labels) => labels !== undefined);
  if (pods.length === 0) return [];
  return documents.flatMap(({ object, file, line }) => {
    const selector = object.kind === 'Service' ? Object.entries(labelsAt(object, 'spec', 'selector') ?? {}) : [];
    if (selector.length === 0 || pods.some((labels) => selector.every(([name, value]) => labels[name] === value)))
      return [];
    const wanted = selector.map(([name, value]) => `${name}: ${String(value)}`).join(', ');
    return {
      message: `${showRef(object)} reaches no pod of these manifests: none has the labels of its selector (${wanted})`,
      remedy: 'give spec.selector the labels that stand in spec.template.metadata.labels of the workload',
      place: { file, line },
    };
  });
}

function podLabels(object: KubeObject): Labels | undefined {
  const path = podSpecPath(object.kind);
  return path && (labelsAt(object, ...path.slice(0, -1), 'metadata', 'labels') ?? {});
}

function labelsAt(object: KubeObject, ...path: readonly string[]): Labels | undefined {
  const value = at(object, ...path);
  return typeof value === 'object' && value !== null ? (value as Labels) : undefined;
}
