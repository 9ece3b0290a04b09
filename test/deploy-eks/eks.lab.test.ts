import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { assumeRole } from '../lab/session.ts';
import { openCutter } from './cutter.ts';
import { type Eks, openEks } from './eks.ts';

let eks: Eks;
/** Changed for each release that shall bring new pods. */
let graceSeconds = 15;

beforeAll(async () => {
  eks = await openEks();
}, 30 * 60_000);
beforeEach(async () => Promise.all([eks.control.forget(), eks.github.forget()]));
afterEach(async () => eks.restore());
afterAll(async () => eks.close());

const names = async (): Promise<readonly string[]> => (await eks.control.requests()).map(({ name }) => name);

describe('a deploy to EKS by role', () => {
  test('goes from the token of the job to a version that serves, recorded at GitHub', async () => {
    const { exitCode, log, outputs, summary } = await eks.deploy({
      environment: 'production',
      'environment-url': 'https://tracking.example',
      'github-token': 'lab-token',
    });
    expect(log).toContain('created    Deployment/tracking-api');
    expect(exitCode).toBe(0);
    expect(outputs).toMatchObject({ verdict: 'deployed', url: 'https://tracking.example' });
    expect(summary).toContain('### ✅ tracking-api is deployed to production and serving');
    expect(await names()).toEqual(['sts:AssumeRoleWithWebIdentity', 'eks:DescribeCluster']);
    const told = (await eks.github.requests()).filter(({ name }) => name.includes('/statuses'));
    expect(told.at(-1)?.body).toMatchObject({ state: 'success', environment_url: 'https://tracking.example' });
    expect(Object.keys(await eks.admin.contents(eks.namespace)).toSorted()).toEqual([
      'ConfigMap/tracking-api',
      'Deployment/tracking-api',
      'Service/tracking-api',
    ]);
  }, 120_000);

  test('comes through throttling, a server error, a reset and slow answers', async () => {
    await eks.control.faults(
      { kind: 'throttle', on: 'eks:DescribeCluster', times: 2 },
      { kind: 'server-error', on: 'eks:DescribeCluster' },
      { kind: 'reset', on: 'eks:DescribeCluster' },
      { kind: 'throttle', on: 'sts:' },
      { kind: 'slow', on: 'sts:', ms: 300 },
    );
    expect(await eks.deploy({ 'dry-run': 'true' })).toMatchObject({ exitCode: 0, outputs: { verdict: 'checked' } });
    expect((await eks.control.requests()).filter(({ fault }) => fault !== undefined)).toHaveLength(6);
  }, 60_000);

  test('does not wait without end for an answer that does not come', async () => {
    await eks.control.faults({ kind: 'slow', on: 'eks:DescribeCluster', ms: 60_000 });
    const began = Date.now();
    expect((await eks.deploy({ 'dry-run': 'true' })).exitCode).toBe(0);
    expect(Date.now() - began).toBeLessThan(30_000);
  }, 60_000);

  test('renews session and token when both end in the middle of the wait', async () => {
    const { exitCode, log, outputs } = await cutOff();
    expect(log).not.toContain('::error');
    expect(exitCode).toBe(0);
    expect(outputs['verdict']).toBe('deployed');
    expect((await names()).filter((name) => name.startsWith('sts:')).length).toBeGreaterThan(1);
  }, 120_000);

  test('says that credentials of the environment are not renewed when they end in the middle of the wait', async () => {
    await eks.control.set('session', 8);
    const { exitCode, log } = await cutOff(
      { 'role-to-assume': '', 'on-failure': 'leave' },
      await assumeRole(eks.facts),
    );
    expect(exitCode).toBe(1);
    expect(log).toMatch(/::error::[^\n]*the cluster does not accept the credentials[^\n]*set role-to-assume/);
  }, 120_000);

  /** A deploy of half a minute whose tokens live seconds and whose connections break off. */
  async function cutOff(inputs: Readonly<Record<string, string>> = {}, keys: Readonly<Record<string, string>> = {}) {
    await eks.control.set('session', 8);
    // The API server itself takes a token that it has seen for 10 s more.
    await eks.control.set('token-age', 4);
    const cutter = await openCutter(13_000);
    try {
      graceSeconds += 1;
      const workspace = eks.variant((text) =>
        text
          .replace('replicas: 2', 'replicas: 1\n  minReadySeconds: 20')
          .replace('terminationGracePeriodSeconds: 15', `terminationGracePeriodSeconds: ${graceSeconds}`),
      );
      const run = await eks.deploy(inputs, { workspace, env: { ...keys, HTTPS_PROXY: cutter.address } });
      expect(cutter.cut()).toBeGreaterThan(0);
      return run;
    } finally {
      await cutter.close();
    }
  }
});

describe('bad input', () => {
  const denied = 'arn:aws:iam::123456789012:role/other';
  const others = { 'arn:aws:iam::123456789012:role/deploy': { Statement: [] } };

  test.each([
    ['an unknown cluster', { cluster: 'labb' }, {}, /There is no EKS cluster labb in eu-central-1\. There are: lab\./],
    [
      'a wrong region',
      { region: 'us-east-1' },
      {},
      /There is no EKS cluster lab in us-east-1.*\n?.*inputs cluster and region/,
    ],
    [
      'a role that may not be assumed',
      { 'role-to-assume': denied },
      { trust: others },
      /The role arn:aws:iam::123456789012:role\/other cannot be assumed \(AccessDenied\)[^]*sub like repo:acme\/shop:… or, with immutable ids/,
    ],
    [
      'no access entry',
      {},
      { users: {} },
      /does not accept the credentials[^]*aws eks create-access-entry --cluster-name lab --principal-arn arn:aws:iam::123456789012:role\/deploy/,
    ],
    [
      'a role that may not describe the cluster',
      {},
      { policy: { Statement: { Effect: 'Allow', Action: 'eks:ListClusters', Resource: '*' } } },
      /may not describe the cluster lab: User: arn:aws:sts::123456789012:assumed-role\/deploy\/\S+ is not authorized to perform: eks:DescribeCluster on resource: arn:aws:eks:eu-central-1:123456789012:cluster\/lab[^]*Add the IAM action eks:DescribeCluster/,
    ],
  ])(
    '%s is told, and nothing changes',
    async (_name, inputs, settings, told) => {
      for (const [name, value] of Object.entries(settings)) await eks.control.set(name, value);
      const before = await eks.admin.contents(eks.namespace);
      const { exitCode, log } = await eks.deploy({ environment: 'production', 'github-token': 'lab-token', ...inputs });
      expect(log).toMatch(told);
      expect(exitCode).toBe(1);
      expect(log).not.toContain('a fault of this action');
      expect(await eks.admin.contents(eks.namespace)).toEqual(before);
      const asked = (await eks.github.requests()).map(({ name }) => name);
      expect(asked.filter((name) => name.startsWith('POST'))).toEqual([]);
    },
    60_000,
  );

  test('an AWS that keeps failing is told, with what to check', async () => {
    await eks.control.faults({ kind: 'server-error', on: 'eks:DescribeCluster', times: 9 });
    const { exitCode, log } = await eks.deploy();
    expect(exitCode).toBe(1);
    expect(log).toMatch(/::error::EKS in eu-central-1 gave no answer on the cluster lab: .*Check the input region/);
    expect(await names()).toEqual(['sts:AssumeRoleWithWebIdentity', ...Array<string>(5).fill('eks:DescribeCluster')]);
  }, 60_000);

  test('credentials of the environment that have expired are told so', async () => {
    await eks.control.set('session', 1);
    const env = await assumeRole(eks.facts);
    await new Promise((resolve) => {
      setTimeout(resolve, 1100);
    });
    const { exitCode, log } = await eks.deploy({ 'role-to-assume': '' }, { env });
    expect(exitCode).toBe(1);
    expect(log).toMatch(/AWS does not accept the credentials \(ExpiredTokenException\): The security token included/);
    expect(log).toContain('Set role-to-assume, or give keys that are valid now.');
    expect(await names()).not.toContain('eks:ListClusters');
  }, 60_000);

  test('credentials of the environment that are valid are used as they are', async () => {
    const { exitCode } = await eks.deploy(
      { 'role-to-assume': '', 'dry-run': 'true' },
      { env: await assumeRole(eks.facts) },
    );
    expect(exitCode).toBe(0);
  }, 60_000);
});
