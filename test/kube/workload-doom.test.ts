import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/action/main.ts';
import type { Kube, KubeObject, Selection, WatchEvent } from '../../src/kube/kube.ts';
import { type WaitResult, waitForAll } from '../../src/kube/wait.ts';
import { workloadDoom } from '../../src/kube/workload-doom.ts';

const NOW = Date.parse('2026-11-01T00:00:00Z');
const owned = (kind: string, name: string, uid: string, owner: string, more: object = {}): KubeObject => ({
  apiVersion: kind === 'Pod' ? 'v1' : 'apps/v1',
  kind,
  metadata: {
    name,
    namespace: 'shop',
    uid,
    annotations: { 'deployment.kubernetes.io/revision': uid },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'x', name: 'x', uid: owner }],
  },
  ...more,
});
const deployment: KubeObject = {
  ...owned('Deployment', 'api', '2', ''),
  spec: { replicas: 1 },
  status: {},
};
const REFUSED = { status: { conditions: [{ type: 'ReplicaFailure', status: 'True' }] } };

describe('what a Deployment says of itself', () => {
  const doom = (reason: string, message: string, sets: readonly KubeObject[], age: number) =>
    workloadDoom({
      changedAt: NOW - age,
      live: deployment,
      state: { state: 'failed', reason, message },
      pods: [],
      all: sets,
      now: NOW,
    })?.kind;
  const [old, own] = [owned('ReplicaSet', 'api-1', '1', '2'), owned('ReplicaSet', 'api-2', '2', '2')];

  test('counts against the new version when its own ReplicaSet is meant', () => {
    const late = 'ReplicaSet "api-2" has timed out progressing.';
    expect(doom('ProgressDeadlineExceeded', late, [old, own], 60_000)).toBe('deadline');
    expect(doom('ReplicaFailure', 'forbidden', [old, { ...own, ...REFUSED }], 5_000)).toBe('refused');
  });

  test('is not held against the new version when it is left from the one before', () => {
    const late = 'ReplicaSet "api-1" has timed out progressing.';
    expect(doom('ProgressDeadlineExceeded', late, [old, own], 60_000)).toBeUndefined();
    expect(doom('ReplicaFailure', 'forbidden', [{ ...old, ...REFUSED }, own], 60_000)).toBeUndefined();
  });

  test('waits a moment, as a service account of a new namespace is made after it', () => {
    expect(doom('ReplicaFailure', 'forbidden', [{ ...own, ...REFUSED }], 1_000)).toBeUndefined();
  });

  test('is given ten seconds where ReplicaSets may not be read', () => {
    expect(doom('ReplicaFailure', 'forbidden', [], 9_000)).toBeUndefined();
    expect(doom('ReplicaFailure', 'forbidden', [], 11_000)).toBe('refused');
  });
});

test('a pod without a place is waited for as long as others are leaving', () => {
  const scheduled = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'Insufficient cpu' };
  const conditions = [{ ...scheduled, lastTransitionTime: new Date(NOW - 60_000).toISOString() }];
  const pod = owned('Pod', 'api-2-x', 'p', '2', { status: { conditions } });
  const other = owned('Pod', 'api-1-x', 'q', '1');
  const leaving = { ...other, metadata: { ...other.metadata, deletionTimestamp: '2026-11-01T00:00:00Z' } };
  const state = { state: 'progressing', reason: '', message: '' } as const;
  const look = { changedAt: NOW - 60_000, live: deployment, state, pods: [pod], now: NOW };
  expect(workloadDoom({ ...look, all: [pod, other] })?.kind).toBe('unschedulable');
  expect(workloadDoom({ ...look, all: [pod, leaving] })).toBeUndefined();
});

const job = (more: object = {}, metadata: object = {}): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'migrate', namespace: 'shop', uid: 'j', ...metadata },
  spec: { ttlSecondsAfterFinished: 0 },
  ...more,
});
const config: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'shop' } };

/** A cluster that tells what each kind's steps are, 30 ms apart. */
function cluster(steps: readonly WatchEvent[], first: readonly KubeObject[] = []): Kube {
  const watch = async function* (selection: Selection, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    for (const object of first) if (object.kind === selection.kind) yield { type: 'ADDED', object };
    yield { type: 'SYNCED' };
    for (const step of steps) {
      await systemClock.sleep(30, signal);
      if (step.type !== 'SYNCED' && step.object.kind === selection.kind) yield step;
    }
    await systemClock.sleep(60_000, signal);
  };
  return { watch } as unknown as Kube;
}
const wait = (kube: Kube, objects: readonly KubeObject[], timeout = 4000): Promise<WaitResult> =>
  waitForAll(
    kube,
    objects.map((object) => ({ object, changedAt: Date.now() })),
    { timeout, signal: new AbortController().signal, clock: systemClock },
  );

describe('what is gone', () => {
  test('is a Job that completed when the cluster said so before it was cleared away', async () => {
    const event = { apiVersion: 'v1', kind: 'Event', metadata: { name: 'e', namespace: 'shop' } };
    const completed = { ...event, reason: 'Completed', involvedObject: { uid: 'j' } };
    const result = await wait(cluster([], [completed]), [job()]);
    expect(result.ready).toMatchObject([{ ref: { name: 'migrate' } }]);
  });

  test('is a Job that completed when it is just being cleared away', async () => {
    const status = { conditions: [{ type: 'Complete', status: 'True' }] };
    const result = await wait(cluster([], [job({ status }, { deletionTimestamp: 'now' })]), [job()]);
    expect(result.ready).toHaveLength(1);
  });

  test('is told within seconds, not when the time is up', async () => {
    const result = await wait(cluster([{ type: 'DELETED', object: config }], [job()]), [job(), config]);
    expect(result.failed).toMatchObject({ ref: { name: 'c' }, cause: { reason: 'Deleted' } });
    expect((await wait(cluster([]), [job()])).failed?.cause.message).toContain('ttlSecondsAfterFinished');
  });
});

test('a workload that served and crashes while others are awaited fails the deploy', async () => {
  const DONE = { replicas: 1, updatedReplicas: 1, availableReplicas: 1, readyReplicas: 1 };
  const status = { ...DONE, conditions: [{ type: 'Available', status: 'True' }] };
  const serving = { ...deployment, status };
  const waiting = { waiting: { reason: 'CrashLoopBackOff' } };
  const containerStatuses = [{ name: 'api', ready: false, restartCount: 3, state: waiting }];
  const pod = owned('Pod', 'api-2-x', 'p', 'set', { status: { containerStatuses } });
  const set = {
    ...owned('ReplicaSet', 'api-2', 'set', '2'),
    metadata: {
      ...owned('ReplicaSet', 'api-2', 'set', '2').metadata,
      annotations: { 'deployment.kubernetes.io/revision': '2' },
    },
  };
  const steps: WatchEvent[] = [
    { type: 'ADDED', object: pod },
    { type: 'MODIFIED', object: { ...serving, status: { ...status, availableReplicas: 0, readyReplicas: 0 } } },
  ];
  const result = await wait(cluster(steps, [serving, set, job()]), [deployment, job()], 1500);
  expect(result.failed).toMatchObject({ ref: { name: 'api' }, cause: { kind: 'crash' } });
});
