import { expect, test } from '@jest/globals';
import type { RunInfo } from '../../src/action/host.ts';
import { extraTags } from '../../src/image/plan.ts';

test('an image has the tag of its commit, and of its branch where tags move', () => {
  const info = { sha: 'abc', ref: 'refs/heads/feat/-é x', refName: 'feat/-é x' } as RunInfo;
  expect(extraTags(info, true)).toEqual(['abc', 'feat----x']);
  expect(extraTags(info, false)).toEqual(['abc']);
  expect(extraTags({ ...info, ref: 'refs/pull/1/merge', refName: '1/merge' }, true)).toEqual(['abc']);
  expect(extraTags({ ...info, ref: 'refs/heads/--', refName: '--' }, true)).toEqual(['abc']);
});

test.each([`content-${'a'.repeat(40)}`, 'b'.repeat(40)])(
  'a branch called %s gets no tag, since that would say of its image what is not so',
  (refName) => {
    const info = { sha: 'abc', ref: `refs/heads/${refName}`, refName } as RunInfo;
    expect(extraTags(info, true)).toEqual(['abc']);
  },
);
