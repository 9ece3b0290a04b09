import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { treeKey } from '../../src/cache/dependencies.ts';
import type { ManagerName, PackageManager } from '../../src/node/package-manager.ts';
import { dependencyTree, installHooks } from '../../src/node/tree.ts';
import { openProject } from '../../src/project/project.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tree-'));
  write({ 'package.json': { name: 'shop', dependencies: { left: '1.0.0' } }, 'the.lock': 'left@1.0.0' });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(files: Readonly<Record<string, string | object>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
}

function treeOf(name: ManagerName = 'npm', version = '24.1.0') {
  const manager: PackageManager = {
    name,
    lockfile: 'the.lock',
    root: '',
    range: '*',
    plugAndPlay: false,
    leftOver: [],
    reason: 'x',
    install: [name, 'ci'],
  };
  return dependencyTree(manager, { node: version, manager: '11.0.0' }, openProject('.', folder));
}

function some<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('there is no tree');
  return value;
}

const keyOf = (): string => treeKey(some(treeOf())).key;

describe('the key of installed dependencies', () => {
  test.each([
    ['the lockfile', { 'the.lock': 'left@1.0.1' }],
    ['overrides', { 'package.json': { name: 'shop', dependencies: { left: '1.0.0' }, overrides: { right: '2' } } }],
    [
      'which install scripts run',
      { 'package.json': { dependencies: { left: '1.0.0' }, allowScripts: { left: true } } },
    ],
    ['.npmrc', { '.npmrc': 'legacy-peer-deps=true' }],
    ['a patch', { 'patches/left+1.0.0.patch': '+1' }],
  ])('changes with %s', (_what, files) => {
    const before = keyOf();
    write(files);
    expect(keyOf()).not.toBe(before);
  });

  test('stays with what no install reads', () => {
    const before = keyOf();
    write({
      'package.json': { name: 'shop', version: '2.0.0', scripts: { test: 'jest' }, dependencies: { left: '1.0.0' } },
    });
    write({ 'src/a.js': '1' });
    expect(keyOf()).toBe(before);
  });

  test('is another for another Node, whose native modules are others', () => {
    expect(treeKey(some(treeOf('npm', '26.0.0'))).near).not.toBe(treeKey(some(treeOf())).near);
  });
});

describe('dependencies are installed each time', () => {
  test.each<[string, ManagerName, Readonly<Record<string, string | object>>]>([
    ['with Yarn 2 and later', 'yarn-berry', {}],
    ['where a manager copies folders', 'pnpm', { 'the.lock': 'left: file:../left' }],
    ['where another manager than npm has hooks to run', 'pnpm', { 'package.json': { scripts: { prepare: 'x' } } }],
    [
      'where packages of a workspace have hooks',
      'npm',
      { 'package.json': { workspaces: ['a'] }, 'a/package.json': { scripts: { postinstall: 'x' } } },
    ],
  ])('%s', (_what, name, files) => {
    expect(treeOf(name) === undefined).toBe(name === 'yarn-berry');
    write(files);
    expect(treeOf(name)).toBeUndefined();
  });
});

test('the hooks of the project are run in the order of npm, unless its settings say otherwise', () => {
  const hooks = (): readonly string[] => installHooks(openProject('.', folder));
  write({ 'package.json': { scripts: { test: 'x', prepare: 'x', postinstall: 'x' } } });
  expect(hooks()).toEqual(['postinstall', 'prepare']);
  write({ '.npmrc': 'ignore-scripts=true\n' });
  expect(hooks()).toEqual([]);
});
