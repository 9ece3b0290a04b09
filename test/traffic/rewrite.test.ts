import { expect, test } from '@jest/globals';
import { at } from '../../src/kube/fields.ts';
import { type Kube, KubeError, type KubeObject } from '../../src/kube/kube.ts';
import { rewrite } from '../../src/traffic/rewrite.ts';

const ref = { apiVersion: 'example.com/v1', kind: 'Route', namespace: 'shop', name: 'shop' };

/** A server on which somebody else writes before each of the first `conflicts` patches arrives. */
function busy(conflicts: number): { readonly kube: Kube; readonly sent: unknown[] } {
  const sent: unknown[] = [];
  let version = 1;
  const live = (): KubeObject => ({
    ...ref,
    metadata: { name: 'shop', resourceVersion: String(version) },
    spec: { others: version },
  });
  const kube: Pick<Kube, 'get' | 'patch'> = {
    get: async () => live(),
    async patch(_, patch) {
      sent.push(patch);
      if (version <= conflicts) version += 1;
      if (at(patch, 'metadata', 'resourceVersion') !== String(version))
        throw new KubeError('changed', { status: 409, reason: 'Conflict' });
      return live();
    },
  };
  return { kube: kube as Kube, sent };
}

const change = (live: KubeObject): object => ({ spec: { weight: 5, seen: at(live, 'spec', 'others') } });

test('what somebody else wrote meanwhile is read before it is written again', async () => {
  const { kube, sent } = busy(2);
  await rewrite(kube, ref, change);
  expect(sent).toEqual(
    [1, 2, 3].map((seen) => ({ spec: { weight: 5, seen }, metadata: { resourceVersion: String(seen) } })),
  );
});

test('an object that never rests is given up with what the server says', async () => {
  await expect(rewrite(busy(99).kube, ref, change)).rejects.toThrow('changed');
});

test('nothing is sent where it is right already, nor for what is gone', async () => {
  const { kube, sent } = busy(0);
  await rewrite(kube, ref, () => undefined);
  expect(await rewrite({ ...kube, get: async () => undefined }, ref, change)).toBeUndefined();
  expect(sent).toEqual([]);
});
