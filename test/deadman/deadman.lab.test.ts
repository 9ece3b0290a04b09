// The guard's program as it stands in its ConfigMap, run as its pod would: with the token of its service account against
// the lab's API server, whose RBAC and pod security decide what it may.
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { applyDeadman, awaitDeadman, deadmanMark, finishedMark, removeDeadman } from '../../src/deadman/deadman.ts';
import { type DeadmanWish, deadmanRefs } from '../../src/deadman/plan.ts';
import { at } from '../../src/kube/fields.ts';
import { type Kube, type KubeObject, refOf } from '../../src/kube/kube.ts';
import { adminOf } from '../lab/admin.ts';
import { openLab } from '../lab/lab.ts';
import { freshNamespace } from '../lab/namespace.ts';
import type { LabFacts } from '../lab/part.ts';
import { call } from '../lab/parts/cluster/api.ts';
import { type RunningGuard, clusterOf, runGuard, tokenOf } from './guard.ts';

const LASTS_SECONDS = 2;
let facts: LabFacts;
let kube: Kube;
let namespace = '';
let folder = '';
let guards: ChildProcess[] = [];

// A machine that never built Kubernetes builds it first.
beforeAll(async () => {
  facts = await openLab('cluster');
  ({ kube } = await adminOf(facts));
}, 30 * 60_000);
beforeEach(async () => {
  if (!facts.cluster) throw new Error('the lab gave no cluster');
  namespace = await freshNamespace(facts.cluster, { simulated: true });
  const restricted = { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } };
  await kube.patch({ apiVersion: 'v1', kind: 'Namespace', name: namespace }, restricted);
  folder = await mkdtemp(path.join(tmpdir(), 'deadman-'));
  guards = [];
});
afterEach(async () => {
  for (const guard of guards) guard.kill('SIGKILL');
  await kube.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
  await rm(folder, { recursive: true, force: true });
});

const apply = async (object: KubeObject): Promise<KubeObject> => kube.apply(object, { fieldManager: 'lab' });
const live = async (kind: string, name: string): Promise<KubeObject> => {
  const apiVersion = { Lease: 'coordination.k8s.io/v1', Deployment: 'apps/v1' }[kind] ?? 'v1';
  const found = await kube.get({ apiVersion, kind, namespace, name });
  if (found === undefined) throw new Error(`${kind}/${name} is gone`);
  return found;
};

/** A canary with two objects to restore, and the Lease that its runner renews. */
async function canary(): Promise<DeadmanWish> {
  const labels = { app: 'tracking-api-canary' };
  const containers = [{ name: 'api', image: 'tracking-api:2' }];
  const metadata = { name: 'tracking-api-canary', namespace };
  const workload = await apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  });
  // Stands for a route of any kind: the guard knows no kinds.
  const route = await apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'route', namespace },
    data: { canary: '5', stable: '95' },
  });
  const lease = await kube.create({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'canary-tracking-api', namespace },
    // The runner's clock is an hour ahead, which nothing may depend on.
    spec: {
      holderIdentity: 'run-7',
      leaseDurationSeconds: LASTS_SECONDS,
      renewTime: microTime(Date.now() + 3_600_000),
    },
  });
  return {
    workload: { ...workload, metadata: { ...workload.metadata, name: 'tracking-api' } },
    image: 'node:24',
    lease,
    restore: [
      { ref: refOf(route), patch: [{ op: 'replace', path: '/data', value: { canary: '0', stable: '100' } }] },
      { ref: refOf(workload), patch: { spec: { replicas: 0 } } },
    ],
    graceSeconds: 1,
    deadlineSeconds: 600,
  };
}

/** One of the guard's own objects. */
async function ofGuard(kind: string): Promise<KubeObject> {
  const refs = deadmanRefs({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'tracking-api' });
  const ref = refs.find((one) => one.kind === kind);
  const found = ref && (await kube.get(ref));
  if (found === undefined) throw new Error(`the guard's ${kind} is gone`);
  return found;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await holds()) return;
    await sleep(100);
  }
  throw new Error('it did not come to hold within 10 s');
}

const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z');
const renew = async (): Promise<void> =>
  void (await kube.patch(
    { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name: 'canary-tracking-api' },
    { spec: { renewTime: microTime(Date.now() - 7_200_000) } },
    { fieldManager: 'runner' },
  ));

const startGuard = async (): Promise<RunningGuard> => {
  const guard = await runGuard({ kube, cluster: clusterOf(facts), namespace, folder });
  guards.push(guard.child);
  return guard;
};
const state = async (): Promise<string | undefined> => deadmanMark(await live('Lease', 'canary-tracking-api'))?.state;
const weights = async (): Promise<unknown> => at(await live('ConfigMap', 'route'), 'data');
const replicas = async (): Promise<unknown> => at(await live('Deployment', 'tracking-api-canary'), 'spec', 'replicas');
const real = { now: () => Date.now(), sleep: async (ms: number) => sleep(ms) };
const watching = async (lease: KubeObject): Promise<void> =>
  awaitDeadman(kube, refOf(lease), { within: 15_000, clock: real, signal: new AbortController().signal });

test('when the runner dies the traffic goes back within the lease and its grace, and the Lease says so', async () => {
  const wish = await canary();
  await applyDeadman(kube, wish);
  const guard = await startGuard();
  await watching(wish.lease);
  for (let second = 0; second < 6; second += 1) {
    await renew();
    await sleep(1000);
    expect(await weights()).toEqual({ canary: '5', stable: '95' });
  }
  const died = Date.now();
  expect(await guard.ended).toBe(0);
  // 2 s of the Lease, 1 s of grace, 1 s between looks, and 1 s by which the server's whole seconds may be off.
  expect(Date.now() - died).toBeLessThan(6500);
  expect([await weights(), await replicas(), await state()]).toEqual([{ canary: '0', stable: '100' }, 0, 'taken-back']);
}, 60_000);

test('a guard that died half way is followed by one that goes on, and one that comes after does nothing more', async () => {
  const wish = await canary();
  await applyDeadman(kube, wish);
  const mark = { metadata: { annotations: { 'delivery-actions/deadman': '{"state":"taking-back"}' } } };
  await kube.patch(refOf(wish.lease), mark);
  // Another run that renews does not hold up what was begun.
  await kube.patch(refOf(wish.lease), { spec: { leaseDurationSeconds: 600 } });
  const follower = await startGuard();
  expect(await Promise.race([follower.ended, sleep(10_000, 'goes on')])).toBe(0);
  expect(await weights()).toEqual({ canary: '0', stable: '100' });
  await kube.patch({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'route' }, { data: { canary: '20' } });
  expect(await (await startGuard()).ended).toBe(0);
  expect(await weights()).toMatchObject({ canary: '20' });
}, 60_000);

test('it ends by itself when the canary is finished, its Lease gone, or the Lease of another canary', async () => {
  const wish = await canary();
  await applyDeadman(kube, wish);
  await kube.patch(refOf(wish.lease), { metadata: { annotations: finishedMark(Date.now()) } });
  const finished = await startGuard();
  expect([await finished.ended, finished.said()]).toEqual([0, expect.stringContaining('the canary is finished: ends')]);
  // With the Lease the guard's account would go as well, and there would be nothing to run it by.
  await kube.delete(refOf(wish.lease), { propagation: 'Orphan' });
  await until(async () => (await kube.get(refOf(wish.lease))) === undefined);
  const gone = await startGuard();
  expect([await gone.ended, gone.said()]).toEqual([0, expect.stringContaining('the Lease is gone: ends')]);
  const { apiVersion, kind, spec } = wish.lease;
  await kube.create({ apiVersion, kind, metadata: { name: 'canary-tracking-api', namespace }, spec });
  await sleep((LASTS_SECONDS + 2) * 1000);
  expect(await (await startGuard()).ended).toBe(0);
  expect([await weights(), await state()]).toEqual([{ canary: '5', stable: '95' }, undefined]);
}, 60_000);

test('what was deleted meanwhile keeps nothing else from going back', async () => {
  const wish = await canary();
  await applyDeadman(kube, wish);
  await kube.delete({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'tracking-api-canary' });
  const guard = await startGuard();
  expect(await guard.ended).toBe(0);
  expect(guard.said()).toContain('Deployment/tracking-api-canary: is gone');
  expect([await weights(), await state()]).toEqual([{ canary: '0', stable: '100' }, 'taken-back']);
}, 60_000);

describe('rights', () => {
  test.each([
    ['get of the Lease', 'leases', 'get', undefined, '5', true],
    ['patch of the Lease', 'leases', 'patch', undefined, '0', false],
    ['patch of the route', 'configmaps', 'patch', 'taking-back', '5', false],
    ['patch of the workload', 'deployments', 'patch', 'taking-back', '0', true],
  ])(
    'without %s it cannot do its work',
    async (_, resource, verb, marked, canaryWeight, keepsPods) => {
      const wish = await canary();
      await applyDeadman(kube, wish);
      const role = await ofGuard('Role');
      const rules = (at(role, 'rules') as { resources: string[]; verbs: string[] }[]).map((rule) =>
        rule.resources[0] === resource ? { ...rule, verbs: rule.verbs.filter((one) => one !== verb) } : rule,
      );
      await kube.patch(refOf(role), { rules: rules.filter(({ verbs }) => verbs.length > 0) });
      const guard = await startGuard();
      const ended = await Promise.race([guard.ended, sleep(9000, 'goes on')]);
      expect([ended, await state(), at(await weights(), 'canary'), (await replicas()) === 2]).toEqual([
        'goes on',
        marked,
        canaryWeight,
        keepsPods,
      ]);
      expect(guard.said()).toContain('403');
    },
    60_000,
  );

  test('it has no others', async () => {
    await applyDeadman(kube, await canary());
    await startGuard();
    const token = await tokenOf(clusterOf(facts), namespace, 'tracking-api-deadman');
    const review = async (account: string): Promise<readonly unknown[]> => {
      const { body } = await call(
        { ...clusterOf(facts), adminToken: account },
        'POST',
        '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
        { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace } },
      );
      return (JSON.parse(body) as { status: { resourceRules: unknown[] } }).status.resourceRules;
    };
    const own = (await review(token)).filter((rule) => at(rule, 'resourceNames') !== undefined);
    const anybody = await review(await tokenOf(clusterOf(facts), namespace, 'default'));
    expect(own).toHaveLength(3);
    expect(await review(token)).toEqual(expect.arrayContaining([...anybody]));
    expect(await review(token)).toHaveLength(own.length + anybody.length);
    expect(own.flatMap((rule) => at(rule, 'resourceNames'))).toEqual(
      expect.arrayContaining(['canary-tracking-api', 'route', 'tracking-api-canary']),
    );
  }, 60_000);
});

describe('the objects', () => {
  test('its pod is let in where pods are restricted, and goes with the Lease', async () => {
    const wish = await canary();
    await applyDeadman(kube, wish);
    const pods = async (): Promise<readonly KubeObject[]> =>
      kube.list({ apiVersion: 'v1', kind: 'Pod', namespace, labelSelector: 'job-name=tracking-api-deadman' });
    await until(async () => (await pods()).length > 0);
    await kube.delete(refOf(wish.lease));
    const left = async (): Promise<boolean> =>
      (await Promise.all(deadmanRefs(refOf(wish.workload)).map(async (ref) => kube.get(ref)))).some(Boolean);
    await until(async () => !(await left()));
    expect(await left()).toBe(false);
  }, 60_000);

  test('the same plan is left alone, another takes its place, and all of it can be removed', async () => {
    const wish = await canary();
    const uid = async (): Promise<string | undefined> => (await ofGuard('Job')).metadata.uid;
    await applyDeadman(kube, wish);
    const first = await uid();
    await applyDeadman(kube, wish);
    expect(await uid()).toBe(first);
    await applyDeadman(kube, { ...wish, graceSeconds: 30 });
    expect(await uid()).not.toBe(first);
    await removeDeadman(kube, refOf(wish.workload));
    await expect(uid()).rejects.toThrow('Job is gone');
  }, 60_000);

  test('a guard that does not come to watch is told before any traffic moves', async () => {
    const wish = await canary();
    await applyDeadman(kube, wish);
    const waiting = awaitDeadman(kube, refOf(wish.lease), {
      within: 1000,
      clock: real,
      signal: new AbortController().signal,
    });
    await expect(waiting).rejects.toThrow('the deadman in the cluster does not watch after 1 s');
  }, 60_000);
});
