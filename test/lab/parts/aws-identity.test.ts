import { describe, expect, test } from '@jest/globals';
import { judgeIdentity } from './aws-identity.ts';
import { openIdentity } from './github-identity.ts';

const github = openIdentity();
const audience = 'sts.amazonaws.com';

describe('an OIDC token', () => {
  test('of the issuer is believed', () => {
    const verdict = judgeIdentity(github.token(audience), github.keys, Date.now());
    expect(verdict).toMatchObject({ claims: { sub: 'repo:acme/shop:environment:production' } });
  });

  test.each([
    ['of another audience', github.token('x'), 0, 'InvalidIdentityToken'],
    ['that is too old', github.token(audience), 301_000, 'ExpiredTokenException'],
    ['of another issuer', openIdentity().token(audience), 0, 'InvalidIdentityToken'],
    ['whose claims were changed', changed(github.token(audience)), 0, 'InvalidIdentityToken'],
    ['of no form', 'x', 0, 'InvalidIdentityToken'],
  ])('%s is turned away', (_name, token, later, code) => {
    expect(judgeIdentity(token, github.keys, Date.now() + later)).toMatchObject({ code });
  });
});

function changed(token: string): string {
  const [head, body = '', signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as object;
  const other = Buffer.from(JSON.stringify({ ...claims, sub: 'repo:acme/other' })).toString('base64url');
  return [head, other, signature].join('.');
}
