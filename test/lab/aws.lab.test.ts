import { request } from 'node:https';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  CreateRepositoryCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
} from '@aws-sdk/client-ecr';
import { DescribeClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { eksToken } from '../../src/aws/eks-token.ts';
import { type Control, controlOf } from './control.ts';
import { openLab } from './lab.ts';
import type { LabFacts } from './part.ts';
import { openIdentity } from './parts/github-identity.ts';
import { assumeRole } from './session.ts';

let facts: LabFacts;
let aws: NonNullable<LabFacts['aws']>;
let control: Control;

beforeAll(async () => {
  facts = await openLab('aws');
  if (!facts.aws) throw new Error('the lab gave no AWS');
  aws = facts.aws;
  control = controlOf(aws.control);
}, 30 * 60_000);
afterEach(async () => {
  await control.faults();
  for (const name of ['policy', 'trust', 'users', 'session', 'token-age']) await control.set(name, null);
});

async function keys() {
  const env = await assumeRole(facts);
  return {
    accessKeyId: env.AWS_ACCESS_KEY_ID,
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
    sessionToken: env.AWS_SESSION_TOKEN,
  };
}

async function clients(maxAttempts = 1) {
  const options = { region: aws.region, endpoint: aws.endpoint, credentials: await keys(), maxAttempts };
  return { ecr: new ECRClient(options), eks: new EKSClient(options) };
}

describe('AWS in the lab', () => {
  test("tells the cluster's own endpoint and CA", async () => {
    const { eks } = await clients();
    const { cluster } = await eks.send(new DescribeClusterCommand({ name: 'lab' }));
    const ca = await readFile(facts.cluster?.caFile ?? '', 'utf8');
    expect(cluster).toMatchObject({ endpoint: facts.cluster?.endpoint, status: 'ACTIVE' });
    expect(Buffer.from(cluster?.certificateAuthority?.data ?? '', 'base64').toString()).toBe(ca);
  });

  test('fails on request in the words of each protocol', async () => {
    const { ecr, eks } = await clients();
    const askEcr = async (): Promise<unknown> => ecr.send(new DescribeRepositoriesCommand({}));
    const askEks = async (): Promise<unknown> => eks.send(new DescribeClusterCommand({ name: 'lab' }));
    for (const [kind, name] of [
      ['throttle', 'ThrottlingException'],
      ['expire', 'ExpiredTokenException'],
      ['server-error', 'ServerException'],
    ] as const) {
      await control.faults({ kind, times: 2 });
      await expect(askEcr()).rejects.toMatchObject({ name });
      await expect(askEks()).rejects.toMatchObject({ name });
    }
    await control.faults({ kind: 'reset' }, { kind: 'slow', ms: 400 });
    await expect(askEcr()).rejects.toThrow(/socket hang up|ECONNRESET/);
    const began = Date.now();
    await askEks();
    expect(Date.now() - began).toBeGreaterThanOrEqual(400);
  });

  test('takes neither keys that it did not give out nor those that have run out', async () => {
    const stranger = { region: aws.region, endpoint: aws.endpoint, maxAttempts: 1 };
    const credentials = { ...(await keys()), sessionToken: 'another' };
    const ask = new DescribeRepositoriesCommand({});
    await expect(new ECRClient({ ...stranger, credentials }).send(ask)).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
    });
    await control.set('session', 0.001);
    await expect((await clients()).ecr.send(ask)).rejects.toMatchObject({ name: 'ExpiredTokenException' });
  });

  test('gives no session for a token that another issuer signed', async () => {
    const form = { Action: 'AssumeRoleWithWebIdentity', RoleArn: aws.roleArn, RoleSessionName: 'x' };
    const body = new URLSearchParams({ ...form, WebIdentityToken: openIdentity().token('sts.amazonaws.com') });
    const answer = await fetch(aws.endpoint, { method: 'POST', body });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('<Code>InvalidIdentityToken</Code>');
  });
});

describe("the cluster's webhook", () => {
  test('knows the role by its token, and nobody by the token for another cluster', async () => {
    const credentials = await keys();
    const token = (cluster: string) => eksToken(credentials, { cluster, region: aws.region, now: Date.now() });
    expect(await whoAmI(token('lab'))).toEqual({
      status: 201,
      username: `arn:aws:sts::${aws.accountId}:assumed-role/deploy/step`,
      groups: ['system:masters', 'system:authenticated'],
    });
    expect(await whoAmI(token('lab2'))).toMatchObject({ status: 401 });
  });

  test('turns away a token that is too old, a session that has run out and a role without an access entry', async () => {
    const ask = { cluster: 'lab', region: aws.region };
    const old = eksToken(await keys(), { ...ask, now: Date.now() - 901_000 });
    expect(await whoAmI(old)).toMatchObject({ status: 401 });
    await control.set('token-age', 2000);
    // The API server keeps the webhook's word for a second.
    await new Promise((resolve) => {
      setTimeout(resolve, 1100);
    });
    expect(await whoAmI(old)).toMatchObject({ status: 201 });
    await control.set('session', 0.001);
    expect(await whoAmI(eksToken(await keys(), { ...ask, now: Date.now() }))).toMatchObject({ status: 401 });
    await control.set('session', null);
    await control.set('users', { 'arn:aws:iam::123456789012:role/other': { groups: ['x'] } });
    expect(await whoAmI(eksToken(await keys(), { ...ask, now: Date.now() }))).toMatchObject({ status: 401 });
  }, 20_000);
});

describe("ECR's registry", () => {
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [],
  });
  const put = async (path: string, authorization: string) => {
    const headers = { authorization, 'content-type': 'application/vnd.oci.image.index.v1+json' };
    const answer = await fetch(`http://${aws.ecrHost}/v2/${path}`, { method: 'PUT', headers, body: manifest });
    return { status: answer.status, body: await answer.text() };
  };

  test('insists on the password, the repository and the tag that stands', async () => {
    const { ecr } = await clients();
    const repositoryName = `lab-${Date.now()}`;
    await ecr.send(new CreateRepositoryCommand({ repositoryName, imageTagMutability: 'IMMUTABLE' }));
    const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
    const basic = `Basic ${authorizationData?.[0]?.authorizationToken}`;
    const tag = `${repositoryName}/manifests/v1`;
    expect((await put(tag, 'Basic QVdTOmd1ZXNz')).status).toBe(401);
    expect((await put(tag, basic)).status).toBe(201);
    expect(await put(tag, basic)).toMatchObject({
      status: 400,
      body: expect.stringContaining('cannot be overwritten'),
    });
    expect(await put('lab-none/manifests/v1', basic)).toMatchObject({
      status: 404,
      body: expect.stringContaining('NAME_UNKNOWN'),
    });
    await control.set('policy', { Statement: { Effect: 'Allow', Action: 'ecr:Get*', Resource: '*' } });
    expect(await put(`${repositoryName}/manifests/v2`, basic)).toMatchObject({
      status: 403,
      body: expect.stringContaining(
        `perform: ecr:PutImage on resource: arn:aws:ecr:eu-central-1:123456789012:repository/${repositoryName}`,
      ),
    });
  });
});

/** Whom the API server takes the token's bearer for. */
async function whoAmI(token: string): Promise<{ status: number; username?: string; groups?: readonly string[] }> {
  const { endpoint = '', caFile = '' } = facts.cluster ?? {};
  const ca = await readFile(caFile);
  const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const url = new URL('/apis/authentication.k8s.io/v1/selfsubjectreviews', endpoint);
    const sent = request(url, { method: 'POST', ca, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => void (text += part));
      answer.once('end', () => {
        const { status } = JSON.parse(text) as { status?: { userInfo?: { username: string; groups: string[] } } };
        const user = typeof status === 'object' ? status.userInfo : undefined;
        resolve({ status: answer.statusCode ?? 0, ...(user && { username: user.username, groups: user.groups }) });
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
