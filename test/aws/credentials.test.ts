import { describe, expect, test } from '@jest/globals';
import { type AwsHost, awsCredentials } from '../../src/aws/credentials.ts';
import { describeCluster } from '../../src/aws/eks.ts';
import { serving } from './server.ts';

const ROLE = 'arn:aws:iam::123456789012:role/deploy';
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

function machine(env: Record<string, string>) {
  const state = { now: NOW, masked: [] as string[] };
  const host: AwsHost = {
    env,
    info: { repository: 'acme/shop', runId: '7' } as AwsHost['info'],
    clock: { now: () => state.now, sleep: async () => undefined },
    signal: new AbortController().signal,
    mask: (secret) => void state.masked.push(secret),
    idToken: async (audience) => `jwt for ${audience}`,
  };
  return { host, state };
}

function granted(expires: number): { status: number; body: string } {
  const fields = `<AccessKeyId>AKIA1</AccessKeyId><SecretAccessKey>s3cret</SecretAccessKey><SessionToken>sess</SessionToken>`;
  return {
    status: 200,
    body: `<R><Credentials>${fields}<Expiration>${new Date(expires).toISOString()}</Expiration></Credentials></R>`,
  };
}

function refused(status: number, code: string): { status: number; body: string } {
  return {
    status,
    body: `<ErrorResponse><Error><Code>${code}</Code><Message>No &amp; no</Message></Error></ErrorResponse>`,
  };
}

describe('credentials of a role', () => {
  test('come through throttling, a 500 and a reset, are masked and asked for once', async () => {
    const answers = [
      refused(400, 'Throttling'),
      refused(500, 'InternalFailure'),
      'reset',
      granted(NOW + 3_600_000),
    ] as const;
    await serving(answers, async (url, asked) => {
      const { host, state } = machine({ AWS_ENDPOINT_URL: url });
      const source = awsCredentials(host, { roleToAssume: ROLE, region: 'eu-central-1' });
      const [first, second] = await Promise.all([source(), source()]);
      expect(first).toEqual({
        accessKeyId: 'AKIA1',
        secretAccessKey: 's3cret',
        sessionToken: 'sess',
        expiration: NOW + 3_600_000,
      });
      expect(second).toBe(first);
      expect(asked).toHaveLength(4);
      expect(new URLSearchParams(asked[3]?.body).get('WebIdentityToken')).toBe('jwt for sts.amazonaws.com');
      expect(state.masked).toEqual(['jwt for sts.amazonaws.com', 's3cret', 'sess']);
      state.now += 3_300_000;
      await source();
      expect(asked).toHaveLength(5);
    });
  });

  test('that may not be assumed name both forms of the sub', async () => {
    await serving([refused(403, 'AccessDenied')], async (url, asked) => {
      const { host } = machine({ AWS_ENDPOINT_URL_STS: url });
      await expect(awsCredentials(host, { roleToAssume: ROLE, region: 'eu-central-1' })()).rejects.toMatchObject({
        name: 'UserError',
        message: expect.stringContaining('No & no'),
        remedy: expect.stringMatching(/repo:acme\/shop:.*repo:acme@ID\/shop@ID:/),
      });
      expect(asked).toHaveLength(1);
    });
  });

  test('without a role and keys there is a remedy', async () => {
    await expect(awsCredentials(machine({}).host, { region: 'eu-central-1' })()).rejects.toMatchObject({
      remedy: expect.stringContaining('role-to-assume'),
    });
  });
});

describe('a cluster', () => {
  const keys = async () => ({ accessKeyId: 'AKIA1', secretAccessKey: 's3cret' });
  const json = { 'content-type': 'application/json' };
  const ask = (url: string) =>
    describeCluster(keys, { region: 'eu-central-1', cluster: 'shop' }, machine({ AWS_ENDPOINT_URL: url }).host);

  test('is described by endpoint and CA', async () => {
    const ca = Buffer.from('PEM').toString('base64');
    const body = JSON.stringify({ cluster: { endpoint: 'https://k8s', certificateAuthority: { data: ca } } });
    await serving([{ status: 200, body, headers: json }], async (url) => {
      expect(await ask(url)).toEqual({ endpoint: 'https://k8s', ca: 'PEM' });
    });
  });

  test('that is not there names those that are', async () => {
    const missing = { ...json, 'x-amzn-errortype': 'ResourceNotFoundException' };
    const answers = [
      { status: 404, body: '{"message":"No cluster found"}', headers: missing },
      { status: 200, body: '{"clusters":["shop-eu","pay"]}', headers: json },
    ];
    await serving(answers, async (url) => {
      await expect(ask(url)).rejects.toThrow('There are: shop-eu, pay.');
    });
  });

  test('that may not be seen names the IAM action', async () => {
    const denied = { ...json, 'x-amzn-errortype': 'AccessDeniedException' };
    await serving([{ status: 403, body: '{"message":"no"}', headers: denied }], async (url) => {
      await expect(ask(url)).rejects.toMatchObject({ remedy: expect.stringContaining('eks:DescribeCluster') });
    });
  });
});
