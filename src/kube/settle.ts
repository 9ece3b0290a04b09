import { at, itemsAt } from './fields.ts';
import type { KubeObject } from './kube.ts';

/** Longer than a program takes that ends because a setting is missing, shorter than people mind. */
const SETTLE_MS = 3000;
const KINDS = new Set(['Deployment', 'StatefulSet', 'DaemonSet']);

/**
 * Without a readiness probe Kubernetes counts a pod as ready from the moment it starts, even one that crashes right
 * after. Such a workload has to stay ready for three seconds before it counts as serving. One that was ready at the
 * first look was so before this deploy and waits for nothing.
 */
export class Settling {
  readonly #since = new Map<string, number>();

  /** @returns whether a workload that is ready now has been so for long enough */
  isSettled(live: KubeObject, isReady: boolean, now: number): boolean {
    const key = `${live.kind}/${live.metadata.namespace}/${live.metadata.name}`;
    const isFirstLook = !this.#since.has(key);
    if (!isReady) this.#since.set(key, Number.POSITIVE_INFINITY);
    if (!isReady || isFirstLook || !KINDS.has(live.kind) || isProbed(live)) return isReady;
    const since = Math.min(this.#since.get(key) ?? now, now);
    this.#since.set(key, since);
    return now - since >= SETTLE_MS;
  }
}

function isProbed(workload: KubeObject): boolean {
  return itemsAt(workload, 'spec', 'template', 'spec', 'containers').every(
    (container) => at(container, 'readinessProbe') !== undefined,
  );
}
