import { describe, expect, test } from '@jest/globals';
import { presignature, reviewToken } from './aws-token.ts';
import type { TokenRules } from './aws-token.ts';

const roleArn = 'arn:aws:iam::123456789012:role/deployer';
const now = Date.parse('2026-01-02T03:04:05Z');
const session = { secret: 'hidden', sessionToken: 'st/1+2=', roleArn, arn: '', expires: now + 3_600_000 };
const rules: TokenRules = {
  clusterName: 'lab',
  maxAgeSeconds: 900,
  sessions: new Map([['ASIALAB', session]]),
};

function token(
  changes: Record<string, string> = {},
  { cluster = 'lab', secret = 'hidden', host = 'sts.eu-central-1.amazonaws.com' } = {},
): string {
  const url = new URL(`https://${host}/`);
  const query = {
    Action: 'GetCallerIdentity',
    Version: '2011-06-15',
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': 'ASIALAB/20260102/eu-central-1/sts/aws4_request',
    'X-Amz-Date': '20260102T030405Z',
    'X-Amz-Expires': '60',
    'X-Amz-Security-Token': 'st/1+2=',
    'X-Amz-SignedHeaders': 'host;x-k8s-aws-id',
    ...changes,
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const signature = presignature(url, { host: url.host, 'x-k8s-aws-id': cluster }, secret);
  url.searchParams.set('X-Amz-Signature', signature ?? '');
  return `k8s-aws-v1.${Buffer.from(url.href).toString('base64url')}`;
}

describe('reviewToken', () => {
  test('knows the session of a token signed for this cluster', () => {
    expect(reviewToken(token(), rules, now)).toEqual({ keyId: 'ASIALAB' });
  });

  test.each([
    ['of another cluster', token({}, { cluster: 'other' }), 'wrong signature or cluster'],
    ['with a wrong signature', token({}, { secret: 'guess' }), 'wrong signature or cluster'],
    ['without the signed name', token({ 'X-Amz-SignedHeaders': 'host' }), 'x-k8s-aws-id is not signed'],
    ['of another action', token({ Action: 'GetSessionToken' }), 'not GetCallerIdentity'],
    ['valid too long', token({ 'X-Amz-Expires': '61' }), 'X-Amz-Expires is not within 60 s'],
    ['of another session', token({ 'X-Amz-Security-Token': 'x' }), 'wrong session token'],
    ['for a server that is not STS', token({}, { host: 'sts.example' }), 'sts.example is not STS'],
    ['of no form', 'nonsense', 'not an EKS token'],
  ])('refuses a token %s', (_name, given, refused) => {
    expect(reviewToken(given, rules, now)).toEqual({ refused });
  });

  test('refuses a token older than allowed', () => {
    expect(reviewToken(token(), rules, now + 900_000)).toEqual({ keyId: 'ASIALAB' });
    expect(reviewToken(token(), rules, now + 901_000)).toEqual({ refused: 'token has expired' });
  });
});
