import { describe, expect, test } from '@jest/globals';
import { restoringPatch } from '../../src/kube/rollback.ts';

const object = (data: object, annotations: Record<string, string>): Parameters<typeof restoringPatch>[0] => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', annotations },
  data,
});

describe('restoringPatch', () => {
  test('puts back data and annotations, and keeps what controllers note', () => {
    const live = object({ b: '2' }, { mine: 'new', 'deployment.kubernetes.io/revision': '2' });
    const before = object({ a: '1' }, { mine: 'old', 'deployment.kubernetes.io/revision': '1' });
    expect(restoringPatch(live, before)).toEqual([
      { op: 'add', path: '/metadata/annotations', value: { mine: 'old', 'deployment.kubernetes.io/revision': '2' } },
      { op: 'add', path: '/data', value: { a: '1' } },
    ]);
  });

  test('changes nothing where nothing changed, however the keys are ordered', () => {
    expect(restoringPatch(object({ a: '1', b: '2' }, {}), object({ b: '2', a: '1' }, {}))).toEqual([]);
  });

  test('removes a field that was not there', () => {
    const { data: _data, ...before } = object({}, {});
    expect(restoringPatch(object({ a: '1' }, {}), before)).toEqual([{ op: 'remove', path: '/data' }]);
  });
});
