import { type JsonWebKey, createPublicKey, verify } from 'node:crypto';
import { afterEach, expect, test } from '@jest/globals';
import { deploymentTracker } from '../../src/github/deployments.ts';
import { controlOf } from './control.ts';
import { openLab } from './lab.ts';

const { github } = await openLab('github');
if (!github) throw new Error('the lab gave no GitHub');
const control = controlOf(github.control);

afterEach(async () => {
  await control.faults();
  await control.set('claims', {});
});

test('a deployment is told through a secondary limit, a reset and a server that fails', async () => {
  await control.forget();
  await control.faults(
    { kind: 'secondary-limit', on: 'POST /repos/acme/shop/deployments' },
    { kind: 'reset', on: 'POST /repos/acme/shop/deployments' },
    { kind: 'server-error', on: '/statuses' },
  );
  const warnings: string[] = [];
  const tracker = deploymentTracker(
    {
      info: { repository: 'acme/shop', sha: 'c0ffee', apiUrl: github.apiUrl, runUrl: 'https://github.example/run/7' },
      log: { warning: (message: string) => void warnings.push(message) },
      clock: { now: () => 0, sleep: async () => undefined },
      signal: new AbortController().signal,
      mask: () => undefined,
    } as unknown as Parameters<typeof deploymentTracker>[0],
    { token: github.token, environment: 'production' },
  );
  await tracker.start();
  await tracker.report('success');
  expect(warnings).toEqual([]);
  const asked = await control.requests();
  expect(asked.map(({ status }) => status)).toEqual([403, 0, 201, 502, 201, 201]);
  expect(asked.at(-1)?.body).toMatchObject({ state: 'success' });
});

test('an OIDC token carries the claims that were set, under a key that is published', async () => {
  await control.set('claims', { sub: 'repo:acme@1234/shop@5678:environment:production', lifetime: 60 });
  const headers = { authorization: `Bearer ${github.idTokenRequestToken}` };
  const answer = await fetch(`${github.idTokenUrl}&audience=sts.amazonaws.com`, { headers });
  const { value } = (await answer.json()) as { value: string };
  const [head = '', body = '', signature = ''] = value.split('.');
  const { keys } = (await (await fetch(`${github.apiUrl}/.well-known/jwks`)).json()) as { keys: [JsonWebKey] };
  const key = createPublicKey({ key: keys[0], format: 'jwk' });
  expect(verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))).toBe(true);
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as { iat: number; exp: number };
  expect(claims).toMatchObject({ aud: 'sts.amazonaws.com', sub: 'repo:acme@1234/shop@5678:environment:production' });
  expect(claims.exp - claims.iat).toBe(60);
  expect((await fetch(github.idTokenUrl)).status).toBe(401);
});
