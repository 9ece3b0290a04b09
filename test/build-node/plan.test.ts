import { expect, test } from '@jest/globals';
import type { RunInfo } from '../../src/action/host.ts';
import { parseInputs } from '../../src/action/inputs.ts';
import { inputs } from '../../src/build-node/inputs.ts';
import { baseOf, extraTags, planBuild } from '../../src/build-node/plan.ts';

const LOCK = '{"lockfileVersion":3,"packages":{"":{}}}';

test.each([
  ['24', 'node:24-slim'],
  ['24.1.0', 'node:24.1.0-slim'],
  ['>=20', 'node:24-slim'],
  ['22 || 23', 'node:22-slim'],
  ['<23', 'node:22-slim'],
  ['>=28', 'node:28-slim'],
  ['^20.11', 'node:20-slim'],
])('the base of Node %s', (range, base) => {
  expect(baseOf('', { range, reason: 'x' })).toBe(base);
  expect(baseOf('own:1', { range, reason: 'x' })).toBe('own:1');
});

test.each(['123456789012.dkr.ecr.eu-central-1.amazonaws.com', '123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu'])(
  '%s is a registry of ECR, in its own region',
  (registry) => {
    const region = registry.split('.')[3];
    expect(inputs.region.parse(region ?? '')).toBe(region);
    const files: Readonly<Record<string, string>> = {
      'package.json': '{"main":"a.js"}',
      'package-lock.json': LOCK,
      'a.js': '',
    };
    const given = parseInputs(inputs, {
      get: (name) => ({ image: 'shop', registry })[name] ?? '',
      mask: () => undefined,
    });
    const { image } = planBuild(given, (file) => files[file], {});
    expect(image?.registry).toEqual({ kind: 'ecr', region, account: '123456789012' });
  },
);

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
