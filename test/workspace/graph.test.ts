import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readerOf } from '../../src/project/project.ts';
import { workspaceDeclaration } from '../../src/workspace/declaration.ts';
import { packageFolders } from '../../src/workspace/find.ts';
import { readWorkspace } from '../../src/workspace/graph.ts';
import { closureOf, dependentsOf, orderOf } from '../../src/workspace/order.ts';
import { type Files, inTree, manifest, packages, workspaceOf } from './tree.ts';

const folders = (files: Files): readonly string[] =>
  inTree(files, (folder) => [...workspaceOf(folder).packages.keys()]);
const leaf = (...paths: readonly string[]): Files =>
  Object.fromEntries(paths.map((one) => [`${one}/package.json`, manifest(one.replaceAll(/[^a-z]/g, '-'))]));

describe('the packages of a workspace', () => {
  const tree = leaf('apps/web', 'packages/a', 'packages/b', 'packages/b/test/fixture', 'packages/deep/er/c', 'other/d');

  test.each<[string, object, readonly string[]]>([
    ['npm', { workspaces: ['packages/*', './apps/web/'] }, ['apps/web', 'packages/a', 'packages/b']],
    ['yarn', { workspaces: { packages: ['packages/*'], nohoist: ['x'] } }, ['packages/a', 'packages/b']],
    ['bun, without one', { workspaces: ['packages/*', '!packages/b'] }, ['packages/a']],
    [
      'npm, however deep, without tests',
      { workspaces: ['packages/**', '!**/test/**'] },
      ['packages/a', 'packages/b', 'packages/deep/er/c'],
    ],
    ['npm, by alternatives', { workspaces: ['{apps,other}/*'] }, ['apps/web', 'other/d']],
    [
      'npm, by alternatives of several folders',
      { workspaces: ['{apps/web,packages/deep/er/*}'] },
      ['apps/web', 'packages/deep/er/c'],
    ],
    ['npm, by a folder that is not there', { workspaces: ['gone/*', 'packages/a'] }, ['packages/a']],
  ])('of %s', (_, root, expected) => {
    expect(folders({ ...tree, 'package.json': { name: 'root', ...root } })).toEqual(expected);
  });

  test('of pnpm', () => {
    const yaml = "packages:\n  - '.'\n  - packages/**\n  - '!**/test/**'\n  - apps/*\n";
    const files = { ...tree, 'package.json': { name: 'root' }, 'pnpm-workspace.yaml': yaml };
    expect(folders(files)).toEqual(['apps/web', 'packages/a', 'packages/b', 'packages/deep/er/c']);
    const settings = { ...files, 'pnpm-workspace.yaml': 'minimumReleaseAge: 1440\n' };
    expect(inTree(settings, (folder) => readWorkspace(folder, readerOf(folder)))).toBeUndefined();
  });

  test('with spaces and letters of any alphabet in their paths', () => {
    const files = { 'package.json': { name: 'root', workspaces: ['päck ages/*'] }, ...leaf('päck ages/ü b') };
    expect(folders(files)).toEqual(['päck ages/ü b']);
  });

  test('no dependency is taken for one, and no link is followed', () => {
    const files = {
      ...leaf('packages/a', 'packages/a/node_modules/x', 'elsewhere/e'),
      'package.json': { workspaces: ['**'] },
    };
    inTree(files, (folder) => {
      symlinkSync('..', path.join(folder, 'packages/loop'));
      symlinkSync('../elsewhere', path.join(folder, 'packages/linked'));
      expect([...workspaceOf(folder).packages.keys()]).toEqual(['elsewhere/e', 'packages/a']);
    });
  });

  test('50,000 files do no harm, and what never ends is said', () => {
    inTree({ 'package.json': { workspaces: ['**'] }, ...leaf('packages/a') }, (folder) => {
      for (let at = 0; at < 500; at += 1) {
        mkdirSync(path.join(folder, `made/${at}`), { recursive: true });
        for (let file = 0; file < 100; file += 1) writeFileSync(path.join(folder, `made/${at}/${file}`), '');
      }
      expect([...workspaceOf(folder).packages.keys()]).toEqual(['packages/a']);
      const declared = workspaceDeclaration(readerOf(folder));
      if (declared === undefined) throw new Error('nothing is declared');
      expect(() => packageFolders(folder, declared, 300)).toThrow('package.json lead through more than 300 folders');
    });
  });

  test.each([
    [{ workspaces: 'packages/*' }, 'are no list'],
    [{ workspaces: [7] }, 'something else than short texts'],
    [{ workspaces: ['../*'] }, 'lead out of it ("../*")'],
    [{ workspaces: ['/etc/*'] }, 'lead out of it'],
  ])('%j is refused', (root, message) => {
    expect(() => folders({ 'package.json': root })).toThrow(message);
  });

  test('a name that two have is an error at the second, and a broken manifest at its place', () => {
    const twice = {
      'package.json': { workspaces: ['*'] },
      'a/package.json': manifest('x'),
      'b/package.json': manifest('x'),
    };
    expect(() => folders(twice)).toThrow('"x" is the name of two packages: in a and in b.');
    const broken = { 'package.json': { workspaces: ['*'] }, 'a/package.json': '{' };
    expect(() => folders(broken)).toThrow(expect.objectContaining({ place: { file: 'a/package.json' } }));
  });
});

describe('what a package needs', () => {
  const needs = (one: object): object => {
    const files = {
      'package.json': { workspaces: ['p/*'] },
      'p/one/package.json': manifest('one', one),
      'p/two/package.json': manifest('@x/two', { version: '2.1.0' }),
      'p/three/package.json': manifest('three', { version: '3.0.0-rc.1' }),
    };
    return inTree(files, (folder) => Object.fromEntries(workspaceOf(folder).packages.get('p/one')?.needs ?? []));
  };

  test.each<[string, object, object]>([
    ['a range that fits', { dependencies: { '@x/two': '^2.0.0' } }, { 'p/two': 'run' }],
    ['a range that does not', { dependencies: { '@x/two': '^1.0.0' } }, {}],
    ['a range that a version before a release fits', { dependencies: { three: '>=2' } }, { 'p/three': 'run' }],
    ['workspace:', { devDependencies: { '@x/two': 'workspace:^' } }, { 'p/two': 'build' }],
    ['workspace: of another version', { dependencies: { '@x/two': 'workspace:^7.0.0' } }, { 'p/two': 'run' }],
    ['workspace: by another name', { dependencies: { zwei: 'workspace:@x/two@*' } }, { 'p/two': 'run' }],
    ['workspace: by a path', { dependencies: { zwei: 'workspace:../two' } }, { 'p/two': 'run' }],
    ['file:', { optionalDependencies: { zwei: 'file:../two/' } }, { 'p/two': 'run' }],
    ['link:', { dependencies: { zwei: 'link:../three' } }, { 'p/three': 'run' }],
    ['catalog:', { dependencies: { '@x/two': 'catalog:' } }, { 'p/two': 'run' }],
    [
      'a tag',
      { peerDependencies: { '@x/two': '*' }, devDependencies: { three: 'latest' } },
      { 'p/two': 'run', 'p/three': 'build' },
    ],
    [
      'run before build',
      { devDependencies: { '@x/two': '*' }, peerDependencies: { '@x/two': '*' } },
      { 'p/two': 'run' },
    ],
    ['an address', { dependencies: { '@x/two': 'git+https://example.com/two.git', three: 'npm:drei@3' } }, {}],
    ['itself', { dependencies: { one: '*' } }, {}],
    ['what nx is told', { nx: { implicitDependencies: ['three', '!@x/two'] } }, { 'p/three': 'build' }],
  ])('%s', (_, one, expected) => {
    expect(needs(one)).toEqual(expected);
  });
});

describe('orders', () => {
  const chain = packages({
    api: { needs: ['lib', 'util'] },
    lib: { needs: ['util'] },
    util: {},
    web: { needs: ['lib'] },
  });
  const at = (name: string): string => `packages/${name}`;

  test('each comes after what it needs', () => {
    const order = inTree(chain, (folder) => orderOf(workspaceOf(folder)));
    expect(order).toEqual({ folders: ['util', 'lib', 'api', 'web'].map(at), cycles: [] });
  });

  test('those that need each other come in a stable order, which is told', () => {
    const files = packages({ a: { needs: ['b'] }, b: { needs: ['c'] }, c: { needs: ['a'] } });
    const order = inTree(files, (folder) => orderOf(workspaceOf(folder)));
    expect(order).toEqual({ folders: ['c', 'b', 'a'].map(at), cycles: [[at('c'), at('a')]] });
  });

  test('closures and dependents', () => {
    inTree(chain, (folder) => {
      const workspace = workspaceOf(folder);
      expect([...closureOf(workspace, [at('web')], 'run')].toSorted()).toEqual(['lib', 'util', 'web'].map(at));
      expect([...dependentsOf(workspace, [at('util')])].toSorted()).toEqual(['api', 'lib', 'util', 'web'].map(at));
      expect([...dependentsOf(workspace, [at('web')])]).toEqual([at('web')]);
    });
    const tools = packages({ api: { more: { devDependencies: { tool: '*' } } }, tool: { needs: ['base'] }, base: {} });
    inTree(tools, (folder) => {
      expect([...closureOf(workspaceOf(folder), [at('api')], 'run')]).toEqual([at('api')]);
      expect([...closureOf(workspaceOf(folder), [at('api')], 'build')]).toEqual(['api', 'tool', 'base'].map(at));
    });
  });

  test('a chain of 5,000 packages', () => {
    const all = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`p/${i}`, `p/${i + 1}`]));
    const ends = Object.entries(all).map(([one, next]) => [one, { needs: new Map([[next, 'run' as const]]) }] as const);
    const workspace = { packages: new Map(ends) } as unknown as Parameters<typeof orderOf>[0];
    expect(orderOf(workspace).folders.slice(0, 2)).toEqual(['p/4999', 'p/4998']);
  });
});
