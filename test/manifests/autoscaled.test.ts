import { expect, test } from '@jest/globals';
import { autoscaledWithReplicas } from '../../src/manifests/autoscaled.ts';
import { parseManifest } from '../../src/manifests/parse.ts';

const workload = (name: string, spec: object, metadata = {}): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, ...metadata },
  spec,
});
const scaler = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'a' },
  spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' } },
};

test('a number of pods that an autoscaler decides is told at its workload, and no other', () => {
  const objects = [
    workload('api', { replicas: 2 }),
    workload('worker', { replicas: 2 }),
    workload('api', { replicas: 2 }, { namespace: 'other' }),
    scaler,
  ];
  const { documents } = parseManifest(objects.map((object) => JSON.stringify(object)).join('\n---\n'), 'a.yaml');
  expect(autoscaledWithReplicas(documents)).toMatchObject([
    { message: expect.stringMatching(/^Deployment\/api states spec\.replicas/), place: { file: 'a.yaml', line: 1 } },
  ]);
  const [, ...others] = documents;
  expect(autoscaledWithReplicas(others)).toEqual([]);
});
