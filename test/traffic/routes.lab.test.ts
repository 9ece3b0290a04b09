// Weights on routes, written into a real API server with just the rights that each kind asks for. The routes' own kinds
// have schemas of the fields used; what acts on the routes is not here, except for a stand-in that says of an HTTPRoute
// what a Gateway's controller would say. The pods are simulated: they turn ready at once.
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { at, itemsAt, textAt } from '../../src/kube/fields.ts';
import { type Kube, type KubeObject, refOf } from '../../src/kube/kube.ts';
import { type RoutedKind, type TrafficPlan, planTraffic, routerFor } from '../../src/traffic/traffic.ts';
import { adminOf } from '../lab/admin.ts';
import { openLab } from '../lab/lab.ts';
import { freshNamespace } from '../lab/namespace.ts';
import type { LabFacts } from '../lab/part.ts';
import { installKinds } from './crds.ts';
import { deployerOf } from './deployer.ts';
import { IMAGE, deployment, endpoints, never, realClock, serve, service } from './shop.ts';

const io = { clock: realClock, settleMs: 200 };
let facts: LabFacts;
let admin: Kube;
let namespace = '';

// A machine that never built Kubernetes builds it first.
beforeAll(async () => {
  facts = await openLab('cluster');
  ({ kube: admin } = await adminOf(facts));
  await installKinds(admin);
}, 30 * 60_000);
beforeEach(async () => {
  if (!facts.cluster) throw new Error('the lab gave no cluster');
  namespace = await freshNamespace(facts.cluster, { simulated: true });
});
afterEach(async () => admin.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace }));

const httpRoute = (name = 'shop'): KubeObject => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name, namespace },
  spec: {
    parentRefs: [{ name: 'public' }],
    rules: [
      { matches: [{ path: { value: '/api' } }], backendRefs: [{ name: 'shop', port: 80 }] },
      { matches: [{ path: { value: '/' } }], backendRefs: [{ name: 'web', port: 80 }] },
    ],
  },
});
const virtualService = (): KubeObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'shop', namespace },
  spec: {
    hosts: ['shop'],
    http: [{ route: [{ destination: { host: `shop.${namespace}.svc.cluster.local`, port: { number: 80 } } }] }],
  },
});
const destinationRule = (): KubeObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'DestinationRule',
  metadata: { name: 'shop', namespace },
  spec: { host: 'shop', trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' } } },
});
const ingress = (more: object = {}): KubeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'shop', namespace, annotations: { 'nginx.ingress.kubernetes.io/affinity': 'cookie' } },
  spec: {
    ingressClassName: 'nginx',
    rules: [
      {
        host: 'shop.example',
        http: {
          paths: [
            { path: '/', pathType: 'Prefix', backend: { service: { name: 'shop', port: { name: 'http' } } } },
            { path: '/static', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } },
          ],
        },
      },
    ],
    ...more,
  },
});

interface Planned {
  readonly kube: Kube;
  readonly plan: TrafficPlan;
  readonly notes: readonly string[];
}

async function planned(kind: RoutedKind, ...others: readonly KubeObject[]): Promise<Planned> {
  const v1 = deployment({ namespace, image: IMAGE, replicas: 4 });
  const workload = await serve(admin, v1, service(namespace), ...others);
  const candidate = deployment({ namespace, image: 'shop:2', version: 'v2' });
  const kube = await deployerOf(admin, facts, namespace, kind);
  const { plan, problems, notes } = await planTraffic({ kind, workload, candidate, namespace }, kube, never);
  if (plan === undefined) throw new Error(JSON.stringify(problems));
  return { kube, plan: JSON.parse(JSON.stringify(plan)) as TrafficPlan, notes };
}

const specOf = async (object: KubeObject): Promise<unknown> => (await admin.get(refOf(object)))?.['spec'];
const own = async (apiVersion: string, kind: string): Promise<readonly string[]> =>
  (await admin.list({ apiVersion, kind, namespace }))
    .map(({ metadata }) => metadata.name)
    .filter((name) => /canary|baseline|arms/.test(name));

async function left(): Promise<readonly string[]> {
  const types = [
    ['apps/v1', 'Deployment'],
    ['v1', 'Service'],
    ['networking.k8s.io/v1', 'Ingress'],
    ['networking.istio.io/v1', 'DestinationRule'],
  ] as const;
  return (await Promise.all(types.map(async ([apiVersion, kind]) => own(apiVersion, kind)))).flat();
}

/** Restores as the deadman does, twice, with no more than the data. */
async function restored(kube: Kube, plan: TrafficPlan): Promise<void> {
  expect(plan.restore.every(({ ref }) => ref.namespace === namespace)).toBe(true);
  for (const { ref, patch } of [...plan.restore, ...plan.restore]) await kube.patch(ref, patch);
}

describe('gateway-api', () => {
  test('weights on the rules that lead to the Service, back to the letter, and by the data alone', async () => {
    const { kube, plan, notes } = await planned('gateway-api', httpRoute());
    expect(notes).toEqual([expect.stringContaining('no controller has accepted HTTPRoute/shop')]);
    const before = await specOf(httpRoute());
    const router = routerFor(plan, io);
    await router.prepare(kube, never);
    expect(await specOf(httpRoute())).toEqual(before);
    await router.shift(kube, { canary: 20, baseline: 20 }, never);
    const [api, web] = itemsAt(await specOf(httpRoute()), 'rules');
    expect(at(api, 'backendRefs')).toEqual([
      { name: 'shop', port: 80, weight: 60 },
      { name: 'shop-canary', port: 80, weight: 20 },
      { name: 'shop-baseline', port: 80, weight: 20 },
    ]);
    expect(web).toEqual(at(before, 'rules', 1));
    expect(await endpoints(admin, namespace)).toEqual({ stable: 4 });
    expect(await endpoints(admin, namespace, 'shop-canary')).toEqual({ canary: 1 });
    expect(await endpoints(admin, namespace, 'shop-baseline')).toEqual({ baseline: 1 });
    await router.prepare(kube, never);
    await router.shift(kube, { canary: 50, baseline: 50 }, never);
    expect(await endpoints(admin, namespace, 'shop-canary')).toEqual({ canary: 2 });
    // An autoscaler that found the stable pods idle takes no pods from the arms.
    await admin.patch(plan.workload, { spec: { replicas: 1 } });
    await router.shift(kube, { canary: 50, baseline: 50 }, never);
    expect(await endpoints(admin, namespace, 'shop-canary')).toEqual({ canary: 2 });
    await restored(kube, plan);
    expect(await specOf(httpRoute())).toEqual(before);
    await router.shift(kube, { canary: 0.5, baseline: 0.5 }, never);
    const began = performance.now();
    await router.takeBack(kube);
    expect(performance.now() - began).toBeLessThan(2000);
    expect(await specOf(httpRoute())).toEqual(before);
    await router.remove(kube, never);
    expect(await left()).toEqual([]);
  }, 60_000);

  test('it waits for the controller that knows the route, and tells its refusal', async () => {
    const say = async (status: string, generation: number): Promise<unknown> => {
      const condition = { type: 'ResolvedRefs', status, reason: 'BackendNotFound', message: 'no such port' };
      const accepted = { type: 'Accepted', status: 'True', reason: 'Accepted' };
      const conditions = [accepted, condition].map((one) => ({ ...one, observedGeneration: generation }));
      const parents = [{ controllerName: 'example.com/gateway', parentRef: { name: 'public' }, conditions }];
      return admin.patch(refOf(httpRoute()), { status: { parents } }, { subresource: 'status' });
    };
    await admin.apply(httpRoute(), { fieldManager: 'lab' });
    await say('True', 1);
    const { kube, plan, notes } = await planned('gateway-api', httpRoute());
    expect(notes).toEqual([]);
    const router = routerFor(plan, io);
    await router.prepare(kube, never);
    let done = false;
    const shifting = router.shift(kube, { canary: 5, baseline: 5 }, never).then(() => (done = true));
    while ((await admin.get(refOf(httpRoute())))?.metadata.generation !== 2) await realClock.sleep(50);
    await realClock.sleep(500);
    expect(done).toBe(false);
    await say('True', 2);
    await shifting;
    const refused = router.shift(kube, { canary: 10, baseline: 10 }, never).catch(String);
    while ((await admin.get(refOf(httpRoute())))?.metadata.generation !== 3) await realClock.sleep(50);
    await say('False', 3);
    expect(await refused).toContain('HTTPRoute/shop was not taken: no such port');
  }, 60_000);

  test('what others write into the route meanwhile stays', async () => {
    const { kube, plan } = await planned('gateway-api', httpRoute());
    const router = routerFor(plan, io);
    await router.prepare(kube, never);
    await router.shift(kube, { canary: 5, baseline: 5 }, never);
    const rules = itemsAt(await specOf(httpRoute()), 'rules');
    await admin.patch(refOf(httpRoute()), { spec: { rules: [...rules, { backendRefs: [{ name: 'docs' }] }] } });
    await router.takeBack(kube);
    const after = itemsAt(await specOf(httpRoute()), 'rules').map((rule) => textAt(rule, 'backendRefs', 0, 'name'));
    expect(after).toEqual(['shop', 'web', 'docs']);
    await admin.delete(refOf(httpRoute()));
    await expect(router.shift(kube, { canary: 5, baseline: 5 }, never)).rejects.toThrow('HTTPRoute/shop is gone');
    await router.takeBack(kube);
    await router.remove(kube, never);
    expect(await left()).toEqual([]);
  }, 60_000);
});

test('istio: weights on the destinations, and the traffic policy for the hosts of both arms', async () => {
  const { kube, plan } = await planned('istio', virtualService(), destinationRule());
  const before = await specOf(virtualService());
  const router = routerFor(plan, io);
  await router.prepare(kube, never);
  await router.shift(kube, { canary: 5, baseline: 5 }, never);
  const host = (name: string) => ({ host: `${name}.${namespace}.svc.cluster.local`, port: { number: 80 } });
  expect(at(await specOf(virtualService()), 'http', 0, 'route')).toEqual([
    { destination: host('shop'), weight: 90 },
    { destination: host('shop-canary'), weight: 5 },
    { destination: host('shop-baseline'), weight: 5 },
  ]);
  const policy = { ...destinationRule(), metadata: { name: 'shop-canary', namespace } };
  expect(await specOf(policy)).toEqual({ host: 'shop-canary', trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' } } });
  await restored(kube, plan);
  expect(await specOf(virtualService())).toEqual(before);
  await router.shift(kube, { canary: 100, baseline: 0 }, never);
  await router.takeBack(kube);
  expect(await specOf(virtualService())).toEqual(before);
  await router.remove(kube, never);
  expect(await left()).toEqual([]);
}, 60_000);

test('nginx: one canary Ingress for both arms, which share its weight by their pods', async () => {
  const { kube, plan } = await planned('nginx', ingress());
  const router = routerFor(plan, io);
  const canary = { ...ingress(), metadata: { name: 'shop-arms', namespace } };
  const weight = async (): Promise<string> =>
    textAt(await admin.get(refOf(canary)), 'metadata', 'annotations', 'nginx.ingress.kubernetes.io/canary-weight');
  await router.prepare(kube, never);
  expect(await weight()).toBe('0');
  await router.shift(kube, { canary: 20, baseline: 20 }, never);
  await router.prepare(kube, never);
  expect([await weight(), await endpoints(admin, namespace, 'shop-arms')]).toEqual(['40', { canary: 1, baseline: 1 }]);
  const made = await admin.get(refOf(canary));
  expect(made?.metadata.annotations).toMatchObject({
    'nginx.ingress.kubernetes.io/canary': 'true',
    'nginx.ingress.kubernetes.io/affinity': 'cookie',
  });
  expect(itemsAt(made, 'spec', 'rules', 0, 'http', 'paths').map((one) => textAt(one, 'path'))).toEqual(['/']);
  await restored(kube, plan);
  expect(await weight()).toBe('0');
  await router.shift(kube, { canary: 50, baseline: 50 }, never);
  expect(await weight()).toBe('100');
  await router.takeBack(kube);
  expect(await weight()).toBe('0');
  await router.remove(kube, never);
  expect(await left()).toEqual([]);
  await router.takeBack(kube);
}, 60_000);
