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

  test.each([
    'rpc error: code = Unknown desc = failed to resolve reference "r/a:1": unexpected status from HEAD request: 503 Service Unavailable',
    'failed to do request: Head "https://r/v2/a/manifests/1": dial tcp: lookup r: no such host',
    'toomanyrequests: You have reached your pull rate limit',
    'failed to copy: httpReadSeeker: failed open: unexpected status code 404 not found: connection reset by peer',
    'net/http: TLS handshake timeout',
  ])('a pull that may work the next time is tolerated twice: %s', (message) => {
    const failed = (count: number): KubeObject[] => [event('Failed', `Failed to pull image "a": ${message}`, count)];
    for (const reason of ['ErrImagePull', 'ImagePullBackOff']) {
      expect(doomOf(waiting(reason, message), failed(2), NOW)).toBeUndefined();
      expect(doomOf(waiting(reason, message), failed(3), NOW)?.kind).toBe('image-pull');
    }
  });

  test.each(['404/api:1', 'timeout/not-found:503'])(
    'the words of an image named %s are not taken for an answer',
    (image) => {
      const named = (message: string): KubeObject =>
        pod({ image, state: { waiting: { reason: 'ErrImagePull', message } } });
      expect(doomOf(named(`failed to pull "${image}": EOF`), [], NOW)).toBeUndefined();
      expect(doomOf(named(`"${image}": not found`), [], NOW)?.kind).toBe('image-not-found');
    },
  );

  test.each([
    'MountVolume.SetUp failed for volume "v" : secret "db" not found',
    'MountVolume.SetUp failed for volume "v" : configmap "web" not found',
    'MountVolume.SetUp failed for volume "v" : references non-existent config key: a.json',
  ])('a volume fails like a variable, two seconds late at most: %s', (message) => {
    const starting = waiting('ContainerCreating');
    const start = Date.parse(LONG_AGO);
    expect(doomOf(starting, [event('FailedMount', message)], start + 1000)).toBeUndefined();
    expect(doomOf(starting, [event('FailedMount', message)], start + 2001)).toMatchObject({
      kind: 'missing-config',
      message,
    });
    expect(doomOf(starting, [event('FailedMount', 'timed out waiting for the condition')], NOW)).toBeUndefined();
  });

  test('a volume whose claim does not exist is given five seconds', () => {
    const message = '0/1 nodes are available: persistentvolumeclaim "data" not found.';
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
    const stuck = pod({}, { conditions: [{ ...condition, lastTransitionTime: LONG_AGO }] });
    expect(doomOf(stuck, [], Date.parse(LONG_AGO) + 4000)).toBeUndefined();
    expect(doomOf(stuck, [], Date.parse(LONG_AGO) + 5001)?.kind).toBe('unschedulable');
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
