import { expect, test } from '@jest/globals';
import { abortRollout, promoteRollout } from '../../src/argo-rollouts/rollout.ts';
import type { Kube, ObjectRef } from '../../src/kube/kube.ts';

const ref: ObjectRef = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', namespace: 'shop', name: 'api' };

/** A server whose controller misses the status that it is given, until something else of the object changes. */
function missing(before: object, after: object) {
  const patches: unknown[] = [];
  let status = before;
  const kube: Partial<Kube> = {
    get: async () => ({ ...ref, metadata: { name: 'api' }, status }),
    patch: async (_, patch, { subresource = '' } = {}) => {
      patches.push([subresource, patch]);
      if (subresource === '') status = after;
      return { ...ref, metadata: { name: 'api' } };
    },
  };
  const clock = { now: () => 0, sleep: async () => undefined };
  return { kube: kube as Kube, patches, time: { clock, signal: new AbortController().signal } };
}

const NUDGE = ['', { metadata: { annotations: { 'delivery-actions/nudged': '1970-01-01T00:00:00.000Z' } } }];

test('an abort that the controller wrote over is told again', async () => {
  const { kube, patches, time } = missing({ abort: true }, { abortedAt: '2026-11-25T03:00:00Z' });
  await abortRollout(kube, ref, time);
  expect(patches).toEqual([['status', { status: { abort: true } }], NUDGE]);
});

test('so is the end of a pause', async () => {
  const paused = { controllerPause: true, currentStepIndex: 1, currentPodHash: 'b', stableRS: 'a' };
  const { kube, patches, time } = missing(paused, { ...paused, controllerPause: false });
  await promoteRollout(kube, ref, { full: false, ...time });
  expect(patches.at(-1)).toEqual(NUDGE);
});

test('a controller that does not run is told', async () => {
  const { kube, time } = missing({}, {});
  await expect(abortRollout(kube, ref, time)).rejects.toThrow('does not react to Rollout/api');
});
