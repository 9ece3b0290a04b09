import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { loadAll } from 'js-yaml';
import { at } from '../../src/kube/fields.ts';
import type { KubeObject } from '../../src/kube/kube.ts';
import { codeBlocks } from '../lab/readme.ts';
import { type Eks, greedy, openEks } from './eks.ts';
import { evidence, groupOf, objects } from './kinds.ts';

/** A rule of a Role, as the README gives it to platform teams. */
interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

interface Grant {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
}

const [role, binding] = codeBlocks('README.md', 'yaml')
  .filter((block) => block.includes('kind: RoleBinding'))
  .flatMap((block) => loadAll(block) as (KubeObject & { rules: readonly Rule[] })[]);
const [trust, policy] = ['sts:AssumeRoleWithWebIdentity', 'eks:DescribeCluster'].map((action) =>
  codeBlocks('README.md', 'json').find((block) => block.includes(`"${action}"`)),
);
if (!role || !binding || !trust || !policy) throw new Error('the README no longer tells how to set up an environment');
/** Rules name groups and resources crosswise; these are the pairs that exist. */
const grants = role.rules.flatMap(({ apiGroups, resources, verbs }) =>
  apiGroups.flatMap((group) =>
    resources
      .filter((resource) => groupOfResource(resource) === group)
      .flatMap((resource) => verbs.map((verb): Grant => ({ group, resource, verb }))),
  ),
);
const [kinds, forEvidence] = [grants.filter(isKind), grants.filter((grant) => !isKind(grant))];
const manifests = Object.fromEntries(kinds.map(({ resource }) => [`k8s/${resource}.json`, objects[resource]]));

function isKind({ resource }: Grant): boolean {
  return objects[resource] !== undefined;
}

function groupOfResource(resource: string): string {
  const object = objects[resource];
  const group = object ? groupOf(object) : evidence[resource];
  if (group === undefined) throw new Error(`no test deploys ${resource}, which the README's Role names`);
  return group;
}

let eks: Eks;

beforeAll(async () => {
  eks = await openEks();
}, 30 * 60_000);
afterEach(async () => eks.restore());
afterAll(async () => eks.close());

/** The role as the README sets it up: trusted, and a member of `deployers` in the cluster. */
async function setUp(allowed: readonly Grant[] = grants): Promise<void> {
  const { admin, aws, control, namespace } = eks;
  await control.set('policy', JSON.parse(policy?.replace('cluster/production', 'cluster/lab') ?? ''));
  await control.set('users', { [aws.roleArn]: { groups: ['deployers'] } });
  // By this the moment is known from which on the API server goes by the new rules.
  const mark = { group: 'lab', resource: randomUUID(), verb: 'get' };
  const rules = [...allowed, mark].map(({ group, resource, verb }) => ({
    apiGroups: [group],
    resources: [resource],
    verbs: [verb],
  }));
  for (const object of [{ ...role, rules }, binding]) {
    await admin.apply({ ...object, metadata: { ...object?.metadata, namespace } } as KubeObject);
  }
  const spec = { groups: ['deployers'], resourceAttributes: { ...mark, namespace } };
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', metadata: { name: '' }, spec };
  for (let tries = 0; at(await admin.kube.create(review), 'status', 'allowed') !== true; tries += 1) {
    if (tries === 100) throw new Error('the API server does not take the Role up');
    await sleep(50);
  }
}

describe("the README's trust policy", () => {
  test.each([
    ['of a repository with ids', 'repo:acme@1234567/tracking-api@7654321:environment:production', 0],
    ['of an older repository', 'repo:acme/tracking-api:environment:production', 0],
    ['of another environment', 'repo:acme/tracking-api:environment:staging', 1],
    ['of another repository', 'repo:acme/other:environment:production', 1],
  ])('for a token %s', async (_name, sub, exitCode) => {
    await eks.control.set('trust', JSON.parse(trust ?? ''));
    await eks.github.set('claims', { sub });
    expect((await eks.deploy({ 'dry-run': 'true' })).exitCode).toBe(exitCode);
  });
});

describe("the README's Role and IAM policy", () => {
  test('are enough to deploy, to fail with evidence and to take back', async () => {
    await setUp();
    const first = await eks.deploy();
    expect(first.log).not.toMatch(/::(error|warning)/);
    expect(first.outputs['verdict']).toBe('deployed');
    const second = await eks.deploy({ timeout: '8s' }, { workspace: eks.variant(greedy) });
    expect(second.outputs['verdict']).toBe('rolled-back');
    expect(second.summary).toMatch(/Deployment\/tracking-api` \| 2 new pods \| 2 old pods \| rolled back after/);
    expect(second.summary).toContain('FailedScheduling');
    expect(second.log).not.toMatch(/forbidden|::warning/);
  }, 120_000);

  test('are enough for each kind that they name', async () => {
    await setUp();
    const { exitCode, log } = await eks.deploy({ images: '', 'dry-run': 'true' }, { workspace: eks.folder(manifests) });
    expect(log).not.toMatch(/::(error|warning)/);
    expect(exitCode).toBe(0);
  }, 60_000);

  test.each([...new Set(kinds.map(({ verb }) => verb))])(
    'need %s for each kind, and nothing changes without it',
    async (verb) => {
      const { admin, namespace } = eks;
      await setUp(grants.filter((grant) => grant.verb !== verb || !kinds.includes(grant)));
      const before = await admin.contents(namespace);
      const { exitCode, log } = await eks.deploy({ images: '' }, { workspace: eks.folder(manifests) });
      expect(exitCode).toBe(1);
      for (const { group, resource } of kinds) {
        expect(log).toMatch(
          new RegExp(`::error file=k8s/${resource}\\.json[^\\n]*${verb}[^\\n]*${resource}[^\\n]*${namespace}`),
        );
        expect(log).toContain(
          `Role in namespace ${namespace} of the deployer:\n- apiGroups: ["${group}"]\n  resources: ["${resource}"]`,
        );
      }
      expect(await admin.contents(namespace)).toEqual(before);
    },
    60_000,
  );

  test.each(forEvidence)(
    'need $verb of $resource to tell why',
    async (grant) => {
      await setUp(grants.filter((other) => other !== grant));
      const { exitCode, log } = await eks.deploy({ 'dry-run': 'true' });
      expect(exitCode).toBe(0);
      expect(log).toMatch(new RegExp(`::warning::RBAC does not let the deployer ${grant.verb} ${grant.resource}`));
      expect(log.match(/::warning/g)).toHaveLength(1);
    },
    60_000,
  );
});
