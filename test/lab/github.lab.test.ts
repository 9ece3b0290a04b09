import { type JsonWebKey, createPublicKey, randomBytes, verify } from 'node:crypto';
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

/** A tracker of a commit that no run before had, and what it warned of. */
function trackerOf() {
  const warnings: string[] = [];
  const sha = randomBytes(20).toString('hex');
  const info = { repository: 'acme/shop', sha, apiUrl: github?.apiUrl, runUrl: `https://github.example/run/${sha}` };
  const host = {
    info,
    log: { warning: (message: string) => void warnings.push(message) },
    clock: { now: () => 0, sleep: async () => undefined },
    signal: new AbortController().signal,
    mask: () => undefined,
  } as unknown as Parameters<typeof deploymentTracker>[0];
  const tracker = deploymentTracker(host, { token: github?.token ?? '', environment: 'production' });
  return { tracker, warnings, info };
}

test('a deployment is told through a secondary limit, a reset and a server that fails', async () => {
  await control.forget();
  await control.faults(
    { kind: 'secondary-limit', on: 'GET /repos/acme/shop/deployments' },
    { kind: 'reset', on: 'POST /repos/acme/shop/deployments' },
    { kind: 'server-error', on: '/statuses' },
  );
  const { tracker, warnings } = trackerOf();
  await tracker.start();
  await tracker.report('success');
  expect(warnings).toEqual([]);
  const asked = await control.requests();
  expect(asked.map(({ status }) => status)).toEqual([403, 200, 0, 200, 201, 502, 201, 201]);
  expect(asked.at(-1)?.body).toMatchObject({ state: 'success' });
});

test('the deployment that GitHub made for the job is told of, and no second one is made', async () => {
  const { tracker, warnings, info } = trackerOf();
  const ask = async (path: string, body: object): Promise<{ id: number }> => {
    const headers = { authorization: `Bearer ${github?.token}`, 'content-type': 'application/json' };
    const url = `${github?.apiUrl}/repos/acme/shop/deployments${path}`;
    return (await (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).json()) as { id: number };
  };
  const { id } = await ask('', { ref: info.sha, environment: 'production' });
  await ask(`/${id}/statuses`, { state: 'in_progress', log_url: `${info.runUrl}/job/1` });
  await control.forget();
  await tracker.start();
  await tracker.report('success');
  expect(warnings).toEqual([]);
  const told = (await control.requests()).filter(({ name }) => name.startsWith('POST'));
  const path = `POST /repos/acme/shop/deployments/${id}/statuses`;
  expect(told.map(({ name }) => name)).toEqual([path, path]);
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
