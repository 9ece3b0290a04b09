import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/action/main.ts';
import { diagnose } from '../../src/kube/diagnose.ts';
import { type Kube, type KubeObject, type ObjectRef, KubeError } from '../../src/kube/kube.ts';
import { rollBack, snapshot } from '../../src/kube/rollback.ts';

const config = (name: string, data: object): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'shop', managedFields: [] },
  data,
});

/** A cluster of ConfigMaps that notes what is asked of it. */
function cluster(objects: Map<string, KubeObject>, calls: string[]): Kube {
  const kube: Partial<Kube> = {
    get: async (ref: ObjectRef) => objects.get(ref.name),
    async patch(ref, patch) {
      calls.push(`patch ${ref.name} ${JSON.stringify(patch)}`);
      const object = objects.get(ref.name);
      if (object === undefined || ref.name === 'locked')
        throw new KubeError('no', { status: 403, reason: 'Forbidden' });
      return object;
    },
    async delete(ref) {
      calls.push(`delete ${ref.name}`);
    },
    async *watch(selection, signal) {
      for (const object of objects.values()) {
        if (object.kind === selection.kind) yield { type: 'ADDED', object };
      }
      yield { type: 'SYNCED' };
      await systemClock.sleep(60_000, signal);
    },
  };
  return kube as Kube;
}

describe('rollBack', () => {
  test.each([false, true])('puts back what it can; deletes what is new only when asked (%s)', async (deleteNew) => {
    const calls: string[] = [];
    const live = new Map(['a', 'locked'].map((name) => [name, config(name, { v: '1' })]));
    const kube = cluster(live, calls);
    const saved = await snapshot(
      kube,
      ['a', 'locked', 'new'].map((name) => config(name, { v: '2' })),
    );
    expect(saved[0]?.before?.metadata).toEqual({ name: 'a', namespace: 'shop' });
    for (const name of ['a', 'locked', 'new']) live.set(name, config(name, { v: '2' }));

    const signal = new AbortController().signal;
    const result = await rollBack(kube, saved, { timeout: 1000, signal, clock: systemClock, deleteNew });

    const patch = '[{"op":"add","path":"/data","value":{"v":"1"}}]';
    expect(calls).toEqual([...(deleteNew ? ['delete new'] : []), `patch locked ${patch}`, `patch a ${patch}`]);
    expect(result.restored.map(({ name }) => name)).toEqual(['a']);
    expect(result.failed).toMatchObject([{ ref: { name: 'locked' }, message: 'no' }]);
    expect(result.wait.ready.length).toBe(1);
  });
});

describe('diagnose', () => {
  test('tells what it can when the cluster answers nothing', async () => {
    const silent = {} as Kube;
    const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'api' };
    const cause = { kind: 'out-of-memory', reason: 'OOMKilled', message: '', container: 'api' } as const;
    const evidence = await diagnose(silent, { ref, cause }, { since: 0, clock: systemClock, budget: 50 });
    expect(evidence).toMatchObject({ ref, containers: [], events: [] });
    expect(evidence.why).toContain('more memory than its limit');
  });

  test('brings the log of both runs and the events since the deploy began', async () => {
    const pod: KubeObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'api', namespace: 'shop', uid: 'p' },
      status: {
        containerStatuses: [
          { name: 'api', ready: false, restartCount: 2, lastState: { terminated: { exitCode: 3 } }, state: {} },
        ],
      },
    };
    const event = (message: string, lastTimestamp: string): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: message },
      involvedObject: { kind: 'Pod', name: 'api' },
      message,
      lastTimestamp,
    });
    const events = [event('old', '2026-01-01T00:00:00Z'), event('new', '2026-01-02T00:00:00Z')];
    const kube: Partial<Kube> = {
      get: async () => pod,
      list: async ({ kind }) => (kind === 'Pod' ? [pod] : kind === 'Event' ? events : []),
      logs: async (_pod, { previous }) => (previous === true ? 'TypeError: x\n' : 'starting\n'),
    };
    const ref = { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'api' };
    const cause = { kind: 'crash', reason: 'Error', message: '', pod: 'api', container: 'api' } as const;
    const since = Date.parse('2026-01-01T12:00:00Z');
    const evidence = await diagnose(kube as Kube, { ref, cause }, { since, clock: systemClock });
    expect(evidence.containers).toMatchObject([{ exitCode: 3, log: ['starting'], previousLog: ['TypeError: x'] }]);
    expect(evidence.events.map(({ message }) => message)).toEqual(['new']);
    expect(evidence.why).toContain('TypeError: x');
  });
});
