import { describe, expect, test } from '@jest/globals';
import { changesOf, restartsPods, reversed } from '../../src/kube/changes.ts';
import type { KubeObject } from '../../src/kube/kube.ts';

const digest = (digit: string): string => `r.example/api@sha256:${digit.repeat(64)}`;

/** A Deployment as a server tells it, with the fields that it writes itself. */
function deployment(container: object, spec: object = {}, metadata: object = {}, template: object = {}): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api', namespace: 'shop', uid: 'u', resourceVersion: '1', generation: 1, ...metadata },
    spec: {
      replicas: 2,
      ...spec,
      template: {
        metadata: { labels: { app: 'api' } },
        spec: { containers: [{ name: 'api', image: digest('1'), ...container }], ...template },
      },
    },
    status: { replicas: 2 },
  };
}

const config = (data: object, kind = 'ConfigMap'): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: 'c', namespace: 'shop' },
  data,
});

const said = (before: KubeObject, after: KubeObject): readonly string[] =>
  changesOf(before, after).map(({ how, what, from, to }) => [how, what, from, '->', to].join(' '));

describe('changesOf', () => {
  test('does not count what the server, controllers and we note by ourselves', () => {
    const noted = deployment(
      {},
      {},
      {
        resourceVersion: '9',
        generation: 2,
        managedFields: [{ manager: 'deploy-eks' }],
        annotations: {
          'delivery-actions/commit': 'abc',
          'deployment.kubernetes.io/revision': '3',
          'kubectl.kubernetes.io/last-applied-configuration': '{}',
        },
      },
    );
    expect(said(deployment({}), { ...noted, status: { replicas: 1 } })).toEqual([]);
  });

  test.each<[string, KubeObject, string]>([
    ['image', deployment({ image: digest('8') }), 'changed image sha256:11111111… -> sha256:88888888…'],
    [
      'image elsewhere',
      deployment({ image: 'other/api:2' }),
      'changed image r.example/api@sha256:11111111… -> other/api:2',
    ],
    ['limit', deployment({ resources: { limits: { memory: '512Mi' } } }), 'added memory limit  -> 512Mi'],
    ['replicas', deployment({}, { replicas: 3 }), 'changed number of pods 2 -> 3'],
    [
      'variable',
      deployment({ env: [{ name: 'LEVEL', value: 'debug' }] }),
      'added environment variable LEVEL  -> debug',
    ],
    [
      'secret variable',
      deployment({ env: [{ name: 'API_TOKEN', value: 'hush' }] }),
      'added environment variable API_TOKEN  -> ',
    ],
    [
      'url with password',
      deployment({ env: [{ name: 'DB', value: 'pg://u:hush@h/d' }] }),
      'added environment variable DB  -> ',
    ],
    [
      'probe',
      deployment({ readinessProbe: { httpGet: { path: '/x' } } }),
      'added readiness probe http get path  -> /x',
    ],
    ['arguments', deployment({ args: ['a', 'b'] }), 'added args  -> a b'],
    ['label', deployment({}, {}, { labels: { team: 'x' } }), 'added label team  -> x'],
    ['pod field', deployment({}, {}, {}, { nodeSelector: { disk: 'ssd' } }), 'added node selector disk  -> ssd'],
    ['volume', deployment({}, {}, {}, { volumes: [{ name: 'tmp', emptyDir: {} }] }), 'added volume tmp  -> '],
  ])('tells a changed %s in words', (_name, after, words) => {
    expect(said(deployment({}), after)).toEqual([words]);
  });

  test('names the container when there are several, and a new one by its name alone', () => {
    const two = deployment(
      {},
      {},
      {},
      {
        containers: [
          { name: 'api', image: 'a:1' },
          { name: 'proxy', image: 'p:1' },
        ],
      },
    );
    const next = deployment(
      {},
      {},
      {},
      {
        containers: [
          { name: 'api', image: 'a:1' },
          { name: 'proxy', image: 'p:2' },
        ],
      },
    );
    expect(said(two, next)).toEqual(['changed image of proxy p:1 -> p:2']);
    const one = deployment({}, {}, {}, { containers: [{ name: 'api', image: 'a:1' }] });
    expect(said(one, two)).toEqual(['added container proxy  -> ']);
  });

  test('tells keys of a ConfigMap with their values, of a Secret without', () => {
    const [before, after] = [
      { A: 'info', B: '1', F: 'x\ny' },
      { A: 'debug', C: '2', F: 'x\ny\nz' },
    ];
    expect(said(config(before), config(after))).toEqual([
      'changed A info -> debug',
      'removed B 1 -> ',
      'changed F 2 lines -> 3 lines',
      'added C  -> 2',
    ]);
    const hidden = said(config(before, 'Secret'), config(after, 'Secret'));
    expect(hidden).toEqual(['changed key A  -> ', 'removed key B  -> ', 'changed key F  -> ', 'added key C  -> ']);
  });

  test.each([
    '--db-password=hunter2',
    '--api-token hunter2',
    'Server=db;Password=hunter2',
    'x --private-key "hunter2"',
  ])('never tells a value that names a secret within: %s', (value) => {
    const args = (list: readonly string[]) =>
      deployment({}, {}, {}, { containers: [{ name: 'api', image: 'a:1', args: list }] });
    expect(said(args([]), args(value.split(' '))).join()).not.toContain('hunter2');
    expect(said(config({ A: 'x' }), config({ A: value }))).toEqual(['changed A  -> ']);
  });

  test('tells a list in another order, since that restarts pods too', () => {
    const [a, b] = [
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
    ];
    const [before, after] = [deployment({ env: [a, b] }), deployment({ env: [b, a] })];
    expect(said(before, after)).toEqual(['changed env  -> ']);
    expect(restartsPods(before, after)).toBe(true);
    expect(restartsPods(before, deployment({ env: [a, b] }, { replicas: 9 }))).toBe(false);
  });

  test('is told the other way round for a rollback', () => {
    const there = changesOf(config({ A: '1', B: '2' }), config({ A: '3', C: '4' }));
    expect(reversed(there)).toEqual([
      { how: 'changed', what: 'A', from: '3', to: '1' },
      { how: 'added', what: 'B', to: '2' },
      { how: 'removed', what: 'C', from: '4' },
    ]);
  });
});
