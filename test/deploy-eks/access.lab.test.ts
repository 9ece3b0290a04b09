import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { loadAll } from 'js-yaml';
import type { KubeObject } from '../../src/kube/kube.ts';
import { codeBlocks } from '../lab/readme.ts';
import { type Eks, greedy, openEks } from './eks.ts';

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
const grants = role.rules.flatMap(({ apiGroups, resources, verbs }) =>
  apiGroups.flatMap((group) =>
    resources.flatMap((resource) => verbs.map((verb): Grant => ({ group, resource, verb }))),
  ),
);

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
  const rules = allowed.map(({ group, resource, verb }) => ({
    apiGroups: [group],
    resources: [resource],
    verbs: [verb],
  }));
  for (const object of [{ ...role, rules }, binding]) {
    await admin.apply({ ...object, metadata: { ...object?.metadata, namespace } } as KubeObject);
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
    expect(first.log).not.toContain('::error');
    expect(first.outputs['verdict']).toBe('deployed');
    const second = await eks.deploy({ timeout: '8s' }, { workspace: eks.variant(greedy) });
    expect(second.outputs['verdict']).toBe('rolled-back');
    expect(second.summary).toMatch(/Deployment\/tracking-api restored and serving/);
    expect(second.summary).toContain('FailedScheduling');
    expect(second.log).not.toContain('forbidden');
  }, 120_000);
});
