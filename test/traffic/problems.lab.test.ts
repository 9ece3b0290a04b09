// What is told before anything changes, against a real API server; the pods are simulated.
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Kube, type KubeObject, refOf } from '../../src/kube/kube.ts';
import { type PlannedTraffic, type TrafficWish, planTraffic, routerFor } from '../../src/traffic/traffic.ts';
import { adminOf } from '../lab/admin.ts';
import { openLab } from '../lab/lab.ts';
import { freshNamespace } from '../lab/namespace.ts';
import type { LabFacts } from '../lab/part.ts';
import { installKinds } from './crds.ts';
import { deployerOf } from './deployer.ts';
import { IMAGE, deployment, endpoints, labels, never, realClock, serve, service } from './shop.ts';

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

const shop = (more: Parameters<typeof deployment>[0] | object = {}): KubeObject =>
  deployment({ namespace, image: IMAGE, replicas: 2, ...more });

/** The manifest with other fields in its spec. */
function withSpec(object: KubeObject, spec: object): KubeObject {
  return { ...object, spec: { ...(object['spec'] as object), ...spec } };
}

function withPodLabels(object: KubeObject, podLabels: object): KubeObject {
  const spec = object['spec'] as { template: { metadata: object } };
  const template = { ...spec.template, metadata: { ...spec.template.metadata, labels: { ...labels, ...podLabels } } };
  return withSpec(object, { template });
}

async function plan(wish: Partial<TrafficWish> = {}): Promise<PlannedTraffic> {
  const workload = (await admin.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'shop' })) ?? shop();
  return planTraffic({ kind: 'replicas', workload, candidate: shop(), namespace, ...wish }, admin, never);
}

const told = ({ problems }: PlannedTraffic): readonly string[] => problems.map(({ message }) => message);
const apply = async (...objects: readonly KubeObject[]): Promise<void> => {
  for (const object of objects) await admin.apply(object, { fieldManager: 'lab', force: true });
};
const route = (name: string, backend = 'shop', annotations: object = {}): KubeObject => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name, namespace, annotations: { ...annotations } },
  spec: { rules: [{ backendRefs: [{ name: backend, port: 80 }] }] },
});

describe('the workload and its Service', () => {
  test('a workload that is not there, with those that are', async () => {
    await apply({ ...shop(), metadata: { name: 'shop-api', namespace } });
    const { problems } = await plan();
    expect(problems).toMatchObject([
      { message: `there is no Deployment/shop in namespace ${namespace}`, remedy: expect.stringContaining('shop-api') },
    ]);
  });

  test('all that is wrong at once, and nothing is made', async () => {
    await apply(withSpec(shop(), { paused: true, replicas: 0, strategy: { type: 'Recreate', rollingUpdate: null } }));
    await apply({ ...shop(), metadata: { name: 'shop-canary', namespace } });
    expect(told(await plan({ candidate: withPodLabels(shop(), { app: 'store' }) }))).toEqual([
      'Deployment/shop is paused',
      'Deployment/shop has no pods (spec.replicas is 0), so there is nothing to compare with',
      `no Service of namespace ${namespace} selects the pods of Deployment/shop`,
      expect.stringContaining('has the strategy Recreate'),
      'Deployment/shop-canary exists and was not made by a canary of Deployment/shop',
      expect.stringContaining('Deployment/shop-canary: '),
    ]);
    expect(
      await admin.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'shop-baseline' }),
    ).toBeUndefined();
  });

  test.each([
    ['shop-db', {}, 'there is no Service/shop-db in namespace'],
    ['outside', { selector: null }, 'Service/outside has no selector'],
    ['other', { selector: { app: 'other' } }, 'Service/other does not select the pods of Deployment/shop'],
    ['alias', { type: 'ExternalName', externalName: 'shop.example' }, 'Service/alias is an ExternalName'],
  ])('the named Service %s', async (name, spec, message) => {
    await serve(admin, shop(), service(namespace));
    if (name !== 'shop-db') await apply(service(namespace, name, spec));
    const { problems } = await plan({ service: name });
    expect(problems).toMatchObject([{ message: expect.stringContaining(message), remedy: 'Those that do: shop.' }]);
  });

  test('pods of another workload behind the same Service', async () => {
    const other = withPodLabels({ ...shop(), metadata: { name: 'worker', namespace } }, {});
    await serve(admin, shop(), service(namespace));
    await serve(admin, withSpec(other, { selector: { matchLabels: { app: 'shop' } } }));
    expect(told(await plan())).toEqual([
      expect.stringMatching(/selector of Service\/shop also matches pods .* worker-/),
    ]);
  });

  test('labels by which an arm would be taken for the stable pods, and a promotion without requests', async () => {
    await serve(admin, withPodLabels(shop(), { 'delivery-actions/track': 'stable' }), service(namespace));
    expect(told(await plan({ candidate: withPodLabels(shop(), { app: 'store' }) }))).toEqual([
      expect.stringContaining("an arm's selector would match both sides"),
      expect.stringContaining('lack the labels that the Service selects (app: shop)'),
    ]);
  });

  test('a manifest that the server refuses', async () => {
    await serve(admin, shop(), service(namespace));
    const broken = withSpec(shop(), { minReadySeconds: -1 });
    expect(told(await plan({ candidate: broken }))).toEqual([
      expect.stringContaining('spec.minReadySeconds: Invalid value'),
    ]);
  });

  test('a rollout that is under way', async () => {
    await apply(shop({ replicas: 2 }), service(namespace));
    await admin.patch(refOf(shop()), { spec: { replicas: 40 } });
    expect(told(await plan())).toEqual([
      expect.stringContaining('does not serve as it should before the canary begins'),
    ]);
  });
});

describe('routes', () => {
  beforeEach(async () => void (await serve(admin, shop(), service(namespace))));

  test.each<[string, () => readonly KubeObject[], Partial<TrafficWish>, string]>([
    ['none', () => [route('images', 'images')], {}, 'leads to Service/shop'],
    ['several', () => [route('a'), route('b')], {}, 'several of kind HTTPRoute lead to Service/shop: a, b'],
    ['a named one that is not there', () => [route('a')], { route: 'c' }, 'there is no HTTPRoute/c in namespace'],
    ['a named one of another Service', () => [route('a', 'images')], { route: 'a' }, 'HTTPRoute/a does not lead to'],
    [
      'two Services of the same pods',
      () => [
        service(namespace, 'shop-too'),
        { ...route('a'), spec: { rules: [{ backendRefs: [{ name: 'shop' }, { name: 'shop-too' }] }] } },
      ],
      {},
      'HTTPRoute/a leads to the same pods by several Services: shop, shop-too',
    ],
  ])('%s', async (_, objects, wish, message) => {
    await apply(...objects());
    expect(told(await plan({ kind: 'gateway-api', ...wish }))).toEqual([expect.stringContaining(message)]);
  });

  test('one that another tool also writes', async () => {
    await apply(route('a', 'shop', { 'argocd.argoproj.io/tracking-id': 'shop:a' }));
    const { problems, notes } = await plan({ kind: 'gateway-api' });
    expect([problems, notes]).toEqual([
      [],
      expect.arrayContaining([expect.stringContaining('also written by Argo CD')]),
    ]);
  });

  test('subsets of Istio, of which the arms are none', async () => {
    const http = [{ route: [{ destination: { host: 'shop', subset: 'v1' } }] }];
    await apply({
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'shop', namespace },
      spec: { http },
    });
    expect(told(await plan({ kind: 'istio' }))).toEqual([
      'VirtualService/shop leads to subsets of Service/shop (v1), of which the arms are none',
    ]);
  });

  test('another canary of the same host, an Ingress of another controller, and none with a load balancer', async () => {
    const backend = { service: { name: 'shop', port: { number: 80 } } };
    const ingress = (name: string, annotations: object = {}): KubeObject => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name, namespace, annotations: { ...annotations } },
      spec: {
        ingressClassName: namespace,
        rules: [{ host: 'shop.example', http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
      },
    });
    const itsClass = { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name: namespace } };
    await apply({ ...itsClass, spec: { controller: 'example.com/other' } });
    await apply(ingress('shop'), ingress('shop-new', { 'nginx.ingress.kubernetes.io/canary': 'true' }));
    expect(told(await plan({ kind: 'nginx' }))).toEqual([
      expect.stringContaining('Ingress/shop is served by example.com/other'),
      expect.stringContaining('Ingress/shop-new is a canary for a host of Ingress/shop already'),
    ]);
    expect(told(await plan({ kind: 'alb', route: 'shop' }))).toEqual([
      expect.stringContaining('Ingress/shop is served by example.com/other'),
      'Ingress/shop has no load balancer yet',
    ]);
    await admin.delete(refOf({ ...itsClass }));
  });
});

test('rights that are missing, with the rule to add', async () => {
  const workload = await serve(admin, shop(), service(namespace));
  const kube = await deployerOf(admin, facts, namespace, 'replicas');
  const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', namespace, name: 'deployer' };
  const { rules } = (await admin.get(role)) as unknown as { rules: { resources: string[]; verbs: string[] }[] };
  const less = rules.map((rule) => (rule.resources[0] === 'pods' ? { ...rule, verbs: ['list', 'watch'] } : rule));
  await admin.patch(role, { rules: less });
  const { problems } = await planTraffic({ kind: 'replicas', workload, candidate: shop(), namespace }, kube, never);
  expect(problems).toMatchObject([
    {
      message: expect.stringContaining('does not let the deployer patch pods'),
      remedy: expect.stringContaining('["patch"]'),
    },
  ]);
});

test('an autoscaler is noted, and the arms follow the number of pods that it has come to', async () => {
  const workload = await serve(admin, shop(), service(namespace));
  await apply({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'shop', namespace },
    spec: { maxReplicas: 20, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' } },
  });
  const { plan: made, notes } = await plan();
  expect(notes).toEqual([expect.stringContaining('HorizontalPodAutoscaler/shop decides the number of stable pods')]);
  if (made === undefined) throw new Error('no plan');
  const router = routerFor(made, { clock: realClock, settleMs: 0 });
  await router.prepare(admin, never);
  await router.shift(admin, { canary: 25, baseline: 25 }, never);
  expect(await endpoints(admin, namespace)).toEqual({ stable: 2, canary: 1, baseline: 1 });
  await admin.patch(refOf(workload), { spec: { replicas: 8 } });
  await router.shift(admin, { canary: 25, baseline: 25 }, never);
  expect(await endpoints(admin, namespace)).toMatchObject({ canary: 4, baseline: 4 });
});

test('what an abandoned canary has left is emptied and used again', async () => {
  await serve(admin, shop(), service(namespace));
  const io = { clock: realClock, settleMs: 0 };
  const { plan: first } = await plan();
  if (first === undefined) throw new Error('no plan');
  await routerFor(first, io).prepare(admin, never);
  await routerFor(first, io).shift(admin, { canary: 25, baseline: 25 }, never);
  const { plan: second, notes, problems } = await plan({ candidate: shop({ version: 'v3' }) });
  expect([problems, notes]).toEqual([
    [],
    [expect.stringContaining('shop-canary is left of an earlier'), expect.any(String)],
  ]);
  if (second === undefined) throw new Error('no plan');
  await routerFor(second, io).prepare(admin, never);
  await routerFor(second, io).shift(admin, { canary: 0, baseline: 0 }, never);
  expect(await endpoints(admin, namespace)).toEqual({ stable: 2 });
});
