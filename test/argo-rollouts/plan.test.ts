import { describe, expect, test } from '@jest/globals';
import { type RolloutWish, planRollout, rolloutState } from '../../src/argo-rollouts/rollout.ts';
import { at, itemsAt } from '../../src/kube/fields.ts';
import type { KubeObject } from '../../src/kube/kube.ts';

const containers = [
  { name: 'proxy', image: 'proxy:1' },
  { name: 'api', image: 'api:1' },
];
const workload: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'api', namespace: 'shop' },
  spec: { replicas: 3, selector: { matchLabels: { app: 'api' } }, template: { spec: { containers } } },
};
const wish = (more: Partial<RolloutWish> = {}): RolloutWish => ({
  workload,
  images: { api: 'api:2' },
  steps: [
    { weight: 5, seconds: 60 },
    { weight: 50, seconds: 600 },
  ],
  metrics: [{ name: 'errors', query: 'share{pod=~"{{ selector }}"}', bad: 'above', bound: 0.01 }],
  prometheus: 'http://prometheus.monitoring:9090',
  ...more,
});

describe('a plan', () => {
  test('changes the image of the container that is named, where it stands, and knows the way back', () => {
    const { release, undo } = planRollout(wish());
    const path = '/spec/template/spec/containers/1';
    expect(release).toEqual({
      ref: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'api' },
      patch: [
        { op: 'test', path: `${path}/name`, value: 'api' },
        { op: 'replace', path: `${path}/image`, value: 'api:2' },
      ],
    });
    expect(itemsAt(undo, 'patch')[1]).toEqual({ op: 'replace', path: `${path}/image`, value: 'api:1' });
  });

  test('measures each step over its time, and passes only with more values than gaps', () => {
    const { objects } = planRollout(wish());
    const metrics = objects.slice(0, 2).map((one) => itemsAt(one, 'spec', 'metrics')[0]);
    expect(metrics).toMatchObject([
      { count: 3, interval: '20s', inconclusiveLimit: 1, failureLimit: 0 },
      { count: 20, interval: '30s', inconclusiveLimit: 9, failureLimit: 0 },
    ]);
    expect(at(metrics[0], 'provider', 'prometheus', 'query')).toBe('share{pod=~"api-{{args.canary-hash}}-.*"}');
    expect(at(metrics[0], 'successCondition')).toBe('len(result) == 1 && !isNaN(result[0]) && result[0] <= 0.01');
  });

  test('of a Rollout changes its steps alone, and waits for a hand-over that was broken off', () => {
    const spec = { workloadRef: { name: 'api', scaleDown: 'onsuccess' }, strategy: { canary: { maxSurge: 1 } } };
    const rollout: KubeObject = { ...workload, apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', spec };
    const made = planRollout(wish({ workload: rollout, referred: workload, metrics: [] }));
    expect(made.objects).toEqual([]);
    expect(made.adopts).toBe(true);
    expect(made.changes.map(({ patch }) => patch)).toEqual([
      {
        spec: {
          strategy: {
            canary: {
              steps: [
                { setWeight: 5 },
                { pause: { duration: '60s' } },
                { setWeight: 50 },
                { pause: { duration: '600s' } },
              ],
            },
          },
        },
      },
    ]);
  });

  test.each([
    [
      'steps that fall',
      {
        steps: [
          { weight: 50, seconds: 1 },
          { weight: 20, seconds: 1 },
        ],
      },
      'the steps do not grow',
    ],
    ['a step to all', { steps: [{ weight: 100, seconds: 1 }] }, 'the steps do not grow'],
    ['no steps', { steps: [] }, 'the steps do not grow'],
    ['an unknown container', { images: { web: 'x' } }, 'Deployment/api has no container "web"'],
    ['a StatefulSet', { workload: { ...workload, kind: 'StatefulSet' } }, 'cannot be released by Argo Rollouts'],
    ['a bound that is none', { metrics: [{ name: 'a', query: 'x', bad: 'above', bound: Number.NaN }] }, 'is no number'],
    [
      "the controller's own templates",
      { metrics: [{ name: 'a', query: '{{args.x}}', bad: 'above', bound: 1 }] },
      'has a {{ }}',
    ],
  ] as const)('is refused for %s', (_, more, words) => {
    expect(() => planRollout(wish(more))).toThrow(words);
  });
});

describe('a status', () => {
  const seen = { generation: 4, byReference: true };
  const phase = (status: object, generation = 2): string =>
    rolloutState(
      { ...workload, metadata: { ...workload.metadata, generation }, status: { observedGeneration: '2', ...status } },
      seen,
    ).phase;

  test.each([
    [
      'is not believed before the workload was seen',
      'progressing',
      { phase: 'Healthy', workloadObservedGeneration: '3' },
    ],
    [
      'is that of the old version while the new one is not stable',
      'progressing',
      { phase: 'Healthy', workloadObservedGeneration: '4', currentPodHash: 'b', stableRS: 'a' },
    ],
    [
      'is promoted once it is',
      'promoted',
      { phase: 'Healthy', workloadObservedGeneration: '4', currentPodHash: 'b', stableRS: 'b' },
    ],
    ['aborts until it has', 'progressing', { phase: 'Paused', abort: true, workloadObservedGeneration: '4' }],
    ['is aborted then', 'aborted', { phase: 'Degraded', abort: true, workloadObservedGeneration: '4' }],
    ['failed without having been aborted', 'failed', { phase: 'Degraded', workloadObservedGeneration: '4' }],
    [
      'is held after an inconclusive analysis',
      'held',
      {
        phase: 'Paused',
        workloadObservedGeneration: '4',
        controllerPause: true,
        pauseConditions: [{ reason: 'InconclusiveAnalysisRun' }],
      },
    ],
    ['of a refused Rollout says so', 'failed', { conditions: [{ type: 'InvalidSpec', status: 'True' }] }],
  ])('%s', (_, expected, status) => {
    expect(phase(status)).toBe(expected);
  });

  test('of an earlier Rollout says nothing', () => {
    expect(phase({ conditions: [{ type: 'InvalidSpec', status: 'True' }] }, 3)).toBe('progressing');
  });
});
