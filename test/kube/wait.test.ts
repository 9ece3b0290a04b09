import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/action/main.ts';
import type { Kube, KubeObject, Selection, WatchEvent } from '../../src/kube/kube.ts';
import { type WaitResult, waitForAll } from '../../src/kube/wait.ts';

const deployment = (status: object): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'api',
    namespace: 'shop',
    uid: 'd',
    generation: 2,
    annotations: { 'deployment.kubernetes.io/revision': '2' },
  },
  spec: { replicas: 1 },
  status: { observedGeneration: 2, ...status },
});
const DONE = {
  replicas: 1,
  updatedReplicas: 1,
  availableReplicas: 1,
  readyReplicas: 1,
  conditions: [{ type: 'Available', status: 'True' }],
};
const ROLLING = { ...DONE, replicas: 2 };

const replicaSet = (revision: string): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: {
    name: `api-${revision}`,
    namespace: 'shop',
    uid: `rs${revision}`,
    annotations: { 'deployment.kubernetes.io/revision': revision },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'api', uid: 'd' }],
  },
});
const crashing = (revision: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: `api-${revision}-x`,
    namespace: 'shop',
    uid: `p${revision}`,
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'api', uid: `rs${revision}` }],
  },
  status: {
    containerStatuses: [
      { name: 'api', ready: false, restartCount: 1, state: { waiting: { reason: 'CrashLoopBackOff' } } },
    ],
  },
});

/** A cluster that lists `first` and then sends `later`, one after another. */
function cluster(first: readonly KubeObject[], later: readonly KubeObject[] = []): Pick<Kube, 'watch'> {
  return {
    async *watch(selection: Selection, signal: AbortSignal): AsyncGenerator<WatchEvent> {
      const mine = (object: KubeObject): boolean => object.kind === selection.kind;
      for (const object of first.filter(mine)) yield { type: 'ADDED', object };
      yield { type: 'SYNCED' };
      for (const object of later.filter(mine)) {
        await systemClock.sleep(20, signal);
        yield { type: 'MODIFIED', object };
      }
      await systemClock.sleep(60_000, signal);
    },
  };
}

function wait(kube: Pick<Kube, 'watch'>, timeout = 5000, lines: string[] = []): Promise<WaitResult> {
  return waitForAll(kube as Kube, [{ object: deployment({}), changedAt: Date.now() }], {
    timeout,
    signal: new AbortController().signal,
    clock: systemClock,
    onProgress: (line) => void lines.push(line),
  });
}

describe('waitForAll', () => {
  test('is done when the old pods are gone', async () => {
    const lines: string[] = [];
    const result = await wait(cluster([deployment(ROLLING)], [deployment(DONE)]), 5000, lines);
    expect(result.ready).toMatchObject([{ ref: { name: 'api' } }]);
    expect(result.failed).toBeUndefined();
    expect(lines.at(-1)).toBe('Deployment/api: 1/1 new pods ready');
    expect(lines.length).toBe(2);
  });

  test('ends at once when a pod of the new version crashes', async () => {
    const objects = [deployment(ROLLING), replicaSet('1'), replicaSet('2'), crashing('2')];
    const result = await wait(cluster(objects));
    expect(result.failed).toMatchObject({ ref: { name: 'api' }, cause: { kind: 'crash', pod: 'api-2-x' } });
  });

  test('does not mind pods of the old version, and tells what was late', async () => {
    const objects = [deployment(ROLLING), replicaSet('1'), replicaSet('2'), crashing('1')];
    const result = await wait(cluster(objects), 200);
    expect(result.failed).toBeUndefined();
    expect(result.timedOut).toMatchObject([{ ref: { name: 'api' } }]);
  });

  test('does not take the state before the change for the new one', async () => {
    const old = deployment({ ...DONE, observedGeneration: 1 });
    const stale = { ...old, metadata: { ...old.metadata, generation: 1 } };
    expect((await wait(cluster([stale]), 200)).ready).toEqual([]);
  });

  test('rejects when the objects may not be watched', async () => {
    const kube: Pick<Kube, 'watch'> = {
      watch: () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('forbidden')) }) }),
    };
    await expect(wait(kube)).rejects.toThrow('forbidden');
  });
});
