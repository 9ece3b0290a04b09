import { describe, expect, test } from '@jest/globals';
import { existsSync, globSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { load } from 'js-yaml';
import type { Spec } from '../../src/action/inputs.ts';
import { actionManifest, actionNames, readmes, workflows } from '../../scripts/readmes.ts';

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
  expect(readmes(root).filter(({ now, wanted }) => now !== wanted)).toEqual([]);
});

describe('reusable workflows', () => {
  const callable = [...workflows(root)];

  test.each(callable.filter(([file]) => actions.includes(path.basename(file, '.yml'))))(
    '%s agrees with the action of its name',
    (file, { inputs, outputs }) => {
      const manifest = actionManifest(root, path.basename(file, '.yml'));
      const defaults = (of: typeof inputs, names: readonly string[]): object =>
        Object.fromEntries(names.map((name) => [name, of[name] && String(of[name].default ?? '')]));
      const names = Object.keys(inputs);
      expect(defaults(inputs, names)).toEqual(defaults(manifest.inputs, names));
      expect(Object.keys(manifest.outputs)).toEqual(expect.arrayContaining(Object.keys(outputs)));
    },
  );

  test.each(readdirSync(path.join(root, '.github/workflows')))('%s grants nothing at the top', (file) => {
    expect(load(read(`.github/workflows/${file}`))).toMatchObject({ permissions: {} });
    expect(read(`.github/workflows/${file}`)).toMatch(/^permissions: \{\}$/m);
  });

  test.each(readdirSync(path.join(root, '.github/workflows')))(
    '%s has thin steps that name existing inputs',
    (file) => {
      expect(stepsOf(file).flatMap(faultsOf)).toEqual([]);
    },
  );

  test('templates have at most 15 lines and call what exists, with inputs that exist', () => {
    for (const file of globSync('workflows/*.yml', { cwd: root })) {
      expect(read(file).trimEnd().split('\n').length).toBeLessThanOrEqual(15);
      const { jobs } = load(read(file)) as { jobs: Record<string, { uses?: string; with?: object }> };
      for (const job of Object.values(jobs)) {
        const called = workflows(root).get(/\/([a-z-]+\.yml)@v\d+$/.exec(job.uses ?? '')?.[1] ?? '');
        expect(Object.keys(called?.inputs ?? {})).toEqual(expect.arrayContaining(Object.keys(job.with ?? {})));
        expect(called).toBeDefined();
      }
    }
  });
});

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: object;
}

function faultsOf({ run = '', uses, with: given = {} }: Step): readonly string[] {
  if (run.trim().split('\n').length > 5) return [`too long for a workflow: ${run}`];
  if (uses === undefined) return [];
  const own = /^\$\/actions\/([a-z-]+)$/.exec(uses)?.[1];
  if (own === undefined) return /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/.test(uses) ? [] : [`not pinned by commit: ${uses}`];
  const known = Object.keys(actionManifest(root, own).inputs);
  return Object.keys(given)
    .filter((name) => !known.includes(name))
    .map((name) => `${own} has no input ${name}`);
}

function stepsOf(file: string): readonly Step[] {
  const { jobs } = load(read(`.github/workflows/${file}`)) as { jobs: Record<string, { steps?: readonly Step[] }> };
  return Object.values(jobs).flatMap(({ steps }) => steps ?? []);
}

test('no source file has 300 lines or more', () => {
  const files = globSync('{src,test,scripts,bench}/**/*.ts', { cwd: root });
  expect(files.filter((file) => read(file).split('\n').length > 300)).toEqual([]);
});
