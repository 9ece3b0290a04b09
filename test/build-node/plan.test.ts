import { expect, test } from '@jest/globals';
import { parseInputs } from '../../src/action/inputs.ts';
import { inputs } from '../../src/build-node/inputs.ts';
import { baseOf, planBuild } from '../../src/build-node/plan.ts';

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
  expect(baseOf({ range, reason: 'x' })).toBe(base);
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
    const { image } = planBuild(given, { directory: '/', workspace: '/', read: (file) => files[file] }, {});
    expect(image?.registry).toEqual({ kind: 'ecr', region, account: '123456789012' });
  },
);

test('a package that may not be published is told before anything runs', () => {
  const files: Readonly<Record<string, string>> = { 'package.json': '{"private":true}', 'package-lock.json': LOCK };
  const planned = (publish: string) =>
    planBuild(
      parseInputs(inputs, { get: (name) => (name === 'publish' ? publish : ''), mask: () => undefined }),
      { directory: '/', workspace: '/', read: (file) => files[file] },
      {},
    );
  expect(() => planned('true')).toThrow('private: true');
  expect(() => planned('false')).not.toThrow();
});
