import { describe, expect, test } from '@jest/globals';
import { assumeRole, describeCluster } from './aws-answers.ts';
import type { Session } from './aws-token.ts';

const now = Date.parse('2026-01-02T03:04:05Z');
const role = 'arn:aws:iam::123456789012:role/deployer';

function jwt(claims: object, alg = 'RS256'): string {
  const parts = [{ alg }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  return [...parts, 'signature'].join('.');
}

function assume(token: string, roleArn = role) {
  const sessions = new Map<string, Session>();
  const form = new URLSearchParams({ RoleArn: roleArn, WebIdentityToken: token });
  return { answer: assumeRole(form, sessions, now), sessions };
}

describe('assumeRole', () => {
  const claims = { aud: 'sts.amazonaws.com', exp: now / 1000 + 60 };

  test('remembers the session it gives out', () => {
    const { answer, sessions } = assume(jwt(claims));
    const [[keyId, session] = []] = sessions;
    expect(answer.status).toBe(200);
    expect(answer.body).toContain(`<AccessKeyId>${keyId}<`);
    expect(answer.body).toContain(`<SecretAccessKey>${session?.secret}<`);
    expect(session?.roleArn).toBe(role);
  });

  test.each([
    ['an expired token', jwt({ ...claims, exp: now / 1000 - 1 }), role, 'ExpiredTokenException'],
    ['another audience', jwt({ ...claims, aud: 'x' }), role, 'InvalidIdentityToken'],
    ['an unsigned token', jwt(claims, 'none'), role, 'InvalidIdentityToken'],
    ['no token', 'x', role, 'InvalidIdentityToken'],
    ['a forbidden role', jwt(claims), 'arn:aws:iam::123456789012:role/forbidden', 'AccessDenied'],
  ])('turns away %s', (_name, token, roleArn, code) => {
    const { answer, sessions } = assume(token, roleArn);
    expect(answer.body).toContain(`<Code>${code}</Code>`);
    expect(sessions.size).toBe(0);
  });
});

describe('describeCluster', () => {
  const place = {
    name: 'lab',
    endpoint: 'https://127.0.0.1:1',
    ca: 'PEM',
    region: 'eu-central-1',
    accountId: '123456789012',
  };

  test('tells the endpoint and the CA', () => {
    expect(JSON.parse(describeCluster('lab', place).body)).toMatchObject({
      cluster: { endpoint: place.endpoint, status: 'ACTIVE', certificateAuthority: { data: 'UEVN' } },
    });
  });

  test('knows no other cluster', () => {
    const answer = describeCluster('other', place);
    expect(answer.status).toBe(404);
    expect(answer.body).toContain('ResourceNotFoundException');
  });
});
