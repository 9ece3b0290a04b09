import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openCache } from '../../src/cache/service.ts';
import { TestCache } from './server.ts';

let service: TestCache;
beforeEach(async () => {
  service = await TestCache.start();
});
afterEach(() => service.stop());

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('an entry is found by its key, the newest by a prefix, and never changes', async () => {
  const { cache } = service.job();
  expect(await cache.find('tree-1')).toBeUndefined();
  expect(await cache.save('tree-1', Buffer.from('one'))).toBe(true);
  expect(await cache.save('tree-2', Buffer.from('two'))).toBe(true);
  expect(await cache.save('tree-1', Buffer.from('another'))).toBe(false);
  const exact = await cache.find('tree-1', ['tree-']);
  expect(exact && (await textOf(cache.read(exact)))).toBe('one');
  expect(await cache.find('tree-3', ['tree-'])).toMatchObject({ key: 'tree-2' });
});

test('a longer key that begins like the wanted one is not taken for it', async () => {
  const { cache } = service.job();
  await cache.save('tree-10', Buffer.from('ten'));
  expect(await cache.find('tree-1')).toBeUndefined();
});

test("a branch reads the default branch's entries; the default branch reads no other's", async () => {
  await service.job('main').cache.save('a', Buffer.from('main'));
  await service.job('feature', 'main').cache.save('b', Buffer.from('feature'));
  expect(await service.job('feature', 'main').cache.find('a')).toBeDefined();
  expect(await service.job('main').cache.find('b')).toBeUndefined();
});

test('one failure is tried again; a service that is down is asked no more than twice in all', async () => {
  const { cache } = service.job();
  await service.control.faults({ kind: 'unavailable' });
  expect(await cache.find('a')).toBeUndefined();
  await service.control.faults({ kind: 'unavailable', times: 99 });
  await service.control.forget();
  await expect(cache.find('a')).rejects.toThrow('the cache service does not answer: status 503');
  await expect(cache.save('a', Buffer.from(''))).rejects.toThrow('does not answer');
  expect(await service.control.requests()).toHaveLength(2);
});

test('a slow service is not waited for', async () => {
  const { cache } = service.job();
  await service.control.faults({ kind: 'slow', times: 9, ms: 9000 });
  const began = Date.now();
  await expect(cache.find('a')).rejects.toThrow('does not answer');
  expect(Date.now() - began).toBeLessThan(8000);
});

test.each([
  ['reset', 'PUT'],
  ['slow', 'PUT'],
])('an upload that meets %s leaves nothing to be found', async (kind, on) => {
  const { cache } = service.job();
  await service.control.faults({ kind, on, ms: 9000 });
  await expect(cache.save('a', Buffer.from('half'))).rejects.toThrow('cannot be uploaded');
  expect(await cache.find('a')).toBeUndefined();
});

test('a download that goes silent is a fault in time', async () => {
  const { cache } = service.job();
  await cache.save('a', Buffer.from('all of it'));
  const entry = await cache.find('a');
  await service.control.faults({ kind: 'slow', on: 'GET /blobs', ms: 9000 });
  if (entry === undefined) throw new Error('it was not found');
  await expect(textOf(cache.read(entry))).rejects.toThrow('nothing comes any more');
});

test('a runner without the service, or a job that may not use it, has none', () => {
  const { signal } = new AbortController();
  const env = service.env();
  expect(openCache({ env: {}, signal })).toBe('this runner has no cache service');
  expect(openCache({ env: { ...env, ACTIONS_CACHE_SERVICE_V2: '' }, signal })).toContain('no cache service');
  expect(openCache({ env: { ...env, ACTIONS_CACHE_MODE: 'none' }, signal })).toContain('switched off');
});

test('the token of the job goes to the service alone, and is in no message', async () => {
  const { cache, host } = service.job();
  await service.control.faults({ kind: 'rate-limit', times: 9 });
  const token = host.env['ACTIONS_RUNTIME_TOKEN'] ?? '';
  await expect(cache.find('a')).rejects.toThrow('the cache service refuses: 429 slow down');
  await expect(cache.find('a')).rejects.not.toThrow(token);
});
