import { describe, expect, test } from '@jest/globals';
import { eksToken, tokenSource } from '../../src/aws/eks-token.ts';
import { signingKey } from '../../src/aws/signature.ts';
import { awsSigner } from './signer.ts';

const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

function opened(token: string): URL {
  return new URL(Buffer.from(token.replace('k8s-aws-v1.', ''), 'base64url').toString());
}

describe('a token for EKS', () => {
  test('derives the signing key of the example AWS publishes', () => {
    expect(signingKey(KEYS.secretAccessKey, '20120215', 'us-east-1', 'iam').toString('hex')).toBe(
      'f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d',
    );
  });

  test('is signed as the signer of the AWS SDK signs it', async () => {
    const credentials = { ...KEYS, sessionToken: 'a+b/c=' };
    const signer = awsSigner(credentials, 'eu-central-1', 'sts');
    const signed = await signer.presign(
      {
        method: 'GET',
        protocol: 'https:',
        hostname: 'sts.eu-central-1.amazonaws.com',
        path: '/',
        query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
        headers: { host: 'sts.eu-central-1.amazonaws.com', 'x-k8s-aws-id': 'shop' },
      },
      { expiresIn: 60, signingDate: new Date(NOW), unhoistableHeaders: new Set(['x-k8s-aws-id']) },
    );
    const ours = opened(eksToken(credentials, { cluster: 'shop', region: 'eu-central-1', now: NOW }));
    expect(Object.fromEntries(ours.searchParams)).toEqual(signed.query);
  });

  test.each([
    ['us-gov-west-1', 'sts.us-gov-west-1.amazonaws.com'],
    ['cn-north-1', 'sts.cn-north-1.amazonaws.com.cn'],
    ['eusc-de-east-1', 'sts.eusc-de-east-1.amazonaws.eu'],
  ])('in %s names the STS of its partition', (region, host) => {
    expect(opened(eksToken(KEYS, { cluster: 'shop', region, now: NOW })).host).toBe(host);
  });

  test('is held for 14 minutes or until the cluster turns it away, and each is masked', async () => {
    let now = NOW;
    const masked: string[] = [];
    const host = { clock: { now: () => now }, mask: (secret: string) => void masked.push(secret) };
    const token = tokenSource(async () => KEYS, { cluster: 'shop', region: 'eu-central-1' }, host);
    const first = await token();
    now += 14 * 60_000 - 1;
    expect(await token()).toBe(first);
    now += 1;
    const second = await token();
    expect(second).not.toBe(first);
    expect(masked).toEqual([first, second]);
    now += 1000;
    const third = await token({ fresh: true });
    expect(third).not.toBe(second);
    expect(await token({ fresh: false })).toBe(third);
  });
});
