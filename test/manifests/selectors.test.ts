import { expect, test } from '@jest/globals';
import type { KubeObject } from '../../src/kube/kube.ts';
import { servicesWithoutPods } from '../../src/manifests/selectors.ts';

const workload = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'api' },
  spec: { template: { metadata: { labels: { app: 'api', tier: 'web' } }, spec: { containers: [] } } },
};
const service = (selector?: object): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'api' },
  spec: { selector },
});
const at = (object: KubeObject, line: number) => ({ object, file: 'k8s/app.yaml', line });

test.each([
  ['all labels fit', [at(workload, 1), at(service({ app: 'api', tier: 'web' }), 9)]],
  ['it has no selector, so its addresses come from elsewhere', [at(workload, 1), at(service(), 9)]],
  ['the manifests hold no pods', [at(service({ app: 'api' }), 9)]],
])('a Service is fine where %s', (_name, documents) => expect(servicesWithoutPods(documents)).toEqual([]));

test('a Service whose selector is misspelled is named with its line', () => {
  const [found, ...others] = servicesWithoutPods([at(workload, 1), at(service({ app: 'api', tier: 'wbe' }), 9)]);
  expect(others).toEqual([]);
  expect(found?.message).toBe(
    'Service/api reaches no pod of these manifests: none has the labels of its selector (app: api, tier: wbe)',
  );
  expect(found?.place).toEqual({ file: 'k8s/app.yaml', line: 9 });
});
