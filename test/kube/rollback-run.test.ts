import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/action/main.ts';
import { diagnose } from '../../src/kube/diagnose.ts';
import { type Kube, type KubeObject, type ObjectRef, KubeError } from '../../src/kube/kube.ts';
import { type Changed, rollBack } from '../../src/kube/rollback.ts';

const config = (name: string, v: string, resourceVersion = '1'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'shop', uid: name, resourceVersion },
  data: { v },
});

/** A cluster of ConfigMaps that notes what is asked of it and refuses as `refuse` says. */
function cluster(objects: Map<string, KubeObject>, calls: string[], refuse: (name: string) => KubeError | undefined) {
  const kube: Partial<Kube> = {
    get: async (ref: ObjectRef) => objects.get(ref.name),
    async patch(ref, patch) {
      const operations = patch as { path: string; value?: string }[];
      calls.push(`${ref.name} ${operations.map(({ path, value }) => `${path}=${value}`).join(' ')}`);
      const error = refuse(ref.name);
      const object = objects.get(ref.name);
      if (error || !object) throw error ?? new Error('gone');
      return object;
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

const OPTIONS = { timeout: 1000, signal: new AbortController().signal, clock: systemClock };
const changed = (...names: string[]): Changed[] =>
  names.map((name) => ({ before: config(name, '1'), applied: config(name, '2') }));

describe('rollBack', () => {
  test('puts back what others need first, and one that is refused keeps no other from it', async () => {
    const calls: string[] = [];
    const live = new Map(['a', 'locked', 'b'].map((name) => [name, config(name, '2', '7')]));
    const refused = new KubeError('no', { status: 403, reason: 'Forbidden' });
    const kube = cluster(live, calls, (name) => (name === 'locked' ? refused : undefined));
    const result = await rollBack(kube, changed('a', 'locked', 'b'), OPTIONS);
    expect(calls).toEqual(['a', 'locked', 'b'].map((name) => `${name} /metadata/resourceVersion=7 /data/v=1`));
    expect(result.restored.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(result.failed).toMatchObject([{ ref: { name: 'locked' }, message: 'no' }]);
    expect(result.wait?.ready.length).toBe(2);
  });

  test('reads again after a 409, so that a status update between does not matter', async () => {
    const calls: string[] = [];
    const conflict = new KubeError('modified', { status: 409, reason: 'Conflict' });
    const live = new Map([['a', config('a', '2')]]);
    const kube = cluster(live, calls, () => (calls.length < 3 ? conflict : undefined));
    expect((await rollBack(kube, changed('a'), OPTIONS)).restored).toHaveLength(1);
    expect(calls).toHaveLength(3);
  });

  test('leaves what someone changed, deleted or replaced since', async () => {
    const managed = config('a', '3');
    const byHand: KubeObject = {
      ...managed,
      metadata: { ...managed.metadata, managedFields: [{ manager: 'kubectl-edit' }] },
    };
    const again = config('c', '2');
    const live = new Map([
      ['a', byHand],
      ['c', { ...again, metadata: { ...again.metadata, uid: 'other' } }],
    ]);
    const calls: string[] = [];
    const result = await rollBack(
      cluster(live, calls, () => undefined),
      changed('a', 'b', 'c'),
      OPTIONS,
    );
    expect(calls).toEqual([]);
    expect(result.left.map(({ message }) => message)).toEqual([
      'kubectl-edit changed data/v since, so it was left as it is',
      'someone deleted it since, so it was not made again',
      'someone replaced it since, so it was left as it is',
    ]);
  });

  test('asks a cluster no more that cannot be reached, as each question takes minutes', async () => {
    const calls: string[] = [];
    const live = new Map(['a', 'b', 'c'].map((name) => [name, config(name, '2')]));
    const lost = new KubeError('no answer', { status: 0, reason: 'Unreachable' });
    const kube = cluster(live, calls, (name) => (name === 'b' ? lost : undefined));
    const result = await rollBack(kube, changed('a', 'b', 'c'), OPTIONS);
    expect(calls.map((call) => call.slice(0, 1))).toEqual(['a', 'b']);
    expect(result.failed.map(({ ref, message }) => `${ref.name}: ${message}`)).toEqual([
      'b: no answer',
      'c: no answer',
    ]);
  });

  test('puts everything back when the run is cancelled, and only gives up the wait', async () => {
    const calls: string[] = [];
    const live = new Map([['a', config('a', '2')]]);
    const signal = AbortSignal.abort(new Error('cancelled'));
    const kube = cluster(live, calls, () => undefined);
    const result = await rollBack(kube, changed('a'), { ...OPTIONS, signal });
    expect(result).toMatchObject({ restored: [{ name: 'a' }] });
    expect(result.wait).toBeUndefined();
    expect(calls).toHaveLength(1);
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
