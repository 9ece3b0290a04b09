import path from 'node:path';
import { expect, test } from '@jest/globals';
import { parseInputs } from '../../src/action/inputs.ts';
import { inputs } from '../../src/build-node/inputs.ts';
import { placeOf } from '../../src/build-node/place.ts';
import { planBuild } from '../../src/build-node/plan.ts';
import { nodeRecipe } from '../../src/build-node/recipe.ts';
import { contextFiles } from '../../src/container/content.ts';
import { generateIgnore } from '../../src/container/ignore-file.ts';
import { openProject } from '../../src/project/project.ts';
import { type Files, inTree, packages } from '../workspace/tree.ts';

const scripts = { start: 'node server.js', build: 'x' };
const lock = (version: string): object => ({
  lockfileVersion: 3,
  packages: {
    '': { workspaces: ['packages/*'] },
    'packages/api': { dependencies: { lib: '1.0.0', ms: '1' } },
    'packages/web': { dependencies: { colours: '1' } },
    'packages/lib': { version: '1.0.0' },
    'node_modules/lib': { resolved: 'packages/lib', link: true },
    'node_modules/ms': { version: '1.0.0' },
    'node_modules/colours': { version },
  },
});
const shop: Files = {
  ...packages({ api: { scripts, needs: ['lib'] }, lib: {}, web: {} }),
  'package-lock.json': lock('1.0.0'),
  '.nvmrc': '22',
  'README.md': 'x',
  'tsconfig.json': {},
};

async function recipeOf(files: Files, directory = 'packages/api') {
  return inTree(files, async (folder) => {
    const project = openProject(directory, folder);
    const get = (name: string): string => ({ image: 'shop', push: 'false' })[name] ?? '';
    const given = parseInputs(inputs, { get, mask: () => undefined });
    const plan = planBuild(given, project, {});
    const host = { env: { HOME: folder }, mask: () => undefined } as never;
    const recipe = await nodeRecipe(plan, given, project, host);
    const context = recipe.context ?? project.directory;
    const found = await contextFiles(context, undefined, generateIgnore(recipe.ignored));
    return { plan, recipe, context: path.relative(folder, context), files: found.map((file) => file.path) };
  });
}

test('a package is installed and built at the root of its workspace, with what it needs alone', async () => {
  const { plan, recipe, context, files } = await recipeOf(shop);
  expect(context).toBe('');
  expect(files).toEqual([
    '.nvmrc',
    'package-lock.json',
    'package.json',
    'packages/api/package.json',
    'packages/lib/package.json',
    'tsconfig.json',
  ]);
  expect(plan).toMatchObject({ name: 'api', manager: { name: 'npm' }, node: { range: '22' } });
  expect(plan.decisions[0]).toBe(
    'package manager: npm, by the lockfile package-lock.json; installed in ../.., the root of its workspace',
  );
  expect(recipe.base).toBe('node:22-slim');
  // Where the checkout lies is no content.
  expect(recipe.before).not.toContain('workspace-');
});

test('what runs before a Dockerfile of its own is known to read the packages that it needs', async () => {
  const own = { ...shop, 'packages/api/Dockerfile': 'FROM scratch\nCOPY dist /\n' };
  const { plan, recipe, context } = await recipeOf(own);
  expect(plan.image?.dockerfile).toBe('Dockerfile');
  expect(context).toBe('packages/api');
  expect(recipe.sources).toMatch(/workspace-[^/]*$/);
  expect(recipe.ignored).toContain('packages/web');
  expect(recipe.ignored).not.toContain('packages/lib');
  expect([...(recipe.instead?.keys() ?? [])]).toEqual(['package-lock.json']);
});

test('of the lockfile counts what reaches the package', async () => {
  const [one, other] = [await recipeOf(shop), await recipeOf({ ...shop, 'package-lock.json': lock('1.0.1') })];
  expect(one.recipe.instead?.get('package-lock.json')).toBe(other.recipe.instead?.get('package-lock.json'));
  expect(one.recipe.dependencies).toEqual(other.recipe.dependencies);
  const [web, changed] = [
    await recipeOf({ ...shop, 'packages/web/server.js': '' }, 'packages/web'),
    await recipeOf({ ...shop, 'packages/web/server.js': '', 'package-lock.json': lock('1.0.1') }, 'packages/web'),
  ];
  expect(web.recipe.instead).not.toEqual(changed.recipe.instead);
  expect(web.recipe.dependencies).not.toEqual(changed.recipe.dependencies);
});

test.each([
  ['COPY packages/api/dist ./', ''],
  ['COPY package-lock.json ./', ''],
  ['COPY dist ./', 'packages/api'],
])('a Dockerfile of its own that says %j has its context in %j', async (line, expected) => {
  const { context } = await recipeOf({ ...shop, 'packages/api/Dockerfile': `FROM scratch\n${line}\n` });
  expect(context).toBe(expected);
});

test('a folder with a lockfile of its own stands for itself', () => {
  const alone = { ...shop, 'packages/api/package-lock.json': lock('1.0.0') };
  inTree(alone, (folder) => {
    expect(placeOf(openProject('packages/api', folder))).toBeUndefined();
    expect(placeOf(openProject('packages/lib', folder))).toMatchObject({ folder, inside: 'packages/lib' });
    expect(placeOf(openProject('.', folder))).toMatchObject({ folder, inside: '' });
  });
});
