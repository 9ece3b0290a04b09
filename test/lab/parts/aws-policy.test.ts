import { describe, expect, test } from '@jest/globals';
import { allows, readPolicies, trusts } from './aws-policy.ts';

const role = 'arn:aws:iam::123456789012:role/build';
const shop = 'arn:aws:ecr:eu-central-1:123456789012:repository/shop';

function policy(...statements: readonly object[]) {
  return readPolicies({ Version: '2012-10-17', Statement: statements });
}

describe('a policy of IAM', () => {
  test.each([
    [{ Action: 'ecr:PutImage', Resource: shop }, true],
    [{ Action: ['ecr:Get*', 'ecr:put?mage'], Resource: [shop.replace('shop', '*')] }, true],
    [{ Action: '*', Resource: '*' }, true],
    [{ Action: 'ecr:PutImage', Resource: `${shop}ping` }, false],
    [{ Action: 'ecr:PutImageTag', Resource: '*' }, false],
    [{ Action: 'ecr.PutImage', Resource: '*' }, false],
  ])('%j allows ecr:PutImage on shop: %s', (statement, allowed) => {
    expect(allows(policy({ Effect: 'Allow', ...statement }), role, 'ecr:PutImage', shop)).toBe(allowed);
  });

  test('counts for the role it is given for, and without one everything is allowed', () => {
    const one = readPolicies({ [role]: { Statement: { Effect: 'Allow', Action: 'eks:*', Resource: '*' } } });
    expect(allows(one, role, 'ecr:PutImage', shop)).toBe(false);
    expect(allows(one, `${role}2`, 'ecr:PutImage', shop)).toBe(true);
    expect(allows(readPolicies(null), role, 'ecr:PutImage', shop)).toBe(true);
  });

  test.each([
    { Effect: 'Deny', Action: '*', Resource: '*' },
    { Effect: 'Allow', NotAction: 'eks:*', Resource: '*' },
    { Effect: 'Allow', Action: '*', Resource: '*', Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } },
  ])('%j is refused rather than half understood', (statement) => {
    expect(() => policy(statement)).toThrow('the lab');
  });
});

describe('a trust policy', () => {
  const trust = (Condition: object) =>
    readPolicies({ [role]: { Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRoleWithWebIdentity', Condition }] } });
  const sub = 'token.actions.githubusercontent.com:sub';

  test.each([
    [{ StringEquals: { [sub]: ['repo:a/b:ref:x', 'repo:a/b:environment:p'] } }, true],
    [{ StringLike: { [sub]: 'repo:a/*' } }, true],
    [{ StringEquals: { [sub]: 'repo:a/*' } }, false],
    [{ StringEquals: { [sub]: 'repo:a/b:environment:p', 'token.actions.githubusercontent.com:aud': 'x' } }, false],
  ])('%j takes the token: %s', (condition, taken) => {
    expect(trusts(trust(condition), role, { sub: 'repo:a/b:environment:p', aud: 'sts.amazonaws.com' })).toBe(taken);
  });

  test('of no role trusts nobody', () => {
    expect(trusts(trust({}), `${role}2`, {})).toBe(false);
  });
});
