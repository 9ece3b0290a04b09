// Where the database is, from each place that may say so. Secrets Manager is stood in for by a server that checks each
// signature with the AWS SDK's own signer; the cluster by an object that has one Secret.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { UserError } from '../../src/action/errors.ts';
import { systemClock } from '../../src/action/main.ts';
import type { Kube } from '../../src/kube/kube.ts';
import { type Target, type TargetInputs, openTarget } from '../../src/migrate-db/target.ts';
import type { Connection } from '../../src/postgres/database.ts';
import { awsSigner } from '../aws/signer.ts';
import { testHost } from '../apply/scene.ts';

const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const ARN = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/db-AbCdEf';
const NONE: TargetInputs = {
  databaseUrl: '',
  secretArn: '',
  iamAuth: false,
  kubernetesSecret: '',
  caFile: '',
  region: '',
  roleToAssume: '',
};

let secrets: Record<string, string> = {};
let masked: string[] = [];
let cluster: Record<string, Record<string, string>> = {};

const server = createServer((request, response) => {
  void (async () => {
    const body = await text(request);
    const { host = '', authorization = '' } = request.headers;
    const time = String(request.headers['x-amz-date']);
    const named = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(';') ?? [];
    const headers = Object.fromEntries(named.map((name) => [name, String(request.headers[name])]));
    const signed = await awsSigner(KEYS, 'eu-central-1', 'secretsmanager').sign(
      { method: 'POST', protocol: 'http:', hostname: host, path: '/', headers, body },
      { signingDate: new Date(time.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z')) },
    );
    const answer = (status: number, value: object): void =>
      void response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(value));
    if (signed.headers['authorization'] !== authorization) {
      return answer(400, { __type: 'InvalidSignatureException', message: 'the signature does not match' });
    }
    const { SecretId } = JSON.parse(body) as { readonly SecretId: string };
    const value = secrets[SecretId];
    if (request.headers['x-amz-target'] !== 'secretsmanager.GetSecretValue')
      return answer(400, { __type: 'UnknownOperationException' });
    if (value === 'denied') {
      const message = `User: arn:aws:sts::1:x is not authorized to perform: secretsmanager:GetSecretValue on resource: ${SecretId}`;
      return answer(400, { __type: 'AccessDeniedException', Message: message });
    }
    if (value === undefined)
      return answer(400, {
        __type: 'com.amazonaws#ResourceNotFoundException',
        message: "Secrets Manager can't find the specified secret.",
      });
    answer(200, { ARN: SecretId, SecretString: value });
  })();
});
let endpoint = '';
let workspace = '';

beforeAll(async () => {
  workspace = await mkdtemp(path.join(tmpdir(), 'target-'));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await rm(workspace, { recursive: true });
});
beforeEach(() => {
  [secrets, masked, cluster] = [{}, [], {}];
});

async function target(inputs: Partial<TargetInputs>, env: Record<string, string> = {}): Promise<Target> {
  const { host } = testHost();
  const all = {
    ...host,
    info: { ...host.info, workspace },
    env: {
      AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint,
      ...env,
    },
    mask: (secret: string) => void masked.push(secret),
    idToken: async () => '',
    clock: systemClock,
  };
  const kube = {
    async get({ namespace, name }: { readonly namespace?: string; readonly name: string }) {
      const data = cluster[`${namespace}/${name}`];
      if (data === undefined) return undefined;
      const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
      return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: Object.fromEntries(encoded) };
    },
  } as Kube;
  return openTarget({ ...NONE, ...inputs }, all, async () => kube);
}

async function connectionOf(inputs: Partial<TargetInputs>): Promise<Connection> {
  return (await target(inputs)).connection();
}

async function refusal(inputs: Partial<TargetInputs>): Promise<string> {
  const error = await target(inputs).catch((error: unknown) => error);
  if (!(error instanceof UserError)) throw new Error(`no UserError: ${String(error)}`);
  return error.problems.map(({ message, remedy }) => `${message} → ${remedy}`).join('\n');
}

describe('a secret of Secrets Manager', () => {
  test("in RDS's form", async () => {
    secrets[ARN] = JSON.stringify({
      engine: 'postgres',
      username: 'shop',
      password: 'p@ss word',
      host: 'db.example',
      port: 6432,
      dbname: 'tracking',
    });
    expect(await connectionOf({ secretArn: ARN })).toEqual({
      host: 'db.example',
      port: 6432,
      user: 'shop',
      password: 'p@ss word',
      database: 'tracking',
      tls: 'verify',
    });
    expect(masked).toEqual(expect.arrayContaining(['p@ss word', 'p%40ss%20word']));
  });

  test('that RDS itself keeps says no host: database-url does', async () => {
    secrets[ARN] = JSON.stringify({ username: 'master', password: 'secret-1' });
    const databaseUrl = 'postgres://shop@db.example/tracking';
    expect(await connectionOf({ secretArn: ARN, databaseUrl })).toMatchObject({
      user: 'shop',
      password: 'secret-1',
      host: 'db.example',
    });
    expect(await refusal({ secretArn: ARN })).toMatch(
      /does not say: host, database → Set database-url too.*postgres:\/\/master@endpoint/,
    );
  });

  test('that holds a URL', async () => {
    secrets[ARN] = 'postgresql://shop:hunter22@db.example/tracking';
    expect(await connectionOf({ secretArn: ARN })).toMatchObject({ password: 'hunter22', tls: 'verify' });
    expect(masked).toContain('hunter22');
  });

  test.each([
    ['not there', undefined, /cannot be read \(ResourceNotFoundException\).*→ Check the ARN/],
    ['not allowed', 'denied', /AccessDeniedException.*→ The role needs secretsmanager:GetSecretValue.*kms:Decrypt/],
    ['neither JSON nor a URL', 'hunter22', /neither a URL.*→ Store/],
    ['for MySQL', '{"engine":"mysql","username":"a","password":"hunter22"}', /for mysql, and not for PostgreSQL/],
    ['without a password', '{"username":"a","host":"h","dbname":"d"}', /does not say: password/],
  ])('%s', async (_, value, words) => {
    if (value !== undefined) secrets[ARN] = value;
    const told = await refusal({ secretArn: ARN });
    expect(told).toMatch(words);
    expect(told).not.toContain('hunter22');
  });

  test('asked for with keys that are wrong', async () => {
    await expect(target({ secretArn: ARN }, { AWS_SECRET_ACCESS_KEY: 'wrong-key' })).rejects.toThrow(
      /AWS does not accept the credentials \(InvalidSignatureException\)/,
    );
  });
});

describe('a Secret of the cluster', () => {
  const key = { kubernetesSecret: 'shop/db' };
  test.each([
    [
      'with its parts',
      { username: 'shop', password: 'pw-12345', host: 'db.shop.svc', port: '5433', dbname: 'tracking' },
      { host: 'db.shop.svc', port: 5433 },
    ],
    [
      'with a URI besides',
      { uri: 'postgresql://shop:pw-12345@db.shop.svc/tracking', username: 'x', password: 'pw-12345' },
      { user: 'shop' },
    ],
  ])('%s', async (_, data, expected) => {
    cluster['shop/db'] = data;
    expect(await connectionOf(key)).toMatchObject({
      password: 'pw-12345',
      database: 'tracking',
      tls: 'verify',
      ...expected,
    });
    expect(masked).toContain('pw-12345');
  });

  test('by its key', async () => {
    cluster['shop/db'] = { dsn: 'postgres://shop:pw-12345@db/tracking', other: 'x' };
    expect(await connectionOf({ kubernetesSecret: 'shop/db/dsn' })).toMatchObject({ user: 'shop' });
    expect(await refusal({ kubernetesSecret: 'shop/db/url' })).toMatch(/has no key url → Its keys: dsn, other/);
    expect(await refusal({ kubernetesSecret: 'shop/none' })).toMatch(/no Secret none in the namespace shop/);
  });
});

describe('a token of IAM', () => {
  test('is made anew for each session, and masked', async () => {
    const databaseUrl = 'postgres://shop@db.example/tracking';
    const opened = await target({ iamAuth: true, databaseUrl, region: 'eu-central-1' });
    const first = await opened.connection();
    expect(first.password).toMatch(/^db\.example:5432\/\?Action=connect&DBUser=shop&.*X-Amz-Expires=900/);
    expect(masked).toContain(first.password);
    await systemClock.sleep(1100);
    expect((await opened.connection()).password).not.toBe(first.password);
    expect(opened.name).toBe('tracking on db.example:5432');
  });

  test('needs to know the region', async () => {
    expect(await refusal({ iamAuth: true, databaseUrl: 'postgres://shop@db.example/x' })).toMatch(
      /does not tell its region/,
    );
  });
});

describe('inputs', () => {
  test.each<[string, Partial<TargetInputs>, RegExp]>([
    ['none', {}, /Nothing says which database is meant → Set one of database-url, secret-arn, kubernetes-secret/],
    ['two', { secretArn: ARN, kubernetesSecret: 'a/b' }, /secret-arn and kubernetes-secret each give a password/],
    ['iam-auth alone', { iamAuth: true }, /nothing says for which user/],
    [
      'a password twice',
      { secretArn: ARN, databaseUrl: 'postgres://a:hunter22@db/x' },
      /database-url has a password, and secret-arn gives another/,
    ],
    ['an ARN of something else', { secretArn: 'arn:aws:s3:::bucket' }, /is not the ARN of a secret/],
    ['a Secret without a namespace', { kubernetesSecret: 'db' }, /namespace\/name/],
    ['a ca outside', { databaseUrl: 'postgres://a:b@db/x', caFile: '../ca.pem' }, /leads out of the repository/],
    ['a ca that is none', { databaseUrl: 'postgres://a:b@db/x', caFile: 'ca.pem' }, /holds no certificate/],
    ['a ca that is missing', { databaseUrl: 'postgres://a:b@db/x', caFile: 'no.pem' }, /cannot be read/],
  ])('%s', async (_, inputs, words) => {
    await writeFile(path.join(workspace, 'ca.pem'), 'nothing');
    const told = await refusal(inputs);
    expect(told).toMatch(words);
    expect(told).not.toContain('hunter22');
  });

  test('all that is wrong is told at once', async () => {
    expect((await refusal({ iamAuth: true, kubernetesSecret: 'x', caFile: '/etc/ca' })).split('\n')).toHaveLength(4);
  });

  test('the file of ca is what is trusted besides the system', async () => {
    const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----';
    await writeFile(path.join(workspace, 'own.pem'), pem);
    expect(await connectionOf({ databaseUrl: 'postgres://a:bbbb@db/x', caFile: 'own.pem' })).toMatchObject({
      ca: pem,
      tls: 'verify',
    });
    expect(masked).toContain('bbbb');
  });
});
