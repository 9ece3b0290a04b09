import { describe, expect, test } from '@jest/globals';
import { openEcr } from '../../src/aws/ecr.ts';
import { type Answer, serving } from './server.ts';

const REPOSITORY = { repositoryUri: 'r.example/shop/api', imageTagMutability: 'IMMUTABLE' };

// A server that speaks ECR's JSON protocol in AWS's place: what moto cannot answer, such as refusals.
describe('ECR', () => {
  test('a password is taken apart and masked before it is handed on', async () => {
    const token = Buffer.from('AWS:pass:word').toString('base64');
    const answer = { authorizationData: [{ authorizationToken: token, proxyEndpoint: 'https://1.dkr.example:5000' }] };
    await serving([ok(answer)], async (url) => {
      const { ecr, masked } = await open(url);
      expect(await ecr.login()).toEqual({ registry: '1.dkr.example:5000', username: 'AWS', password: 'pass:word' });
      expect(masked).toEqual([token, 'pass:word']);
    });
  });

  test('a scan is waited for and counted; without the permission it is left out', async () => {
    const running = ok({ imageScanStatus: { status: 'IN_PROGRESS' } });
    const counts = { CRITICAL: 1, HIGH: 2 };
    const done = ok({ imageScanStatus: { status: 'COMPLETE' }, imageScanFindings: { findingSeverityCounts: counts } });
    await serving([fault('ScanNotFoundException'), running, done], async (url, asked) => {
      const { ecr } = await open(url);
      expect(await ecr.scan('shop/api', 'sha256:1', 60_000)).toEqual(counts);
      expect(asked).toHaveLength(3);
    });
    await serving([running], async (url, asked) => {
      const { ecr } = await open(url);
      expect(await ecr.scan('shop/api', 'sha256:1', 0)).toBeUndefined();
      expect(asked).toHaveLength(1);
    });
    await serving([fault('AccessDeniedException')], async (url) => {
      const { ecr } = await open(url);
      expect(await ecr.scan('shop/api', 'sha256:1', 0)).toBeUndefined();
    });
  });

  test('is asked through the proxy that the environment names', async () => {
    await serving([ok({ repositories: [REPOSITORY] })], async (proxy, asked) => {
      const { ecr } = await open('http://ecr.example', { http_proxy: proxy });
      expect((await ecr.repository('shop/api', true)).uri).toBe('r.example/shop/api');
      expect(asked[0]?.url).toBe('http://ecr.example/');
    });
  });

  test('a repository that is there is left as it is', async () => {
    const answer = { repositories: [{ ...REPOSITORY, imageTagMutability: 'MUTABLE' }] };
    await serving([ok(answer)], async (url, asked) => {
      const { ecr } = await open(url);
      expect(await ecr.repository('shop/api', true)).toEqual({
        uri: 'r.example/shop/api',
        mutable: true,
        created: false,
      });
      expect(asked).toHaveLength(1);
      expect(JSON.parse(asked[0]?.body ?? '')).toEqual({ registryId: '210987654321', repositoryNames: ['shop/api'] });
    });
  });

  test('a missing one is made with immutable tags, a scan on push and a lifecycle policy', async () => {
    await serving([missing, ok({ repository: REPOSITORY }), ok({})], async (url, asked) => {
      const { ecr } = await open(url);
      const made = await ecr.repository('shop/api', true);
      expect(made).toEqual({ uri: 'r.example/shop/api', mutable: false, created: true });
      const [, create, policy] = asked.map(({ body }): unknown => JSON.parse(body));
      expect(create).toMatchObject({
        imageTagMutability: 'IMMUTABLE',
        imageScanningConfiguration: { scanOnPush: true },
      });
      expect(policy).toMatchObject({ lifecyclePolicyText: expect.stringContaining('"tagStatus":"untagged"') });
    });
  });

  test('another job that creates it at the same moment is no fault', async () => {
    const answers = [missing, fault('RepositoryAlreadyExistsException'), ok({ repositories: [REPOSITORY] }), ok({})];
    await serving(answers, async (url) => {
      const { ecr } = await open(url);
      expect((await ecr.repository('shop/api', true)).uri).toBe('r.example/shop/api');
    });
  });

  test('a lifecycle policy that may not be set is a warning: the images can be pushed', async () => {
    const answers = [missing, ok({ repository: REPOSITORY }), fault('AccessDeniedException')];
    await serving(answers, async (url) => {
      const { ecr, warnings } = await open(url);
      expect((await ecr.repository('shop/api', true)).created).toBe(true);
      expect(warnings).toEqual([expect.stringContaining('ecr:PutLifecyclePolicy')]);
    });
  });

  test.each([
    ['AccessDeniedException', 'Add the IAM action ecr:DescribeRepositories'],
    ['ExpiredTokenException', 'Set role-to-assume, or give keys that are valid now.'],
    ['InvalidParameterException', 'Check the input region'],
  ])('%s says what to do', async (name, remedy) => {
    await serving([fault(name)], async (url) => {
      const { ecr } = await open(url);
      await expect(ecr.repository('shop/api', true)).rejects.toMatchObject({
        remedy: expect.stringContaining(remedy),
      });
    });
  });

  test('a missing repository is an error where none may be created', async () => {
    await serving([missing], async (url) => {
      const { ecr } = await open(url);
      await expect(ecr.repository('shop/api', false)).rejects.toThrow('no ECR repository shop/api in eu-central-1');
    });
  });
});

function ok(value: unknown): Answer {
  return { status: 200, body: JSON.stringify(value) };
}

function fault(name: string): Answer {
  return { status: 400, body: JSON.stringify({ __type: name, message: 'no' }) };
}

const missing = fault('RepositoryNotFoundException');

async function open(url: string, env: Readonly<Record<string, string>> = {}) {
  const masked: string[] = [];
  const warnings: string[] = [];
  const host = {
    env: { AWS_ENDPOINT_URL: url, ...env },
    signal: new AbortController().signal,
    clock: { now: () => 0, sleep: async () => undefined },
    mask: (secret: string) => void masked.push(secret),
    log: {
      info: () => {},
      debug: () => {},
      error: () => {},
      warning: (message: string) => void warnings.push(message),
      group: async <T>(_: string, body: () => Promise<T>) => body(),
    },
  };
  const keys = async () => ({ accessKeyId: 'AKIA1', secretAccessKey: 's3cret' });
  const ecr = await openEcr(keys, { region: 'eu-central-1', account: '210987654321' }, host);
  return { ecr, masked, warnings };
}
