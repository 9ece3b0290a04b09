import { describe, expect, test } from '@jest/globals';
import type { Affected } from '../../src/workspace/affected.ts';
import { type ScriptWish, planWorkspaceScripts } from '../../src/workspace/scripts.ts';
import { rootScript } from '../../src/workspace/root-script.ts';
import { type Files, inTree, packages, workspaceOf } from './tree.ts';

const usual = { lint: 'x', test: 'x', build: 'x' };
const base = { commit: '0123456789'.repeat(4), reason: 'the last green commit of main' };
const since = 'since 0123456, the last green commit of main';

function affectedOf(...names: readonly string[]): Affected {
  return { base, packages: new Map(names.map((name) => [`packages/${name}`, 'it changed'])) };
}

function plan(files: Files, more: Partial<ScriptWish> = {}) {
  return inTree(files, (folder) => {
    const wish: ScriptWish = { workspace: workspaceOf(folder), folder: '/w', inside: '', manager: 'npm', named: [] };
    const planned = planWorkspaceScripts({ ...wish, ...more });
    const tasks = planned.tasks.map(({ name, after = [] }) =>
      [name, ...after].map((one) => one.replace('packages/', '')),
    );
    return { ...planned, shown: tasks };
  });
}

const shop = packages({
  api: { needs: ['lib'], scripts: usual },
  // Nothing to build itself: what it is made of has to be.
  lib: { needs: ['core'], scripts: { test: 'x' } },
  core: { scripts: { build: 'x' } },
  web: { scripts: { build: 'x', test: 'x' } },
});

describe('the scripts of a workspace', () => {
  test('of its packages, where the root has none: builds after builds, lint after nothing', () => {
    expect(plan(shop).shown).toEqual([
      ['core: build'],
      ['lib: test', 'core: build'],
      ['api: lint'],
      ['api: test', 'core: build'],
      ['api: build', 'core: build'],
      ['web: test'],
      ['web: build'],
    ]);
    const [first] = plan(shop).tasks;
    expect(first).toEqual({ name: 'packages/core: build', command: ['npm', 'run', 'build'], cwd: '/w/packages/core' });
  });

  test('of the root, where it has any', () => {
    const { shown, decisions } = plan({ ...shop, 'package.json': { workspaces: ['packages/*'], scripts: usual } });
    expect(shown).toEqual([['lint'], ['test'], ['build', 'lint', 'test']]);
    expect(decisions).toContain('scripts of the root: lint, test, build');
    const lint = { ...shop, 'package.json': { workspaces: ['packages/*'], scripts: { lint: 'x' } } };
    expect(plan(lint).shown).toEqual([['lint']]);
    expect(plan(lint).decisions.join()).toContain('test: not run, as the root has other scripts');
    expect(plan(lint, { named: ['lint', 'build'] }).shown).toEqual([
      ['lint'],
      ['core: build'],
      ['api: build', 'core: build'],
      ['web: build'],
    ]);
  });

  test('of one package: its own, after the builds that it needs', () => {
    expect(plan(shop, { inside: 'packages/lib' }).shown).toEqual([['core: build'], ['lib: test', 'core: build']]);
    expect(plan(shop, { inside: 'packages/api', named: ['lint'] }).shown).toEqual([['api: lint']]);
    expect(() => plan(shop, { inside: 'packages/lib', named: ['deploy'] })).toThrow('no script "deploy"');
  });

  test('a named script that is nowhere is an error', () => {
    expect(() => plan(shop, { named: ['deploy', 'test'] })).toThrow('any of its packages has a script "deploy"');
  });

  test('affected: what counts, what it needs built, and why the rest is left out', () => {
    const { shown, decisions, skipped } = plan(shop, { affected: affectedOf('api') });
    expect(shown).toEqual([
      ['core: build'],
      ['api: lint'],
      ['api: test', 'core: build'],
      ['api: build', 'core: build'],
    ]);
    expect(decisions).toContain('affected: 1 of 4 packages, compared with 0123456, the last green commit of main');
    expect(decisions).toContain('only built, as others or the image need them: `packages/core`');
    expect(skipped).toEqual([
      `Skipped 3 of 4 packages: neither they nor what they need changed ${since}: \`packages/core\`, \`packages/lib\`, \`packages/web\`.`,
    ]);
  });

  test('affected: nothing, and everything', () => {
    expect(plan(shop, { affected: affectedOf() })).toMatchObject({ tasks: [] });
    const all: Affected = { base: { reason: 'x' }, everything: '`package.json` changed' };
    expect(plan(shop, { affected: all }).shown).toEqual(plan(shop).shown);
    expect(plan(shop, { affected: all }).skipped).toEqual(['Nothing was skipped, because `package.json` changed.']);
  });

  test('affected: one package, of which an image may be made all the same', () => {
    const other = { inside: 'packages/api', affected: affectedOf('web') };
    expect(plan(shop, other)).toMatchObject({
      tasks: [],
      skipped: [`Skipped the scripts of \`packages/api\`: neither it nor what it needs changed ${since}.`],
    });
    expect(plan(shop, { ...other, keepBuilds: true }).shown).toEqual([['core: build'], ['api: build', 'core: build']]);
    expect(plan(shop, { affected: affectedOf(), keepBuilds: true }).shown).toEqual([
      ['core: build'],
      ['api: build', 'core: build'],
      ['web: build'],
    ]);
  });

  test('affected leaves out of what the root runs, and never adds to it', () => {
    const scripts = { lint: 'eslint .', test: 'npm run test --workspaces --if-present', build: 'turbo run build' };
    const files = { ...shop, 'package.json': { workspaces: ['packages/*'], scripts }, 'turbo.json': {} };
    const { tasks, decisions, shown } = plan(files, { affected: affectedOf('web'), manager: 'npm' });
    expect(shown).toEqual([['lint'], ['build', 'lint'], ['web: test']]);
    expect(tasks[1]?.command).toEqual(['npm', 'run', 'build', '--', '--filter=./packages/web']);
    expect(decisions).toContain('lint of the root: whole, as it is not known to go over packages');
  });

  test('packages that need each other wait for no one for ever', () => {
    const files = packages({ a: { needs: ['b'], scripts: usual }, b: { needs: ['a'], scripts: usual } });
    const { shown, decisions } = plan(files);
    const tasks = new Map(shown.map(([name = '', ...after]) => [name, after]));
    expect(tasks.get('a: build')).toEqual(['b: build']);
    expect(tasks.get('b: build')).toEqual([]);
    expect(decisions).toContain('`packages/b` and `packages/a` need each other: `packages/b` is built first');
  });

  test('names that a shell or the runner would take for something are words alone', () => {
    const evil = '$(touch x);\u001b[31m::error::`id`';
    const files = {
      'package.json': { workspaces: ['p/*'] },
      [`p/${evil}/package.json`]: { name: evil, scripts: { test: 'x' } },
    };
    const [task] = plan(files, { affected: { base, packages: new Map([[`p/${evil}`, 'x']]) } }).tasks;
    expect(task).toEqual({ name: `p/${evil}: test`, command: ['npm', 'run', 'test'], cwd: `/w/p/${evil}` });
    const affected = { base, packages: new Map([[`p/${evil}`, 'x']]) };
    expect(rootScript('turbo run test', affected)).toEqual({ kind: 'whole' });
  });
});

describe('a script of the root, where only packages/web counts', () => {
  const narrowed = (...words: readonly string[]) => ({ kind: 'narrowed', arguments: words });
  test.each<[string, object]>([
    ['turbo run test', narrowed('--filter=./packages/web')],
    ['npx turbo build lint', narrowed('--filter=./packages/web')],
    ['nx run-many -t test', narrowed('--projects=packages/web')],
    ['nx affected -t test', narrowed(`--base=${base.commit}`)],
    ['npm run test --workspaces', { kind: 'packages' }],
    ['npm test -ws', { kind: 'packages' }],
    ['pnpm -r test', { kind: 'packages' }],
    ['pnpm --recursive run test', { kind: 'packages' }],
    ['yarn workspaces foreach -A run test', { kind: 'packages' }],
    ["bun run --filter '*' test", { kind: 'packages' }],
    ['lerna run test', { kind: 'packages' }],
    ['turbo run test --filter=./packages/api', { kind: 'whole' }],
    ['turbo run test && echo done', { kind: 'whole' }],
    ['pnpm -r test; rm -rf x', { kind: 'whole' }],
    ['vitest', { kind: 'whole' }],
    ['eslint .', { kind: 'whole' }],
  ])('%s', (script, expected) => {
    expect(rootScript(script, affectedOf('web'))).toEqual(expected);
  });
});
