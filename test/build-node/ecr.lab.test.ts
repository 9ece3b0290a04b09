import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import {
  DescribeRepositoriesCommand,
  ECRClient,
  GetLifecyclePolicyCommand,
  type Repository,
} from '@aws-sdk/client-ecr';
import { type Control, controlOf } from '../lab/control.ts';
import { runJob } from '../lab/job.ts';
import type { BundleRun } from '../run-bundle.ts';
import { openLab } from '../lab/lab.ts';
import { describeWith } from '../lab/needs.ts';
import type { LabFacts } from '../lab/part.ts';
import { codeBlocks } from '../lab/readme.ts';
import { assumeRole } from '../lab/session.ts';
import { Workspace, project } from './workspace.ts';

const documented =
  codeBlocks('actions/build-node/README.md', 'json').find((block) => block.includes('ecr:PutImage')) ?? '';
const policy = JSON.parse(documented) as { Statement: { Action: string | string[]; Resource: string }[] };
const actions = policy.Statement.flatMap(({ Action }) => Action);

const describe = await describeWith('images');
let facts: LabFacts;
let control: Control;
let shop: Workspace;
let repository = '';

beforeAll(async () => {
  facts = await openLab('aws', 'images');
  control = controlOf(facts.aws?.control ?? '');
}, 30 * 60_000);
beforeEach(async () => {
  shop = new Workspace();
  repository = `shop-${randomBytes(4).toString('hex')}/api`;
  content(randomBytes(8).toString('hex'));
  await control.set('policy', policy);
  await control.forget();
});
afterEach(async () => {
  shop.remove();
  await control.faults();
  await control.set('policy', null);
  await control.set('registry-password', null);
});

/** A project whose image is one small file. */
function content(text: string): void {
  shop.write({ ...project(), 'server.js': text, Dockerfile: 'FROM scratch\nCOPY server.js /\n' });
}

async function build(
  inputs: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<BundleRun> {
  const { aws, images } = facts;
  return runJob(facts, {
    action: 'build-node',
    workspace: shop.folder,
    inputs: {
      image: repository,
      region: aws?.region ?? '',
      'role-to-assume': aws?.roleArn ?? '',
      // The lab's GitHub gives identities, but the public log that signs for them and the database are elsewhere.
      attest: 'false',
      'audit-level': 'off',
      ...inputs,
    },
    env: { DOCKER_HOST: images?.dockerHost, DOCKER_CONFIG: images?.dockerConfig, ...env },
  });
}

/** What ECR itself says, whatever policy is set. */
async function described(): Promise<{ repository: Repository | undefined; lifecycle: unknown }> {
  await control.set('policy', null);
  const { aws } = facts;
  const env = await assumeRole(facts);
  const ecr = new ECRClient({
    region: aws?.region ?? '',
    endpoint: aws?.endpoint ?? '',
    credentials: {
      accessKeyId: env.AWS_ACCESS_KEY_ID,
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
      sessionToken: env.AWS_SESSION_TOKEN,
    },
  });
  const { repositories } = await ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [repository] }));
  const { lifecyclePolicyText } = await ecr.send(new GetLifecyclePolicyCommand({ repositoryName: repository }));
  return { repository: repositories?.[0], lifecycle: JSON.parse(lifecyclePolicyText ?? '') };
}

async function asked(): Promise<readonly string[]> {
  return (await control.requests()).map(({ name }) => name).filter((name) => name.startsWith('ecr:'));
}

describe('an image in ECR by role', () => {
  test('gets a repository made right, and the second run finds both', async () => {
    const first = await build();
    expect(first.log).not.toContain('::error');
    expect(first.log).not.toContain('::warning');
    expect(first.outputs).toMatchObject({ name: repository, reused: 'false' });
    expect(first.outputs['image']).toBe(`${facts.aws?.ecrHost}/${repository}@${first.outputs['digest']}`);
    const again = await build();
    expect(again.log).not.toContain('::warning');
    expect(again.outputs).toMatchObject({ reused: 'true', image: first.outputs['image'] });
    expect((await asked()).filter((name) => name === 'ecr:CreateRepository')).toHaveLength(1);
    const { repository: made, lifecycle } = await described();
    expect(made).toMatchObject({ imageTagMutability: 'IMMUTABLE', imageScanningConfiguration: { scanOnPush: true } });
    expect(lifecycle).toMatchObject({
      rules: expect.arrayContaining([
        expect.objectContaining({ selection: expect.objectContaining({ tagStatus: 'untagged' }) }),
      ]),
    });
  }, 120_000);

  test('that is built beside checks gets its repository only when they pass', async () => {
    rmSync(path.join(shop.folder, 'Dockerfile'));
    shop.write(project({ test: 'exit 1', start: 'node server.js' }));
    expect((await build()).exitCode).toBe(1);
    await expect(described()).rejects.toThrow('does not exist in the registry');
    shop.write(project({ test: 'exit 0', start: 'node server.js' }));
    expect((await build()).outputs['reused']).toBe('false');
    expect((await described()).repository?.repositoryName).toBe(repository);
  }, 180_000);

  test('that is built anew on demand is that one, though its tag stands on the first for ever', async () => {
    const first = await build();
    // Another commit's label, so that it is another image.
    const again = await build({ cache: 'false' }, { GITHUB_SHA: 'f'.repeat(40) });
    expect(again.outputs['reused']).toBe('false');
    expect(again.outputs['digest']).not.toBe(first.outputs['digest']);
  }, 120_000);

  test('of a commit that was already pushed with other content keeps the immutable tag where it stands', async () => {
    expect((await build()).exitCode).toBe(0);
    content('other');
    const { exitCode, log, outputs } = await build();
    expect(exitCode).toBe(0);
    expect(outputs['reused']).toBe('false');
    expect(log).toMatch(/::warning::.*tag 0123456789abcdef\S+: .*is immutable/);
  }, 120_000);
});

describe('the IAM policy of the README', () => {
  test.each(actions)(
    'needs %s',
    async (action) => {
      const less = policy.Statement.map((statement) => ({
        Effect: 'Allow',
        Resource: statement.Resource,
        Action: [statement.Action].flat().filter((one) => one !== action),
      }));
      await control.set('policy', { Statement: less });
      const { exitCode, log } = await build();
      expect(log).toMatch(new RegExp(`::(error|warning)[^\n]*::[^\n]*IAM action ${action} `));
      // Without its lifecycle policy a repository serves all the same.
      expect(exitCode).toBe(action === 'ecr:PutLifecyclePolicy' ? 0 : 1);
      expect(log).not.toContain('a fault of this action');
    },
    60_000,
  );
});

describe('a registry that refuses', () => {
  test('a repository that may not be created and is not there', async () => {
    const { exitCode, log } = await build({ 'create-repository': 'false' });
    expect(exitCode).toBe(1);
    expect(log).toContain(`There is no ECR repository ${repository} in eu-central-1, and create-repository is false`);
    expect(await asked()).not.toContain('ecr:CreateRepository');
  }, 60_000);

  test('a wrong password', async () => {
    const registry = facts.aws?.ecrHost ?? '';
    const login = { 'registry-username': 'AWS', 'registry-password': 'wrong-password' };
    const { exitCode, log } = await build({ registry, region: '', 'role-to-assume': '', ...login });
    expect(exitCode).toBe(1);
    expect(log).toMatch(new RegExp(`::error::.*${registry} answers 401.*[Ss]ign in at ${registry}`));
    expect(log.replace('::add-mask::wrong-password', '')).not.toContain('wrong-password');
    expect(await asked()).toEqual([]);
  }, 60_000);

  test('a password that has run out', async () => {
    await control.set('registry-password', 0.001);
    const { exitCode, log } = await build();
    expect(exitCode).toBe(1);
    expect(log).toContain('Your authorization token has expired');
  }, 60_000);

  test('ECR that throttles, fails and breaks off is asked again', async () => {
    await control.faults(
      { kind: 'throttle', on: 'ecr:GetAuthorizationToken' },
      { kind: 'server-error', on: 'ecr:DescribeRepositories' },
      { kind: 'reset', on: 'ecr:CreateRepository' },
    );
    expect((await build()).outputs['reused']).toBe('false');
    expect((await control.requests()).filter(({ fault }) => fault !== undefined)).toHaveLength(3);
  }, 60_000);
});
