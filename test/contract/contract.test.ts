import { describe, expect, test } from '@jest/globals';
import { existsSync, globSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { load } from 'js-yaml';
import type { Spec } from '../../src/action/inputs.ts';
import { actionManifest, actionNames, readmes } from '../../scripts/readmes.ts';

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const actions = actionNames(root);
const built = readdirSync(path.join(root, 'src')).filter((n) => existsSync(path.join(root, 'src', n, 'index.ts')));

interface Exported {
  readonly name: string;
  readonly inputs: Spec;
  readonly outputs: readonly string[];
}

function isAction(value: unknown): value is Exported {
  return typeof value === 'object' && value !== null && 'run' in value && 'inputs' in value && 'outputs' in value;
}

test('every entry in src/ has its folder in actions/', () => {
  expect(actions).toEqual(expect.arrayContaining(built));
});

describe.each(actions)('%s', (name) => {
  const manifest = actionManifest(root, name);

  test('runs its own bundle on Node 24', () => {
    const { name: stated, runs } = load(read(`actions/${name}/action.yml`)) as { name: string; runs: unknown };
    expect({ name: stated, runs }).toEqual({ name, runs: { using: 'node24', main: `../../dist/${name}/index.js` } });
  });

  test('states the inputs of the code, with the same defaults', async () => {
    const code = await exportsOf(name);
    const stated = Object.entries(manifest.inputs).map(([input, entry]) => [
      input,
      { default: String(entry.default ?? ''), required: entry.required ?? false },
    ]);
    const known = Object.entries(code.inputs).map(([input, field]) => [
      input,
      { default: field.default, required: field.required },
    ]);
    expect(Object.fromEntries(stated)).toEqual(Object.fromEntries(known));
  });

  test('describes every input and output', () => {
    for (const entry of Object.values({ ...manifest.inputs, ...manifest.outputs })) {
      expect(entry.description).toMatch(/\S/);
    }
  });
});

const runnable = actions.filter((name) => existsSync(path.join(root, 'src', name, 'run.ts')));
if (runnable.length > 0) {
  test.each(runnable)('%s gives the outputs that it states', async (name) => {
    const action = await exportsOf(name);
    expect(action.name).toBe(name);
    expect(action.outputs.toSorted()).toEqual(Object.keys(actionManifest(root, name).outputs).toSorted());
  });
}

async function exportsOf(name: string): Promise<Exported> {
  const run = path.join(root, 'src', name, 'run.ts');
  const module = (await import(existsSync(run) ? run : path.join(root, 'src', name, 'inputs.ts'))) as object;
  const action: unknown = Object.values(module).find(isAction);
  if (isAction(action)) return action;
  return { name, outputs: [], ...(module as { readonly inputs: Spec }) };
}

test('the tables of all READMEs are in step (npm run docs)', () => {
  const stale = readmes(root).filter(({ now, wanted }) => now !== wanted);
  expect(stale.map(({ file }) => file)).toEqual([]);
});

test('no source file has 300 lines or more', () => {
  const files = globSync('{src,test,scripts,bench}/**/*.ts', { cwd: root });
  expect(files.filter((file) => read(file).split('\n').length > 300)).toEqual([]);
});

test('domains form no cycle, and import no action', () => {
  const folders = readdirSync(path.join(root, 'src'));
  const imported = new Map(
    folders.map((folder) => {
      const files = globSync(`src/${folder}/**/*.ts`, { cwd: root });
      const names = files.flatMap((file) =>
        [...read(file).matchAll(/from '(?:\.\.\/)+([a-z-]+)\//g)].map(([, name = '']) => name),
      );
      return [folder, new Set(names.filter((name) => name !== folder && folders.includes(name)))];
    }),
  );
  const reaches = (from: string, to: string, seen: ReadonlySet<string> = new Set()): boolean =>
    [...(imported.get(from) ?? [])].some(
      (name) => name === to || (!seen.has(name) && reaches(name, to, new Set([...seen, name]))),
    );
  expect(folders.filter((folder) => reaches(folder, folder))).toEqual([]);
  expect(built.filter((action) => folders.some((folder) => imported.get(folder)?.has(action)))).toEqual([]);
});
