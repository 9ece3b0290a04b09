import { expect, test } from '@jest/globals';
import type { Applied } from '../../src/kube/apply.ts';
import type { KubeObject } from '../../src/kube/kube.ts';
import type { WaitResult } from '../../src/kube/wait.ts';
import { previewSummary } from '../../src/deploy-eks/preview.ts';
import { type Ending, type Rollback, outcomeOf } from '../../src/deploy-eks/outcome.ts';

const object = (template: object): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'api', namespace: 'shop' },
  spec: { replicas: 3, template },
});
const changes = [{ how: 'changed', what: 'image', from: 'a', to: 'b' }] as const;
const document = { object: object({ v: 2 }), file: 'a.yaml', line: 1 };
const changed: Applied = {
  document,
  object: object({ v: 2 }),
  before: object({ v: 1 }),
  change: 'configured',
  changes,
};
const fresh: Applied = { document, object: object({ v: 2 }), change: 'created', changes: [] };

const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'api' };
const ready: WaitResult = { ready: [{ ref, seconds: 5 }], timedOut: [] };
const rollback = (rest: Partial<Rollback>): Rollback => ({ restored: [ref], left: [], failed: [], after: 14, ...rest });

function told(applied: Applied, ending: Partial<Ending>, counts = { wanted: 3, current: 3, other: 0 }) {
  const pods = new Map([['apps/v1 Deployment shop api', counts]]);
  const outcome = outcomeOf(applied, { verdict: 'failed', pods, secondsToServe: () => undefined, ...ending });
  return [outcome.wanted, outcome.serving, outcome.happened];
}

test.each<[string, string[], string[]]>([
  [
    'served',
    told(changed, { verdict: 'serving', secondsToServe: () => 8.1 }),
    ['3 new pods', '3 new pods', 'serving after 8.1 s'],
  ],
  ['left', told(changed, {}, { wanted: 3, current: 1, other: 2 }), ['3 new pods', '2 old pods, 1 new', 'not serving']],
  ['new and left', told(fresh, {}, { wanted: 3, current: 1, other: 0 }), ['3 new pods', '1 new pod', 'not serving']],
  [
    'rolled back',
    told(changed, { verdict: 'rolled-back', rollback: rollback({ wait: ready }) }),
    ['3 new pods', '3 old pods', 'rolled back after 14 s, ready again after 19 s'],
  ],
  [
    'rolled back by a cancelled run',
    told(changed, { verdict: 'rolled-back', rollback: rollback({}) }),
    ['3 new pods', '3 old pods', 'rolled back after 14 s, not ready again: not awaited'],
  ],
  [
    'changed by someone else',
    told(
      changed,
      { verdict: 'rolled-back', rollback: rollback({ restored: [], left: [{ ref, message: 'x changed it' }] }) },
      { wanted: 3, current: 1, other: 2 },
    ),
    ['3 new pods', '2 old pods, 1 new', 'not rolled back: x changed it'],
  ],
])('a workload that was %s is told so', (_name, said, wanted) => expect(said).toEqual(wanted));

test('a rollback shows what it did, not what the deploy had done', () => {
  const ending: Ending = {
    verdict: 'rolled-back',
    rollback: rollback({}),
    pods: new Map(),
    secondsToServe: () => undefined,
  };
  expect(outcomeOf(changed, ending).changes).toEqual([{ how: 'changed', what: 'image', from: 'b', to: 'a' }]);
});

test('a plan says how pods restart, and when nothing would change', () => {
  const recreated = { ...object({}), spec: { replicas: 1, strategy: { type: 'Recreate' } } };
  const plan = previewSummary([{ object: recreated, change: 'configured', changes, restarts: true }], 'production');
  expect(plan).toContain(
    'would alter 1 of 1 objects in production and restart api (1 pod, all at once: it does not answer meanwhile)',
  );
  expect(plan).toContain('image `a` → `b`');
  const none = previewSummary([{ object: recreated, change: 'unchanged', changes: [], restarts: false }], '');
  expect(none).toContain('would alter nothing: all 1 objects are as the manifests say');
});
