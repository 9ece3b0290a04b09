import { describe, expect, test } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { load } from 'js-yaml';
import { actionManifest, actionNames, workflows } from '../../scripts/readmes.ts';
import type { Manifest } from '../../scripts/tables.ts';

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const callable = workflows(root);
const own = globSync('.github/workflows/*.yml', { cwd: root });
const templates = globSync('workflows/*.yml', { cwd: root });

/** Of the workflows alone: what hands something from one job to another, names their environment or prepares the runner. */
const OWN_INPUTS = new Set(['artifact', 'environment', 'approval-environment', 'install']);
const nothing: Pick<Manifest, 'inputs' | 'outputs'> = { inputs: {}, outputs: {} };

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: object;
}

interface Job extends Step {
  readonly steps?: readonly Step[];
  readonly permissions?: Readonly<Record<string, string>>;
}

function jobsOf(file: string): readonly Job[] {
  return Object.values((load(read(file)) as { jobs: Record<string, Job> }).jobs);
}

/** The workflow of this repository that a job calls, as a path in it. */
function calledBy({ uses = '' }: Job): string | undefined {
  return /^(?:\$|logicore\/delivery-actions)\/(\.github\/workflows\/[a-z-]+\.yml)(?:@v1)?$/.exec(uses)?.[1];
}

function manifestOf(file: string): Manifest | undefined {
  return callable.get(path.basename(file));
}

/** Inputs of the build actions that their reusable workflows do not take, and why. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  'package-manager': 'the repository says it',
  'python-manager': 'the repository says it',
  'node-version': 'the repository says it',
  'python-version': 'the repository says it',
  'node-versions': 'a matrix is the calling workflow’s to make',
  'python-versions': 'a matrix is the calling workflow’s to make',
  'base-image': 'the Dockerfile says it',
  'build-args': 'the Dockerfile says it',
  'build-secrets': 'secrets of a called workflow have to be named one by one: a job of its own uses the action',
  ssh: 'a key is a secret, as above',
  registry: 'AWS_REGION leads to ECR; another registry needs a password',
  'registry-username': 'as above',
  'registry-password': 'as above',
  'create-repository': 'the default is what a platform team wants',
  cache: 'only to look for a fault',
  timeout: 'the default is twice what builds need',
  sbom: 'the default makes both',
  attest: 'the default finds out',
  sign: 'the default finds out',
  'github-token': 'the default is the job’s own',
  package: 'nothing of the job is handed on but the image',
  publish: 'its rights are other ones: a job of its own uses the action',
  artifact: 'nothing of the job is handed on but the image',
  'artifact-name': 'as above',
};

/** Inputs of migrate-db that migrate-environment does not take, and why. */
const MIGRATION_LEFT_OUT: Readonly<Record<string, string>> = {
  'all-files': 'of checks',
  rehearse: 'the default rehearses',
  schema: 'of checks: a plan has the database itself',
  sizes: 'as above',
  'shadow-url': 'the runner has its own PostgreSQL',
  'postgres-version': 'the database says it',
  'kubernetes-secret': 'a service behind closed doors has its own workload and image: a job of its own uses the action',
  'ca-file': 'as above',
  cluster: 'as above',
  kubeconfig: 'as above',
  context: 'as above',
  'run-in': 'as above',
  namespace: 'as above',
  workload: 'as above',
  image: 'as above',
  'job-timeout': 'as above',
  'snapshot-timeout': 'the default is what snapshots need',
  'backup-timeout': 'the default is what small databases need',
  'lock-retries': 'the default is what a busy table needs',
  'wait-for-migrator': 'migrations of one environment wait for each other by concurrency',
  'fail-on': 'a high risk is asked about',
  repair: 'a person decides on it',
  'sarif-file': 'of checks',
  comment: 'of checks',
  'github-token': 'of checks',
};

describe('reusable workflows', () => {
  const actions = actionNames(root);
  test.each([...callable].filter(([file]) => actions.includes(path.basename(file, '.yml'))))(
    '%s agrees with the action of its name',
    (file, { inputs, outputs }) => {
      const manifest = actionManifest(root, path.basename(file, '.yml'));
      const names = Object.keys(inputs).filter((name) => !OWN_INPUTS.has(name));
      expect(defaults(inputs, names)).toEqual(defaults(manifest.inputs, names));
      expect(Object.keys(manifest.outputs)).toEqual(expect.arrayContaining(Object.keys(outputs)));
    },
  );

  const callers = own.filter((file) => jobsOf(file).some((job) => calledBy(job) !== undefined));
  test.each(callers)('%s has the defaults and outputs of the workflows that it calls', (file) => {
    const { inputs, outputs } = manifestOf(file) ?? nothing;
    const called = jobsOf(file).map((job) => manifestOf(calledBy(job) ?? ''));
    for (const to of called.filter((manifest) => manifest !== undefined)) {
      const shared = Object.keys(to.inputs).filter((name) => inputs[name]?.default !== undefined);
      expect(shared).not.toEqual([]);
      expect(defaults(inputs, shared)).toEqual(defaults(to.inputs, shared));
    }
    const given = called.flatMap((manifest) => Object.keys(manifest?.outputs ?? {}));
    expect(given).toEqual(expect.arrayContaining(Object.keys(outputs)));
  });

  test.each(['build-node', 'build-python'])('%s hands on every input of its action, or has a reason not to', (name) => {
    const known = Object.keys(actionManifest(root, name).inputs);
    const steps = jobsOf(`.github/workflows/${name}.yml`).flatMap((job) => job.steps ?? []);
    const given = steps.find(({ uses }) => uses === `$/actions/${name}`)?.with ?? {};
    expect(known.filter((one) => !(one in given) && !(one in LEFT_OUT))).toEqual([]);
  });

  test('migrate-environment hands on every input of its action, or has a reason not to', () => {
    const steps = jobsOf('.github/workflows/migrate-environment.yml').flatMap((job) => job.steps ?? []);
    const given = steps.filter(({ uses }) => uses === '$/actions/migrate-db').map((step) => step.with ?? {});
    expect(given).toHaveLength(2);
    const passed = new Set(given.flatMap((one) => Object.keys(one)));
    const left = Object.keys(actionManifest(root, 'migrate-db').inputs).filter((name) => !passed.has(name));
    expect(left.toSorted()).toEqual(Object.keys(MIGRATION_LEFT_OUT).toSorted());
  });

  test.each(own)('%s has thin steps, and calls nothing that is not pinned', (file) => {
    expect(jobsOf(file).flatMap((job) => [job, ...(job.steps ?? [])].flatMap(faultsOf))).toEqual([]);
  });
});

function defaults(of: Manifest['inputs'], names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, of[name] && String(of[name].default ?? '')]));
}

function faultsOf({ run = '', uses, with: given = {} }: Step): readonly string[] {
  if (run.trim().split('\n').length > 5) return [`too long for a workflow: ${run}`];
  if (uses === undefined) return [];
  const action = /^\$\/actions\/([a-z-]+)$/.exec(uses)?.[1];
  const workflow = calledBy({ uses });
  if (action === undefined && (workflow === undefined || !uses.startsWith('$/'))) {
    return /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/.test(uses) ? [] : [`not pinned by commit: ${uses}`];
  }
  const known = action === undefined ? manifestOf(workflow ?? '')?.inputs : actionManifest(root, action).inputs;
  if (known === undefined) return [`cannot be called: ${uses}`];
  return Object.keys(given)
    .filter((name) => !(name in known))
    .map((name) => `${uses} has no input ${name}`);
}

describe('permissions', () => {
  test.each([...own, ...templates])('%s grants nothing at the top', (file) => {
    expect(read(file)).toMatch(/^permissions: \{\}$/m);
  });

  // GitHub refuses a run in which a called job asks for more than its caller grants, before any job starts.
  test.each([...own, ...templates])('%s grants the workflows that it calls what they ask for, and no more', (file) => {
    const calling = jobsOf(file).filter((job) => calledBy(job) !== undefined);
    const asked = calling.map((job) => askedBy(calledBy(job) ?? ''));
    expect(calling.map(({ permissions }) => permissions)).toEqual(asked);
  });

  function askedBy(file: string): Readonly<Record<string, string>> {
    const levels = ['none', 'read', 'write'];
    const asked: Record<string, string> = {};
    for (const [scope, level] of jobsOf(file).flatMap(({ permissions = {} }) => Object.entries(permissions))) {
      if (levels.indexOf(level) > levels.indexOf(asked[scope] ?? 'none')) asked[scope] = level;
    }
    return asked;
  }
});

test.each(templates)('the template %s has at most 15 lines and calls what exists, with its inputs', (file) => {
  expect(read(file).trimEnd().split('\n').length).toBeLessThanOrEqual(15);
  for (const job of jobsOf(file)) {
    expect(job.uses).toMatch(/@v1$/);
    const inputs = manifestOf(calledBy(job) ?? '')?.inputs;
    expect(Object.keys(inputs ?? {})).toEqual(expect.arrayContaining(Object.keys(job.with ?? {})));
    const required = Object.entries(inputs ?? {}).filter(([, entry]) => entry.required === true);
    expect(Object.keys(job.with ?? {})).toEqual(expect.arrayContaining(required.map(([name]) => name)));
    expect(inputs).toBeDefined();
  }
});
