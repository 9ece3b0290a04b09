import { itemsAt, at, textAt } from '../kube/fields.ts';
import type { Kube, KubeObject, Selection } from '../kube/kube.ts';
import { startView } from '../kube/view.ts';
import { type Labels, selectorText } from '../arms/labels.ts';

export interface ServedPods {
  readonly namespace: string;
  readonly service: string;
  /** Labels that only the pods of an arm, or of both, have. */
  readonly pods: Labels;
}

/**
 * Waits until a Service sends requests to exactly the ready pods of the arms that stay, as its EndpointSlices say.
 * @throws the signal's reason when it aborts
 */
export async function awaitEndpoints(
  kube: Kube,
  { namespace, service, pods: selector }: ServedPods,
  signal: AbortSignal,
): Promise<void> {
  const slices: Selection = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    namespace,
    labelSelector: `kubernetes.io/service-name=${service}`,
  };
  const pods: Selection = { apiVersion: 'v1', kind: 'Pod', namespace, labelSelector: selectorText(selector) };
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true, signal: stop.signal });
  });
  aborted.catch(() => undefined);
  try {
    signal.throwIfAborted();
    const view = startView(kube, { needed: [slices, pods], helpful: [] }, both);
    while (!(view.isSynced(slices) && view.isSynced(pods) && agree(view.objects()))) {
      await Promise.race([view.changed(), aborted]);
    }
  } finally {
    stop.abort();
  }
}

/** Whether the ready endpoints that are pods of an arm are its ready pods. */
function agree(objects: readonly KubeObject[]): boolean {
  const pods = objects.filter(({ kind }) => kind === 'Pod');
  const own = new Set(pods.map(({ metadata }) => metadata.name));
  const wanted = pods.filter(isServing).map(({ metadata }) => metadata.name);
  const found = objects
    .filter(({ kind }) => kind === 'EndpointSlice')
    .flatMap((slice) => itemsAt(slice, 'endpoints'))
    .filter((endpoint) => at(endpoint, 'conditions', 'ready') !== false)
    .map((endpoint) => textAt(endpoint, 'targetRef', 'name'));
  const there = new Set(found);
  return wanted.every((name) => there.has(name)) && [...there].every((name) => !own.has(name) || wanted.includes(name));
}

function isServing(pod: KubeObject): boolean {
  const ready = itemsAt(pod, 'status', 'conditions').some(
    (one) => at(one, 'type') === 'Ready' && at(one, 'status') === 'True',
  );
  return ready && pod.metadata.deletionTimestamp === undefined;
}
