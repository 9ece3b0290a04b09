// Shares by numbers of pods, on real pods of a real node where there is one.
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { at } from '../../src/kube/fields.ts';
import type { Kube, KubeObject } from '../../src/kube/kube.ts';
import { type TrafficPlan, planTraffic, reachedBy, routerFor } from '../../src/traffic/traffic.ts';
import { adminOf } from '../lab/admin.ts';
import { openLab } from '../lab/lab.ts';
import { describeWith } from '../lab/needs.ts';
import { freshNamespace } from '../lab/namespace.ts';
import type { LabFacts } from '../lab/part.ts';
import { NODE } from '../lab/parts/base-image.ts';
import { deployment, endpoints, never, realClock, serve, service } from './shop.ts';

const describe = await describeWith('images', 'pods');
const io = { clock: realClock, settleMs: 2000 };
let facts: LabFacts;
let kube: Kube;
let namespace = '';
let image = '';
/** What a test that failed may have left running. */
const ends: (() => void)[] = [];

// A machine that never built Kubernetes builds it first.
beforeAll(async () => {
  facts = await openLab('cluster', 'images', 'registry');
  ({ kube } = await adminOf(facts));
  image = `${facts.registry?.host}/node:24`;
  const env = { ...process.env, DOCKER_HOST: facts.images?.dockerHost, DOCKER_CONFIG: facts.images?.dockerConfig };
  await promisify(execFile)('docker', ['tag', NODE.name, image], { env });
  await promisify(execFile)('docker', ['push', '--quiet', image], { env });
}, 30 * 60_000);
beforeEach(async () => {
  if (!facts.cluster) throw new Error('the lab gave no cluster');
  namespace = await freshNamespace(facts.cluster);
});
afterEach(async () => {
  for (const end of ends.splice(0)) end();
  await kube.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
});

const serving =
  "require('http').createServer((q, r) => r.end(process.env.VERSION)).listen(8080); process.on('SIGTERM', () => process.exit())";
const container = {
  command: ['node', '-e', serving],
  readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 },
};
const version = (name: string, more: object = {}): KubeObject =>
  deployment({ namespace, image, version: name, container: { ...container, ...more } });

async function planned(candidate = version('v2')): Promise<TrafficPlan> {
  const workload = await serve(kube, version('v1'), service(namespace, 'shop', { type: 'NodePort' }));
  const { plan, problems } = await planTraffic({ kind: 'replicas', workload, candidate, namespace }, kube, never);
  if (plan === undefined) throw new Error(JSON.stringify(problems));
  // As a run that goes on with it has it, from the cluster.
  return JSON.parse(JSON.stringify(plan)) as TrafficPlan;
}

const named = async (kind: string, apiVersion = 'v1'): Promise<readonly KubeObject[]> =>
  (await kube.list({ apiVersion, kind, namespace })).filter(({ metadata }) => /canary|baseline/.test(metadata.name));

describe('replicas', () => {
  test('a canary through all of its life: shares grow by ready pods, are taken back within 2 s, and nothing stays', async () => {
    const plan = await planned();
    const router = routerFor(plan, io);
    await router.prepare(kube, never);
    expect(await endpoints(kube, namespace)).toEqual({ stable: 3 });
    await router.shift(kube, { canary: 5, baseline: 5 }, never);
    expect(await endpoints(kube, namespace)).toEqual({ stable: 3, canary: 1, baseline: 1 });
    expect(reachedBy(plan, { canary: 5, baseline: 5 })).toEqual({ canary: 20, baseline: 20 });
    await router.prepare(kube, never);
    await router.shift(kube, { canary: 50, baseline: 50 }, never);
    expect(await endpoints(kube, namespace)).toEqual({ stable: 3, canary: 3, baseline: 3 });
    const pods = await named('Pod');
    const began = performance.now();
    await routerFor(plan, io).takeBack(kube);
    while (Object.keys(await endpoints(kube, namespace)).length > 1) await sleep(20);
    const took = performance.now() - began;
    expect(took).toBeLessThan(2000);
    // The pods stay for evidence, and one that is lost does not come back into the Service.
    expect((await named('Pod')).map(({ metadata }) => metadata.uid)).toEqual(pods.map(({ metadata }) => metadata.uid));
    await kube.delete({ apiVersion: 'v1', kind: 'Pod', namespace, name: pods[0]?.metadata.name ?? '' });
    const ready = async (): Promise<number> =>
      (await named('Deployment', 'apps/v1')).reduce(
        (sum, one) => sum + Number(at(one, 'status', 'readyReplicas') ?? 0),
        0,
      );
    while (new Set((await named('Pod')).map(({ metadata }) => metadata.name)).has(pods[0]?.metadata.name ?? ''))
      await sleep(100);
    while ((await ready()) < 6) await sleep(100);
    expect(await endpoints(kube, namespace)).toEqual({ stable: 3 });
    await router.remove(kube, never);
    expect([await named('Deployment', 'apps/v1'), await named('ReplicaSet', 'apps/v1'), await named('Pod')]).toEqual([
      [],
      [],
      [],
    ]);
    // Once more, after the end.
    await router.takeBack(kube);
    await router.remove(kube, never);
  }, 120_000);

  test('no request is lost while pods come, leave and end, though the program does not drain', async () => {
    const plan = await planned();
    const router = routerFor(plan, io);
    const load = await startLoad();
    await router.prepare(kube, never);
    await router.shift(kube, { canary: 50, baseline: 50 }, never);
    while ((load.answers()['v2'] ?? 0) < 50) await sleep(50);
    await router.shift(kube, { canary: 0, baseline: 0 }, never);
    while ((await named('Pod')).length > 0) await sleep(100);
    await router.shift(kube, { canary: 20, baseline: 20 }, never);
    expect(await endpoints(kube, namespace)).toEqual({ stable: 3, canary: 1, baseline: 1 });
    const before = load.answers()['v2'] ?? 0;
    while ((load.answers()['v2'] ?? 0) < before + 50) await sleep(50);
    await router.takeBack(kube);
    await sleep(1000);
    const after = load.answers()['v2'];
    await router.remove(kube, never);
    expect(load.answers()['v2']).toBe(after);
    await load.stop();
    expect(load.failures()).toEqual([]);
  }, 120_000);

  test('a canary that crashes is told at once as the canary, and gets no requests', async () => {
    const crash = { command: ['node', '-e', "throw new Error('CARRIERS_URL is not set')"] };
    const plan = await planned(version('v2', crash));
    const router = routerFor(plan, io);
    await router.prepare(kube, never);
    const fault = await router.shift(kube, { canary: 20, baseline: 20 }, never).catch((error: unknown) => error);
    expect(fault).toMatchObject({ name: 'ArmFault', arm: 'canary', doom: { kind: 'crash' } });
    expect((await endpoints(kube, namespace))['canary']).toBeUndefined();
    await router.takeBack(kube);
    await router.remove(kube, never);
  }, 60_000);

  test('a shift that is under way when the traffic is taken back does not come after it', async () => {
    const plan = await planned();
    const router = routerFor(plan, io);
    await router.prepare(kube, never);
    const shifting = router.shift(kube, { canary: 50, baseline: 50 }, never).catch(String);
    await sleep(700);
    await router.takeBack(kube);
    expect(await shifting).toContain('the traffic is taken back');
    await sleep(4000);
    expect(await endpoints(kube, namespace)).toEqual({ stable: 3 });
  }, 60_000);

  test('the data alone empties both arms, as a deadman does, and twice as well as once', async () => {
    const plan = await planned();
    const router = routerFor(plan, io);
    await router.prepare(kube, never);
    await router.shift(kube, { canary: 20, baseline: 20 }, never);
    for (const { ref, patch } of [...plan.restore, ...plan.restore]) await kube.patch(ref, patch);
    while ((await named('Pod')).length > 0) await sleep(100);
    expect(await endpoints(kube, namespace)).toEqual({ stable: 3 });
    expect(JSON.stringify(plan).length).toBeLessThan(20_000);
  }, 60_000);
});

/** Requests to the Service from outside the cluster, each by a connection of its own. */
async function startLoad() {
  const live = await kube.get({ apiVersion: 'v1', kind: 'Service', namespace, name: 'shop' });
  const address = `http://${facts.cluster?.nodeAddress}:${String(at(live, 'spec', 'ports', 0, 'nodePort'))}/`;
  const counts: Record<string, number> = {};
  const failures: string[] = [];
  const ended = new AbortController();
  const client = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      try {
        const answer = await fetch(address, { headers: { connection: 'close' }, signal: AbortSignal.timeout(5000) });
        const version = await answer.text();
        counts[version] = (counts[version] ?? 0) + 1;
      } catch (error) {
        failures.push(`${new Date().toISOString()} ${String(error)} ${String((error as Error).cause)}`);
      }
      await sleep(10);
    }
  };
  // The node takes a moment to open the port of a new Service.
  while (
    !(await fetch(address).then(
      ({ ok }) => ok,
      () => false,
    ))
  )
    await sleep(100);
  await sleep(1000);
  const clients = Array.from({ length: 6 }, client);
  ends.push(() => ended.abort());
  return {
    answers: () => counts,
    failures: () => failures,
    stop: async (): Promise<void> => {
      ended.abort();
      await Promise.all(clients);
    },
  };
}
