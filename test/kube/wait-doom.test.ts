import { describe, expect, test } from '@jest/globals';
import { doomOf } from '../../src/kube/doom.ts';
import type { KubeObject } from '../../src/kube/kube.ts';

const NOW = Date.parse('2026-11-01T00:01:00Z');
const LONG_AGO = '2026-11-01T00:00:00Z';

function pod(container: object, more: object = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'api-1', namespace: 'shop', uid: 'u1', creationTimestamp: LONG_AGO },
    status: { containerStatuses: [{ name: 'api', ready: false, restartCount: 0, ...container }], ...more },
  };
}

const waiting = (reason: string, message = ''): KubeObject => pod({ state: { waiting: { reason, message } } });
const event = (reason: string, message: string, count = 1): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: 'e', namespace: 'shop' },
  involvedObject: { uid: 'u1' },
  reason,
  message,
  count,
});

describe('doomOf', () => {
  test.each([
    ['ErrImagePull', 'manifest unknown', 'image-not-found'],
    ['ErrImagePull', 'pull access denied, insufficient_scope: authorization failed', 'image-denied'],
    ['InvalidImageName', 'invalid', 'image-invalid'],
    ['CreateContainerConfigError', 'secret "db" not found', 'missing-config'],
    ['RunContainerError', 'exec: "nod": executable file', 'container-start'],
    ['CrashLoopBackOff', 'back-off', 'crash'],
  ])('%s with "%s" is %s', (reason, message, kind) => {
    expect(doomOf(waiting(reason, message), [], NOW)).toMatchObject({ kind, pod: 'api-1', container: 'api' });
  });

  test('a back-off is read through its event', () => {
    const events = [event('Failed', 'Failed to pull image "a": not found')];
    expect(doomOf(waiting('ImagePullBackOff'), events, NOW)?.kind).toBe('image-not-found');
  });

  test('a registry that does not answer is tolerated twice', () => {
    const failed = (count: number): KubeObject[] => [event('Failed', 'Failed to pull image "a": i/o timeout', count)];
    expect(doomOf(waiting('ImagePullBackOff'), failed(2), NOW)).toBeUndefined();
    expect(doomOf(waiting('ImagePullBackOff'), failed(3), NOW)?.kind).toBe('image-pull');
  });

  test('a missing Secret may be late by two seconds', () => {
    const start = Date.parse(LONG_AGO);
    expect(doomOf(waiting('CreateContainerConfigError'), [], start + 1000)).toBeUndefined();
    expect(doomOf(waiting('CreateContainerConfigError'), [], start + 2001)?.kind).toBe('missing-config');
  });

  test('ending once is tolerated, twice is a crash', () => {
    const end = { terminated: { exitCode: 1, reason: 'Error' } };
    expect(doomOf(pod({ state: end }), [], NOW)).toBeUndefined();
    expect(doomOf(pod({ state: end, lastState: end, restartCount: 1 }), [], NOW)?.kind).toBe('crash');
  });

  test('too little memory is no crash but said as such', () => {
    const end = { terminated: { exitCode: 137, reason: 'OOMKilled' } };
    expect(doomOf(pod({ state: end }), [], NOW)?.kind).toBe('out-of-memory');
  });

  test('a pod without a node is given thirty seconds, and longer when an autoscaler works on it', () => {
    const conditions = [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'x', lastTransitionTime: LONG_AGO },
    ];
    const stuck = pod({}, { conditions });
    expect(doomOf(stuck, [], NOW)?.kind).toBe('unschedulable');
    expect(doomOf(stuck, [], NOW - 30_000)).toBeUndefined();
    expect(doomOf(stuck, [event('TriggeredScaleUp', '')], NOW)).toBeUndefined();
  });

  test('a container that is ready again is fine', () => {
    const lastState = { terminated: { exitCode: 1 } };
    expect(doomOf(pod({ ready: true, lastState, restartCount: 5 }), [], NOW)).toBeUndefined();
  });
});
