// Weights of target groups, verified against the emulator's Elastic Load Balancing; a stand-in does what the AWS Load
// Balancer Controller does between both.
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openElb } from '../../src/aws/elb.ts';
import { at } from '../../src/kube/fields.ts';
import { type Kube, type KubeObject, refOf } from '../../src/kube/kube.ts';
import { type TrafficWish, planTraffic, routerFor } from '../../src/traffic/traffic.ts';
import { adminOf } from '../lab/admin.ts';
import { type Control, controlOf } from '../lab/control.ts';
import { openLab } from '../lab/lab.ts';
import { freshNamespace } from '../lab/namespace.ts';
import type { LabFacts } from '../lab/part.ts';
import { installKinds } from './crds.ts';
import { deployerOf } from './deployer.ts';
import { type LoadBalancer, openLoadBalancer } from './load-balancer.ts';
import { IMAGE, deployment, never, realClock, serve, service } from './shop.ts';

let facts: LabFacts;
let admin: Kube;
let control: Control;
let namespace = '';
let balancer: LoadBalancer | undefined;

// A machine that never built Kubernetes builds it first.
beforeAll(async () => {
  facts = await openLab('cluster', 'aws');
  ({ kube: admin } = await adminOf(facts));
  control = controlOf(facts.aws?.control ?? '');
  await installKinds(admin);
}, 30 * 60_000);
beforeEach(async () => {
  if (!facts.cluster) throw new Error('the lab gave no cluster');
  namespace = await freshNamespace(facts.cluster, { simulated: true });
});
afterEach(async () => {
  await control.set('policy', null);
  await balancer?.stop();
  balancer = undefined;
  await admin.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
});

const ingress = (): KubeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'shop', namespace, annotations: { 'alb.ingress.kubernetes.io/target-type': 'ip' } },
  spec: {
    ingressClassName: 'alb',
    rules: [
      {
        http: {
          paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'shop', port: { number: 80 } } } }],
        },
      },
    ],
  },
});
const live = async (): Promise<KubeObject | undefined> => admin.get(refOf(ingress()));

async function opened() {
  const v1 = deployment({ namespace, image: IMAGE, replicas: 4 });
  const workload = await serve(admin, v1, service(namespace), ingress());
  balancer = await openLoadBalancer(facts, admin, refOf(ingress()));
  const kube = await deployerOf(admin, facts, namespace, 'alb');
  const candidate = deployment({ namespace, image: 'shop:2', version: 'v2' });
  const host = { env: { AWS_ENDPOINT_URL: facts.aws?.endpoint }, signal: never, clock: realClock };
  const elb = openElb(balancer.credentials, facts.aws?.region ?? '', host);
  const wish: TrafficWish = { kind: 'alb', workload, candidate, namespace, elb };
  const { plan, problems } = await planTraffic(wish, kube, never);
  if (plan === undefined) throw new Error(JSON.stringify(problems));
  const router = routerFor(JSON.parse(JSON.stringify(plan)) as typeof plan, { clock: realClock, settleMs: 200, elb });
  return { kube, plan, router, balancer, wish };
}

test('weights hold at the load balancer before a shift returns, and target groups stay until no rule has them', async () => {
  const { kube, plan, router, balancer } = await opened();
  const before = await live();
  await router.prepare(kube, never);
  expect(await balancer.weights()).toEqual({ shop: 100, 'shop-canary': 0, 'shop-baseline': 0 });
  balancer.setDelay(1500);
  await router.shift(kube, { canary: 5, baseline: 5 }, never);
  expect(await balancer.weights()).toEqual({ shop: 90, 'shop-canary': 5, 'shop-baseline': 5 });
  await router.prepare(kube, never);
  await router.shift(kube, { canary: 50, baseline: 50 }, never);
  expect(await balancer.weights()).toEqual({ shop: 0, 'shop-canary': 50, 'shop-baseline': 50 });
  for (const { ref, patch } of [...plan.restore, ...plan.restore]) await kube.patch(ref, patch);
  while ((await balancer.weights())['shop-canary'] !== 0) await realClock.sleep(100);
  await router.shift(kube, { canary: 10, baseline: 10 }, never);
  const began = performance.now();
  await router.takeBack(kube);
  expect(performance.now() - began).toBeLessThan(2000);
  balancer.setDelay(1500);
  const removing = router.remove(kube, never);
  const arms = async (): Promise<number> =>
    (await admin.list({ apiVersion: 'v1', kind: 'Service', namespace })).length - 1;
  while ((await balancer.weights())['shop-canary'] !== undefined) {
    expect(await arms()).toBe(2);
    await realClock.sleep(50);
  }
  await removing;
  expect([await balancer.weights(), await arms()]).toEqual([{ shop: 1 }, 0]);
  expect([(await live())?.['spec'], at(await live(), 'metadata', 'annotations')]).toEqual([
    before?.['spec'],
    before?.metadata.annotations,
  ]);
}, 120_000);

test('a role that may not look at the load balancer is told which action it lacks, before any weight', async () => {
  const { kube, router, wish } = await opened();
  const but = ['CreateTargetGroup', 'ModifyRule', 'RegisterTargets', 'DescribeRules', 'DescribeLoadBalancers'];
  const Action = but.map((one) => `elasticloadbalancing:${one}`);
  await control.set('policy', { Statement: [{ Effect: 'Allow', Action, Resource: '*' }] });
  const remedy = expect.stringContaining('elasticloadbalancing:DescribeListeners');
  expect(await planTraffic(wish, kube, never)).toMatchObject({ problems: [{ remedy }] });
  const spec = (await live())?.['spec'];
  await expect(router.prepare(kube, never)).rejects.toMatchObject({ remedy });
  expect((await live())?.['spec']).toEqual(spec);
}, 60_000);
