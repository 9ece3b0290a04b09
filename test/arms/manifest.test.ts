import { expect, test } from '@jest/globals';
import { labelsAt, selects, takes, templateLabels } from '../../src/arms/labels.ts';
import { armDeployment } from '../../src/arms/manifest.ts';
import { at } from '../../src/kube/fields.ts';
import type { KubeObject } from '../../src/kube/kube.ts';

function workload(image: string, selector: object, labels: object): KubeObject {
  const template = {
    metadata: { creationTimestamp: null, labels, annotations: { 'kubectl.kubernetes.io/restartedAt': '2026-11-25' } },
    spec: { containers: [{ name: 'web', image, readinessProbe: { httpGet: { path: '/', port: 80 } } }] },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'shop',
      namespace: 'prod',
      labels: { 'argocd.argoproj.io/instance': 'shop' },
      annotations: { a: 'b' },
    },
    spec: {
      replicas: 7,
      paused: true,
      minReadySeconds: 5,
      progressDeadlineSeconds: 60,
      strategy: { rollingUpdate: { maxSurge: 2 } },
      selector: { matchLabels: selector },
      template,
    },
  };
}

const selector = { app: 'shop', tier: 'stable' };
const labels = { ...selector, team: 'retail' };
const stable = workload('shop:1', selector, labels);
const candidate = workload('shop:2', selector, labels);
const made = (arm: 'canary' | 'baseline', behindStable: boolean): KubeObject =>
  armDeployment({
    arm,
    stable,
    from: arm === 'canary' ? candidate : stable,
    plan: 'p',
    served: { app: 'shop' },
    behindStable,
  });

test('the canary runs the new pods and the baseline the old ones, with the strategy and readiness of their manifests', () => {
  const spec = (one: KubeObject): unknown => at(one, 'spec', 'template', 'spec');
  expect(spec(made('canary', true))).toEqual(spec(candidate));
  expect(spec(made('baseline', true))).toEqual(spec(stable));
  expect(made('canary', true)['spec']).toMatchObject({
    replicas: 0,
    paused: false,
    minReadySeconds: 5,
    progressDeadlineSeconds: 60,
    strategy: { rollingUpdate: { maxSurge: 2 } },
  });
  expect(at(made('baseline', true), 'spec', 'template', 'metadata', 'annotations')).toEqual({
    'kubectl.kubernetes.io/restartedAt': '2026-11-25',
  });
});

test('nothing on an arm says that it is of the tool which prunes or syncs the stable Deployment', () => {
  expect(made('canary', true).metadata).toEqual({
    name: 'shop-canary',
    namespace: 'prod',
    labels: {
      'app.kubernetes.io/managed-by': 'delivery-actions',
      'delivery-actions/workload': 'shop',
      'delivery-actions/track': 'canary',
    },
    annotations: { 'delivery-actions/canary': 'p' },
  });
});

test('an arm selects its own pods alone', () => {
  const own = labelsAt(made('canary', true), 'spec', 'selector', 'matchLabels');
  expect(selects(own, templateLabels(made('canary', true)))).toBe(true);
  expect([made('baseline', true), stable, candidate].map((one) => selects(own, templateLabels(one)))).toEqual([
    false,
    false,
    false,
  ]);
});

test('behind the stable Service it has the labels that this selects, and not all by which the Deployment does', () => {
  const pods = templateLabels(made('canary', true));
  expect([selects({ app: 'shop' }, pods), takes(at(stable, 'spec', 'selector'), pods)]).toEqual([true, false]);
  expect(pods).toMatchObject({ app: 'shop', tier: 'stable-canary', team: 'retail' });
});

test('with a Service of its own the stable one does not find it, nor does the Deployment', () => {
  const pods = templateLabels(made('baseline', false));
  expect([selects({ app: 'shop' }, pods), takes(at(stable, 'spec', 'selector'), pods)]).toEqual([false, false]);
  expect(pods).toMatchObject({ app: 'shop-baseline', team: 'retail' });
});

test.each(['x'.repeat(63), `${'x'.repeat(52)}-_-yyyyyyyy`, '', '-'])('the value of a label stays one: %j', (app) => {
  const odd = { ...stable, spec: { ...(stable['spec'] as object), selector: { matchLabels: { app } } } };
  const from = workload('shop:1', { app }, { app });
  const pods = templateLabels(
    armDeployment({ arm: 'baseline', stable: odd, from, plan: 'p', served: { app }, behindStable: false }),
  );
  expect(pods['app']).toMatch(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/);
  expect(pods['app']).not.toBe(app);
});

test.each([
  [{ matchExpressions: [{ key: 'app', operator: 'In', values: ['shop', 'web'] }] }, true],
  [{ matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['shop'] }] }, false],
  [
    {
      matchExpressions: [
        { key: 'app', operator: 'Exists' },
        { key: 'old', operator: 'DoesNotExist' },
      ],
    },
    true,
  ],
  [{ matchExpressions: [{ key: 'old', operator: 'Exists' }] }, false],
  [{ matchLabels: { app: 'shop' }, matchExpressions: [{ key: 'app', operator: 'Gt', values: ['1'] }] }, false],
  [{}, true],
])('the selector %j takes the labels: %j', (given, expected) => {
  expect(takes(given, { app: 'shop' })).toBe(expected);
});
