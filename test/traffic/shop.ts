import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../src/action/host.ts';
import { type Kube, type KubeObject, refOf } from '../../src/kube/kube.ts';
import { readiness } from '../../src/kube/readiness/readiness.ts';

/** Of the stable pods; simulated ones pull nothing. */
export const IMAGE = `shop@sha256:${'1'.repeat(64)}`;
export const labels = { app: 'shop' };
export const never = new AbortController().signal;

export const realClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    await sleep(ms, undefined, signal ? { signal } : {}).catch((error: unknown) => {
      throw signal?.aborted ? signal.reason : error;
    });
  },
};

interface Version {
  readonly namespace: string;
  readonly image: string;
  readonly replicas?: number;
  readonly version?: string;
  /** Of the container, such as a command. */
  readonly container?: object;
}

/** A Deployment of a service, as its manifest says it. */
export function deployment({ namespace, image, replicas = 3, version = 'v1', container = {} }: Version): KubeObject {
  const containers = [
    { name: 'web', image, env: [{ name: 'VERSION', value: version }], ports: [{ name: 'http', containerPort: 8080 }] },
  ].map((one) => ({ ...one, ...container }));
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop', namespace, labels: { 'app.kubernetes.io/instance': 'shop' } },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 2, containers } },
    },
  };
}

export function service(namespace: string, name = 'shop', more: object = {}): KubeObject {
  const spec = { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }], ...more };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec };
}

/** Makes the service and waits until it serves. @returns the live Deployment */
export async function serve(kube: Kube, wanted: KubeObject, ...others: readonly KubeObject[]): Promise<KubeObject> {
  for (const object of [wanted, ...others]) await kube.apply(object, { fieldManager: 'lab', force: true });
  for (;;) {
    const live = await kube.get(refOf(wanted));
    if (live !== undefined && readiness(live, Date.now()).state === 'current') return live;
    await sleep(100);
  }
}

/** Names of the ready endpoints of a Service, and how many are of each track. */
export async function endpoints(kube: Kube, namespace: string, name = 'shop'): Promise<Record<string, number>> {
  const labelSelector = `kubernetes.io/service-name=${name}`;
  const slices = await kube.list({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    namespace,
    labelSelector,
  });
  const counts: Record<string, number> = {};
  for (const slice of slices) {
    for (const endpoint of (slice['endpoints'] ?? []) as {
      conditions: { ready: boolean };
      targetRef: { name: string };
    }[]) {
      if (!endpoint.conditions.ready) continue;
      const track = /-(canary|baseline)-/.exec(endpoint.targetRef.name)?.[1] ?? 'stable';
      counts[track] = (counts[track] ?? 0) + 1;
    }
  }
  return counts;
}
