import { describe, expect, test } from '@jest/globals';
import { UserError } from '../../src/action/errors.ts';
import { parseReference, showReference } from '../../src/container/reference.ts';

const sha = `sha256:${'0123456789abcdef'.repeat(4)}`;

// Cases in the manner of distribution/reference's own tests.
describe('parseReference', () => {
  test.each([
    ['node', 'docker.io/library/node'],
    ['node:24', 'docker.io/library/node:24'],
    ['team/api', 'docker.io/team/api'],
    ['index.docker.io/node', 'docker.io/library/node'],
    ['docker.io/node', 'docker.io/library/node'],
    ['localhost/api', 'localhost/api'],
    ['localhost:5000/api', 'localhost:5000/api'],
    ['127.0.0.1:5000/team/api:1', '127.0.0.1:5000/team/api:1'],
    ['[2001:db8::1]:5000/api', '[2001:db8::1]:5000/api'],
    ['[2001:db8::1]/api', '[2001:db8::1]/api'],
    ['Team/api', 'Team/api'],
    ['ghcr.io/team/my__api-x---y.z', 'ghcr.io/team/my__api-x---y.z'],
    [`node:24@${sha}`, `docker.io/library/node:24@${sha}`],
    [
      `123456789012.dkr.ecr.eu-central-1.amazonaws.com/api@${sha}`,
      `123456789012.dkr.ecr.eu-central-1.amazonaws.com/api@${sha}`,
    ],
  ])('%s is %s', (text, whole) => {
    expect(showReference(parseReference(text))).toBe(whole);
    expect(parseReference(whole)).toEqual(parseReference(text));
  });

  test('gives each part', () => {
    expect(parseReference(`ghcr.io/team/api:1.2@${sha}`)).toEqual({
      registry: 'ghcr.io',
      repository: 'team/api',
      tag: '1.2',
      digest: sha,
    });
  });

  test.each([
    '',
    ' node',
    'node:',
    'node:-1',
    `node:${'x'.repeat(129)}`,
    'team/API',
    'team//api',
    '/api',
    'api/',
    'api_',
    'a.-b',
    'a___b',
    'https://ghcr.io/team/api',
    'node@sha256:abc',
    `node@${sha.toUpperCase()}`,
    `node@${sha}@${sha}`,
    'node;rm -rf /',
    'node\nnode',
    '-x.io/api',
    'a'.repeat(64),
    `ghcr.io/${'a/'.repeat(130)}a`,
    '${{ secrets.X }}',
  ])('refuses %j', (text) => {
    expect(() => parseReference(text)).toThrow(UserError);
  });
});
