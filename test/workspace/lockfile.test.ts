import { expect, test } from '@jest/globals';
import { orchestratorOf } from '../../src/workspace/files.ts';
import { changedResolutions, resolutionsOf } from '../../src/workspace/lockfile.ts';

const pnpm = (change: Readonly<Record<string, string>> = {}): string =>
  Object.entries({ MS: '2.1.3', DEEP: '1.0.0', OVERRIDE: 'x', ...change }).reduce(
    (text, [name, value]) => text.replaceAll(name, value),
    `lockfileVersion: '9.0'
overrides: { a: OVERRIDE }
importers:
  .:
    devDependencies:
      eslint: { specifier: ^9, version: 9.0.0 }
  packages/api:
    dependencies:
      '@acme/lib': { specifier: 'workspace:*', version: link:../lib }
      ms: { specifier: ^2, version: MS }
  packages/lib:
    dependencies:
      alias: { specifier: 'npm:paint@1', version: 'paint@1.0.0(deep@DEEP)' }
packages:
  eslint@9.0.0: { resolution: { integrity: e } }
  ms@MS: { resolution: { integrity: m } }
  paint@1.0.0: { resolution: { integrity: p }, peerDependencies: { deep: '*' } }
  deep@DEEP: { resolution: { integrity: d } }
snapshots:
  eslint@9.0.0: {}
  ms@MS: {}
  paint@1.0.0(deep@DEEP): { dependencies: { deep: DEEP } }
  deep@DEEP: {}
`,
  );
const changed = (before: string, now: string): readonly string[] | undefined => {
  const found = changedResolutions(resolutionsOf('pnpm', before), resolutionsOf('pnpm', now));
  return found && [...found].toSorted();
};

test('pnpm: whose dependencies changed', () => {
  expect(changed(pnpm(), pnpm())).toEqual([]);
  expect(changed(pnpm(), pnpm({ MS: '2.1.4' }))).toEqual(['packages/api']);
  expect(changed(pnpm(), pnpm({ DEEP: '1.0.1' }))).toEqual(['packages/lib']);
  expect(changed(pnpm(), pnpm().replace('integrity: d', 'integrity: other'))).toEqual(['packages/lib']);
  expect(changed(pnpm(), pnpm({ OVERRIDE: 'y' }))).toEqual(['', 'packages/api', 'packages/lib']);
});

test.each([
  ['pnpm', pnpm().replace("'9.0'", "'6.0'")],
  ['pnpm', '{'],
  ['npm', '{"lockfileVersion":1,"dependencies":{}}'],
  ['npm', 'x'],
  ['yarn-berry', '__metadata:\n  version: 8\n'],
  ['bun', '{}'],
] as const)('of %s nothing is known where it cannot be read', (manager, text) => {
  expect(resolutionsOf(manager, text)).toBeUndefined();
  expect(changedResolutions(resolutionsOf(manager, text), new Map())).toBeUndefined();
});

test('npm: by the folders that node looks through', () => {
  const lock = (change: object): string =>
    JSON.stringify({
      packages: {
        '': {},
        'packages/a': { dependencies: { x: '*' }, optionalDependencies: { gone: '*' } },
        'packages/b': { dependencies: { x: '*' } },
        'packages/a/node_modules/x': { version: '1.0.0', dependencies: { y: '*' } },
        'node_modules/x': { version: '2.0.0' },
        'node_modules/y': { version: '1.0.0', peerDependencies: { x: '*' } },
        ...change,
      },
    });
  const of = (change: object): unknown =>
    changedResolutions(resolutionsOf('npm', lock({})), resolutionsOf('npm', lock(change)));
  expect(of({ 'packages/a/node_modules/x': { version: '1.0.1', dependencies: { y: '*' } } })).toEqual(
    new Set(['packages/a']),
  );
  expect(of({ 'node_modules/y': { version: '1.0.1' } })).toEqual(new Set(['packages/a']));
  expect(of({ 'node_modules/x': { version: '2.0.1' } })).toEqual(new Set(['packages/a', 'packages/b']));
  expect(of({ 'packages/c': {} })).toEqual(new Set(['packages/c']));
});

test('what is made to be slow is given up, so that everything counts', () => {
  const began = performance.now();
  const deep = { packages: { '': {}, [`p/${'a/'.repeat(1_000_000)}`]: { dependencies: { z: '1' } } } };
  expect(resolutionsOf('npm', JSON.stringify(deep))).toBeUndefined();
  const dependencies = { a: { version: `${'('.repeat(1_000_000)}\n` } };
  const pnpm = JSON.stringify({ lockfileVersion: '9.0', importers: { '.': { dependencies } } });
  expect(resolutionsOf('pnpm', pnpm)?.size).toBe(1);
  const open = `"${'\\"'.repeat(1_000_000)}`;
  expect(orchestratorOf((file) => (file === 'turbo.json' ? open : undefined))).toMatchObject({ global: [] });
  expect(performance.now() - began).toBeLessThan(15_000);
});
