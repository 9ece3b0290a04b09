import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { attach, referrers } from '../../src/container/referrers.ts';
import { type Answer, serving } from '../aws/server.ts';

const host = {
  clock: { now: () => 0, sleep: async () => undefined },
  signal: new AbortController().signal,
  attempts: 1,
};
const MANIFEST = '{"schemaVersion":2}';
const digest = `sha256:${createHash('sha256').update(MANIFEST).digest('hex')}`;
const index = 'application/vnd.oci.image.index.v1+json';

test('a registry with the referrers API keeps the list itself: no tag is made', async () => {
  const answers: Answer[] = [
    { status: 200, body: MANIFEST, headers: { 'content-type': index } },
    { status: 200, body: '' },
    { status: 404, body: '' },
    { status: 202, body: '', headers: { location: '/v2/a/b/blobs/uploads/7?state=x' } },
    { status: 201, body: '' },
    { status: 201, body: '', headers: { 'oci-subject': digest } },
    {
      status: 200,
      body: JSON.stringify({ manifests: [{ mediaType: 'm', digest, artifactType: 'x' }, 7] }),
      headers: { 'content-type': index },
    },
  ];
  await serving(answers, async (url, asked) => {
    const image = { registry: url.replace('http://', ''), repository: 'a/b', digest };
    const made = await attach(
      image,
      { type: 'x', content: new TextEncoder().encode('{"a":1}'), annotations: {} },
      {},
      host,
    );
    expect(await referrers(image, {}, host, 'x')).toMatchObject([{ digest }]);
    const blob = createHash('sha256').update('{"a":1}').digest('hex');
    expect(asked.map((one) => `${one.method} ${one.url}`).slice(3)).toEqual([
      'POST /v2/a/b/blobs/uploads/',
      `PUT /v2/a/b/blobs/uploads/7?state=x&digest=sha256%3A${blob}`,
      `PUT /v2/a/b/manifests/${made}`,
      `GET /v2/a/b/referrers/${digest}`,
    ]);
  });
});
