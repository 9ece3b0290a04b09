import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '../../src/kube/kube.ts';
import { reversion } from '../../src/kube/revert.ts';

const config = (data?: object, annotations?: object): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', ...(annotations ? { annotations: annotations as Record<string, string> } : {}) },
  ...(data ? { data } : {}),
});
const workload = (replicas: number, ...containers: readonly (readonly [string, string])[]): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'a' },
  spec: { replicas, template: { spec: { containers: containers.map(([name, image]) => ({ name, image })) } } },
});

describe('reversion', () => {
  test('puts back what was changed, removed and added', () => {
    const [before, applied] = [config({ a: '1', b: '2' }), config({ a: '9', c: '3' })];
    expect(reversion({ before, applied, live: applied })).toEqual({
      patch: [
        { op: 'add', path: '/data/a', value: '1' },
        { op: 'remove', path: '/data/c' },
        { op: 'add', path: '/data/b', value: '2' },
      ],
      conflicts: [],
    });
    expect(reversion({ before: config(), applied, live: applied }).patch).toEqual([{ op: 'remove', path: '/data' }]);
  });

  test('puts annotations back and never touches what controllers note', () => {
    const noted = { 'deployment.kubernetes.io/revision': '2' };
    const [before, applied] = [config({}, { 'mine/x': 'old' }), config({}, { 'mine/x': 'new' })];
    const live = config({}, { 'mine/x': 'new', ...noted });
    expect(reversion({ before, applied, live }).patch).toEqual([
      { op: 'add', path: '/metadata/annotations/mine~1x', value: 'old' },
    ]);
    const bare = config({}, noted);
    expect(reversion({ before, applied: bare, live: bare }).patch).toEqual([
      { op: 'add', path: '/metadata/annotations/mine~1x', value: 'old' },
    ]);
  });

  test('keeps what others did to fields that the deploy left alone', () => {
    const [before, applied] = [workload(2, ['api', 'a:1']), workload(2, ['api', 'a:2'])];
    const live = workload(7, ['api', 'a:2'], ['mesh', 'm:1']);
    expect(reversion({ before, applied, live })).toEqual({
      patch: [
        {
          op: 'add',
          path: '/spec/template/spec/containers',
          value: [
            { name: 'api', image: 'a:1' },
            { name: 'mesh', image: 'm:1' },
          ],
        },
      ],
      conflicts: [],
    });
  });

  test('names the fields that someone else changed after the deploy', () => {
    const [before, applied] = [workload(2, ['api', 'a:1']), workload(3, ['api', 'a:2'])];
    const { conflicts } = reversion({ before, applied, live: workload(3, ['api', 'a:3']) });
    expect(conflicts).toEqual(['/spec/template/spec/containers/api/image']);
  });

  test('keeps the number of pods that an autoscaler chose since, and is no conflict for that', () => {
    const [before, applied] = [workload(10, ['api', 'a:1']), workload(2, ['api', 'a:2'])];
    const { patch, conflicts } = reversion({ before, applied, live: workload(5, ['api', 'a:2']) });
    expect(conflicts).toEqual([]);
    expect(patch.map(({ path }) => path)).toEqual(['/spec/template/spec/containers']);
  });

  test('takes it for done when the old value is there again', () => {
    const [before, applied] = [config({ a: '1' }), config({ a: '2' })];
    expect(reversion({ before, applied, live: before })).toEqual({ patch: [], conflicts: [] });
  });
});
