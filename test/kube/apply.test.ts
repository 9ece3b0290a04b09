import { expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyAll } from '../../src/kube/apply.ts';
import { validate } from '../../src/kube/validate.ts';
import { explainKubeError } from '../../src/kube/errors.ts';
import { type Kube, KubeError, type KubeObject } from '../../src/kube/kube.ts';
import { readKubeconfig } from '../../src/kube/kubeconfig.ts';
import { planWaves } from '../../src/kube/order.ts';
import { parseManifest } from '../../src/manifests/parse.ts';

const RESOURCES = [
  { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true, verbs: [] },
  { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false, verbs: [] },
  { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments', namespaced: true, verbs: [] },
];

/** A cluster whose applies `refuse` may turn away. */
function cluster(refuse: (object: KubeObject) => KubeError | undefined = () => undefined) {
  const stored = new Map<string, KubeObject>();
  const calls: string[] = [];
  const resource: Kube['resource'] = async ({ apiVersion, kind }) =>
    RESOURCES.find((r) => r.apiVersion === apiVersion && r.kind === kind);
  const kube: Pick<Kube, 'resource' | 'resources' | 'get' | 'apply'> = {
    resource,
    resources: async () => RESOURCES,
    get: async (ref) => stored.get(`${ref.kind}/${ref.name}`),
    async apply(object, { dryRun }) {
      const error = refuse(object);
      if (error) throw error;
      const { kind, metadata } = object;
      calls.push(`${dryRun ? 'dry ' : ''}${kind}/${metadata.name}`);
      const before = stored.get(`${kind}/${metadata.name}`);
      const same = JSON.stringify(before?.['data']) === JSON.stringify(object['data']);
      const resourceVersion = before && same ? (before.metadata.resourceVersion ?? '') : String(calls.length);
      const after = { ...object, metadata: { ...metadata, uid: metadata.name, resourceVersion } };
      if (!dryRun) stored.set(`${kind}/${metadata.name}`, after);
      return after;
    },
  };
  return { kube: kube as Kube, calls };
}

const docs = (text: string) => parseManifest(text, 'x.yaml').documents;
const one = (kind: string, name: string, apiVersion = 'v1', extra = '') =>
  `---\napiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: ${name}}\n${extra}`;
const OPTIONS = { fieldManager: 'deploy-eks', namespace: 'shop' };
const clock = { now: () => 0, sleep: async () => undefined };

test('waves put what others need first', () => {
  const kinds = [
    'Ingress',
    'Deployment',
    'Widget',
    'Service',
    'ConfigMap',
    'Role',
    'CustomResourceDefinition',
    'Namespace',
  ];
  const waves = planWaves(docs(kinds.map((kind) => one(kind, 'x')).join('')));
  expect(waves.flatMap(({ documents }) => documents.map(({ object }) => object.kind))).toEqual(kinds.toReversed());
});

test('validation tells unknown kinds and wrong namespaces with places, before any request for a dry run', async () => {
  const { kube, calls } = cluster();
  const other = '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: other}\n';
  const checking = validate(kube, docs(one('Deploymnet', 'a', 'apps/v1') + other), OPTIONS);
  await expect(checking).rejects.toMatchObject({
    problems: [
      { place: { file: 'x.yaml', line: 2 }, remedy: 'did you mean kind: Deployment with apiVersion: apps/v1?' },
      { place: { file: 'x.yaml', line: 6 }, remedy: 'take the namespace out of the manifest, or set namespace: other' },
    ],
  });
  expect(calls).toEqual([]);
});

test('validation fills in the namespace and lets pass what a namespace of the same set will hold', async () => {
  const missing = new KubeError('namespaces "shop" not found', { status: 404, reason: 'NotFound' });
  const { kube } = cluster(({ kind }) => (kind === 'ConfigMap' ? missing : undefined));
  const valid = await validate(kube, docs(one('Namespace', 'shop') + one('ConfigMap', 'a')), OPTIONS);
  expect(valid.map(({ document }) => document.object.metadata.namespace)).toEqual([undefined, 'shop']);
  await expect(validate(kube, docs(one('ConfigMap', 'a')), OPTIONS)).rejects.toThrow('"shop" not found');
});

test('applying tells created, unchanged and configured apart', async () => {
  const { kube } = cluster();
  const apply = async (value: string) =>
    applyAll(kube, planWaves(docs(one('ConfigMap', 'a', 'v1', `data: {k: ${value}}\n`))), { ...OPTIONS, clock });
  expect((await apply('x')).map(({ change }) => change)).toEqual(['created']);
  expect((await apply('x')).map(({ change }) => change)).toEqual(['unchanged']);
  expect((await apply('z')).map(({ change }) => change)).toEqual(['configured']);
});

test('a refused wave stops those after it', async () => {
  const conflict = new KubeError('conflict with "kubectl"', { status: 409, reason: 'Conflict' });
  const { kube, calls } = cluster(({ kind }) => (kind === 'ConfigMap' ? conflict : undefined));
  const waves = planWaves(docs(one('Deployment', 'd', 'apps/v1') + one('ConfigMap', 'a')));
  await expect(applyAll(kube, waves, { ...OPTIONS, clock })).rejects.toThrow('conflict with "kubectl"');
  expect(calls).toEqual([]);
});

test('a 403 prints the rule to add, a 401 the access entry', () => {
  const message =
    'deployments.apps "d" is forbidden: User "u" cannot patch resource "deployments" in API group "apps" in the namespace "shop"';
  expect(explainKubeError(new KubeError(message, { status: 403, reason: 'Forbidden' })).remedy).toBe(
    'add this rule to a Role in namespace shop of the deployer:\n- apiGroups: ["apps"]\n  resources: ["deployments"]\n  verbs: ["get","create","patch"]',
  );
  const unknown = new KubeError('Unauthorized', { status: 401, reason: 'Unauthorized' });
  expect(explainKubeError(unknown, { cluster: 'prod', role: 'arn:x' }).remedy).toContain(
    'aws eks create-access-entry --cluster-name prod --principal-arn arn:x',
  );
  expect(explainKubeError(unknown, { cluster: 'prod' }).remedy).toMatch(/^set role-to-assume.*create-access-entry/);
});

test('a kubeconfig gives server and token, and programs in it are not run', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  const file = join(folder, 'config');
  const text = (user: object): string =>
    JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'k', user: 'u', namespace: 'shop' } }],
      clusters: [{ name: 'k', cluster: { server: 'https://k:6443', 'certificate-authority-data': btoa('PEM') } }],
      users: [{ name: 'u', user }],
    });
  await writeFile(file, text({ token: 'secret-token' }));
  const target = await readKubeconfig(file);
  expect(target).toMatchObject({
    namespace: 'shop',
    server: { server: 'https://k:6443', ca: 'PEM' },
    secrets: ['secret-token'],
  });
  expect(await target.server.token?.({ fresh: false })).toBe('secret-token');
  await expect(readKubeconfig(file, 'other')).rejects.toMatchObject({ remedy: 'contexts there: c' });
  await writeFile(file, text({ exec: { command: 'aws' } }));
  await expect(readKubeconfig(file)).rejects.toThrow('gets its credentials from a program');
  await rm(folder, { recursive: true });
});
