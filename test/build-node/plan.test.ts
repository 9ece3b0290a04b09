import { expect, test } from '@jest/globals';
import type { RunInfo } from '../../src/action/host.ts';
import { baseOf, extraTags } from '../../src/build-node/plan.ts';

test.each([
  ['24', 'node:24-slim'],
  ['24.1.0', 'node:24.1.0-slim'],
  ['>=20', 'node:24-slim'],
  ['22 || 23', 'node:22-slim'],
  ['^20.11', 'node:20-slim'],
])('the base of Node %s', (range, base) => {
  expect(baseOf('', { range, reason: 'x' })).toBe(base);
  expect(baseOf('own:1', { range, reason: 'x' })).toBe('own:1');
});

test('an image has the tag of its commit, and of its branch where tags move', () => {
  const info = { sha: 'abc', ref: 'refs/heads/feat/-é x', refName: 'feat/-é x' } as RunInfo;
  expect(extraTags(info, true)).toEqual(['abc', 'feat----x']);
  expect(extraTags(info, false)).toEqual(['abc']);
  expect(extraTags({ ...info, ref: 'refs/pull/1/merge', refName: '1/merge' }, true)).toEqual(['abc']);
  expect(extraTags({ ...info, ref: 'refs/heads/--', refName: '--' }, true)).toEqual(['abc']);
});
