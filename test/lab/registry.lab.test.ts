import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { openLab } from './lab.ts';

test('the registry keeps a blob and gives it back, and is found up the second time', async () => {
  const { registry } = await openLab('registry');
  expect((await openLab('registry')).registry).toEqual(registry);
  const base = `http://${registry?.host}`;
  const digest = `sha256:${createHash('sha256').update('layer').digest('hex')}`;
  const begun = await fetch(`${base}/v2/lab/test/blobs/uploads/`, { method: 'POST' });
  expect(begun.status).toBe(202);
  const target = new URL(begun.headers.get('location') ?? '', base);
  target.searchParams.set('digest', digest);
  expect((await fetch(target, { method: 'PUT', body: 'layer' })).status).toBe(201);
  const got = await fetch(`${base}/v2/lab/test/blobs/${digest}`);
  expect(await got.text()).toBe('layer');
});
