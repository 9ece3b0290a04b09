import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '../../src/kube/kube.ts';
import { Settling } from '../../src/kube/settle.ts';

const deployment = (container: object): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'api', namespace: 'shop' },
  spec: { template: { spec: { containers: [container] } } },
});
const bare = deployment({ name: 'api' });
const probed = deployment({ name: 'api', readinessProbe: { httpGet: {} } });

/** What is said at each look: seconds and whether the workload is ready then. */
function looks(live: KubeObject, ...given: readonly (readonly [number, boolean])[]): readonly boolean[] {
  const settling = new Settling();
  return given.map(([seconds, isReady]) => settling.isSettled(live, isReady, seconds * 1000));
}

describe('a workload that turns ready', () => {
  test('has to stay so for three seconds when nothing probes it', () => {
    expect(looks(bare, [0, false], [1, true], [3.9, true], [4, true])).toEqual([false, false, false, true]);
  });

  test('begins anew when it was not ready in between', () => {
    const verdicts = looks(bare, [0, false], [1, true], [2, false], [3, true], [5, true], [6, true]);
    expect(verdicts).toEqual([false, false, false, false, false, true]);
  });

  test('counts at once when a probe says that it serves, or when it was ready before', () => {
    expect(looks(probed, [0, false], [1, true])).toEqual([false, true]);
    expect(looks(bare, [0, true])).toEqual([true]);
  });
});
