// What connecting to RDS needs: tokens of IAM, and the certificates that sign those of its servers.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/action/main.ts';
import { rdsRegion, rdsRoots } from '../../src/aws/rds-roots.ts';
import { rdsToken } from '../../src/aws/rds-token.ts';
import { authority } from '../postgres/certificates.ts';
import { serving } from './server.ts';
import { awsSigner } from './signer.ts';

const KEYS = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: 'a+b/c=',
};
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

test('a token is the presigned URL of connect, as the signer of the AWS SDK makes it', async () => {
  const host = 'shop.cluster-abc.eu-central-1.rds.amazonaws.com';
  const token = rdsToken(KEYS, { host, port: 5432, user: 'deploy+er', region: 'eu-central-1', now: NOW });
  expect(token).toMatch(
    /^shop\.cluster-abc\.eu-central-1\.rds\.amazonaws\.com:5432\/\?Action=connect&DBUser=deploy%2Ber&X-Amz-/,
  );
  const signed = await awsSigner(KEYS, 'eu-central-1', 'rds-db').presign(
    {
      method: 'GET',
      protocol: 'https:',
      hostname: host,
      port: 5432,
      path: '/',
      query: { Action: 'connect', DBUser: 'deploy+er' },
      headers: { host: `${host}:5432` },
    },
    { expiresIn: 900, signingDate: new Date(NOW) },
  );
  expect(Object.fromEntries(new URL(`https://${token}`).searchParams)).toEqual(signed.query);
});

test.each([
  ['shop.abc.eu-central-1.rds.amazonaws.com', 'eu-central-1'],
  ['shop.cluster-ro-abc.us-gov-west-1.rds.amazonaws.com', 'us-gov-west-1'],
  ['shop.abc.rds.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
  ['shop.abc.eu-central-1.rds.amazonaws.com.evil.example', undefined],
  ['db.example', undefined],
])('the region of %s', (host, region) => {
  expect(rdsRegion(host)).toBe(region);
});

describe('the certificates of RDS', () => {
  const folder = mkdtemp(path.join(tmpdir(), 'rds-'));
  afterAll(async () => rm(await folder, { recursive: true }));
  const from = async (body: string, status = 200): Promise<string> =>
    serving(
      (asked) => (asked === '/eu-central-1/eu-central-1-bundle.pem' ? { status, body } : undefined),
      async (url) =>
        rdsRoots('eu-central-1', {
          env: { RDS_TRUSTSTORE_URL: url },
          clock: systemClock,
          signal: new AbortController().signal,
        }),
    );

  test('are taken where all of them are', async () => {
    const rds = await authority(
      await folder,
      'rds',
      '/O=Amazon Web Services, Inc./CN=Amazon RDS eu-central-1 Root CA RSA2048 G1',
    );
    expect(await from(`# RDS\n${rds.certificate}\n${rds.certificate}`)).toBe(
      `${rds.certificate}${rds.certificate}`.trim(),
    );
  });

  test('are not where one is of somebody else, or there is none, or no answer', async () => {
    const rds = await authority(await folder, 'rds2', '/O=Amazon Web Services, Inc./CN=Amazon RDS Root');
    const other = await authority(await folder, 'other');
    const leaf = await rds.issue('DNS:x');
    const words = /holds other things than certificates of RDS/;
    await expect(from(rds.certificate + other.certificate)).rejects.toThrow(words);
    await expect(from(rds.certificate + leaf.certificate)).rejects.toThrow(words);
    await expect(from('<html>a proxy</html>')).rejects.toThrow(words);
    await expect(from('', 403)).rejects.toMatchObject({
      message: expect.stringContaining('answered 403'),
      remedy: expect.stringMatching(/name it in the input ca-file/),
    });
  });

  test('are fetched from nowhere without TLS', async () => {
    const env = { RDS_TRUSTSTORE_URL: 'http://mirror.example' };
    await expect(
      rdsRoots('eu-central-1', { env, clock: systemClock, signal: new AbortController().signal }),
    ).rejects.toThrow(/no address over TLS/);
  });
});
