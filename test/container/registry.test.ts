import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { Clock } from '../../src/action/host.ts';
import { addTag, checkPush, pinBase, resolveDigest } from '../../src/container/registry.ts';
import { type Answer, serving } from '../aws/server.ts';

const MANIFEST = '{"schemaVersion":2}';
const DIGEST = `sha256:${createHash('sha256').update(MANIFEST).digest('hex')}`;
const OTHER = `sha256:${'0'.repeat(64)}`;
const found = (digest = DIGEST): Answer => ({
  status: 200,
  body: MANIFEST,
  headers: { 'docker-content-digest': digest, 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
});
const error = (status: number, code: string, message = ''): Answer => ({
  status,
  body: JSON.stringify({ errors: [{ code, message }] }),
});

function machine() {
  const rests: number[] = [];
  const clock: Clock = { now: () => 0, sleep: async (ms) => void rests.push(ms) };
  return { host: { clock, signal: new AbortController().signal, timeout: 2000, attempts: 3 }, rests };
}

const hostOf = (url: string): string => url.replace('http://', '');

describe('the digest of an image', () => {
  test('is told by the header, else made of the bytes; a missing image has none', async () => {
    const { host } = machine();
    const ask = async (url: string) => resolveDigest({ registry: hostOf(url), repository: 'a/b', tag: 'x' }, {}, host);
    await serving([found(OTHER)], async (url, asked) => {
      expect(await ask(url)).toBe(OTHER);
      expect(asked).toMatchObject([{ method: 'HEAD', url: '/v2/a/b/manifests/x' }]);
    });
    await serving([{ status: 200, body: MANIFEST }], async (url) => expect(await ask(url)).toBe(DIGEST));
    await serving([error(404, 'MANIFEST_UNKNOWN')], async (url) => expect(await ask(url)).toBeUndefined());
  });

  test('is asked for again where the registry is busy, after the pause that it names', async () => {
    const { host, rests } = machine();
    const busy: Answer = { status: 429, body: '', headers: { 'retry-after': '7' } };
    await serving([busy, 'reset', found()], async (url) => {
      expect(await resolveDigest({ registry: hostOf(url), repository: 'a' }, {}, host)).toBe(DIGEST);
    });
    expect(rests).toEqual([7000, 500]);
  });

  test.each([
    [401, 'docker/login-action'],
    [403, 'the right to pull'],
    [500, 'ask who runs'],
  ])('a refusal by %d says what to do', async (status, remedy) => {
    const { host } = machine();
    await serving([error(status, 'CODE')], async (url) => {
      const asked = resolveDigest({ registry: hostOf(url), repository: 'a' }, {}, host);
      await expect(asked).rejects.toMatchObject({ remedy: expect.stringContaining(remedy) });
    });
  });
});

describe('a further tag', () => {
  const tag = async (answers: readonly Answer[]) => {
    const { host } = machine();
    return serving(answers, async (url, asked) => {
      await addTag({ registry: hostOf(url), repository: 'a', digest: DIGEST }, 'v1', {}, host);
      return asked.map(({ method }) => method);
    });
  };

  test('puts the manifest once more, and nothing where it stands already', async () => {
    expect(await tag([error(404, 'X'), found(), { status: 201, body: '' }])).toEqual(['HEAD', 'GET', 'PUT']);
    expect(await tag([found()])).toEqual(['HEAD']);
  });

  test('that is immutable is said so, unless another job set it on the same image', async () => {
    const refused = error(400, 'TAG_INVALID', 'the tag is immutable');
    await expect(tag([found(OTHER), found(), refused, found(OTHER)])).rejects.toThrow(
      `immutable and stands on ${OTHER}`,
    );
    expect(await tag([error(404, 'X'), found(), refused, found()])).toHaveLength(4);
  });

  test('a manifest that does not have the digest is never put', async () => {
    await expect(tag([error(404, 'X'), { status: 200, body: 'other' }])).rejects.toThrow('does not have the digest');
  });
});

describe('the right to push', () => {
  const check = async (answers: readonly Answer[]) => {
    const { host } = machine();
    return serving(answers, async (url, asked) => {
      await checkPush({ registry: hostOf(url), repository: 'a/b' }, {}, host);
      return asked.map(({ method, url: path }) => `${method} ${path}`);
    });
  };

  test('is asked for by an upload that is taken back', async () => {
    const opened: Answer = { status: 202, body: '', headers: { location: 'http://x/v2/a/b/blobs/uploads/1?_state=2' } };
    expect(await check([opened, { status: 204, body: '' }])).toEqual([
      'POST /v2/a/b/blobs/uploads/',
      'DELETE /v2/a/b/blobs/uploads/1?_state=2',
    ]);
    const elsewhere: Answer = { status: 202, body: '', headers: { location: 'https://storage.example/1' } };
    expect(await check([elsewhere])).toHaveLength(1);
  });

  test('a token without the scope is a right that lacks, not an unknown user', async () => {
    const headers = { 'www-authenticate': 'Bearer realm="x",error="insufficient_scope"' };
    await expect(check([{ status: 401, body: '', headers }])).rejects.toMatchObject({
      message: expect.stringContaining('knows who is asking'),
      remedy: expect.stringContaining('the right to pull from and push to a/b'),
    });
    await expect(check([error(403, 'DENIED', 'no')])).rejects.toThrow('DENIED: no');
  });
});

test('a password goes to the registry that it is for', async () => {
  const { host } = machine();
  const challenge: Answer = { status: 401, body: '', headers: { 'www-authenticate': 'Basic realm="r"' } };
  await serving([challenge, found()], async (url, asked) => {
    const registry = hostOf(url);
    const auths = { [registry]: { username: 'ana', password: 'p' } };
    expect(await resolveDigest({ registry, repository: 'a' }, auths, host)).toBe(DIGEST);
    expect(asked).toHaveLength(2);
  });
  await serving([challenge], async (url, asked) => {
    const auths = { 'other.example': { username: 'ana', password: 'p' } };
    await expect(resolveDigest({ registry: hostOf(url), repository: 'a' }, auths, host)).rejects.toThrow('answers 401');
    // Asked again by GET for the reason, and never for a token with somebody else's password.
    expect(asked.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
  });
});

test('a base image is pinned where its registry answers, and stays as it is where not', async () => {
  const { host } = machine();
  const lines: string[] = [];
  const log = { info: (line: string) => void lines.push(line) } as unknown as Parameters<typeof pinBase>[2]['log'];
  await serving([found()], async (url) => {
    const name = `${hostOf(url)}/node:24`;
    expect(await pinBase(name, {}, { ...host, log })).toEqual({ name: `${name}@${DIGEST}`, digest: DIGEST });
  });
  expect(await pinBase('127.0.0.1:1/node:24', {}, { ...host, log })).toEqual({ name: '127.0.0.1:1/node:24' });
  expect(lines.join()).toContain('not pinned by digest');
});
