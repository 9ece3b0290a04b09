// What a run that ended half way leaves behind, and what the next one makes of it.
import { describe, expect, test } from '@jest/globals';
import { Cancelled } from '../../src/action/errors.ts';
import type { Bucket } from '../../src/aws/s3.ts';
import type { Pointer } from '../../src/site/pointer.ts';
import { memoryWeb } from './memory-web.ts';

const one = { 'index.html': 'one', 'about.html': 'about one', 'assets/index-AbCd12_x.js': 'one' };
const two = { 'index.html': 'two', 'about.html': 'about two', 'assets/index-Zz99-Qrs.js': 'two' };
const stopped = (): never => {
  throw new Cancelled('SIGINT');
};

describe('a deploy that ended between the pages', () => {
  test('is taken back by a rollback to the release that the pointer still names', async () => {
    const web = memoryWeb();
    const { id } = await web.deploy(one);
    await expect(web.deploy(two, { bucket: web.breaking(1) })).rejects.toThrow(Cancelled);
    expect([web.text('about.html'), web.text('index.html')]).toEqual(['about two', 'one']);
    web.invalidated();
    expect(await web.rollBack({ to: id })).toMatchObject({ verdict: 'rolled-back', id });
    expect([web.text('about.html'), web.text('index.html')]).toEqual(['about one', 'one']);
    expect(web.invalidated()).toEqual(['/about.html']);
    expect((await web.rollBack({ to: id })).verdict).toBe('unchanged');
  });

  test('leaves no page behind when its preview is removed', async () => {
    const web = memoryWeb('previews/pr-1/');
    await expect(web.deploy(one, { bucket: web.breaking(1) })).rejects.toThrow(Cancelled);
    expect(web.text('previews/pr-1/about.html')).toBe('about one');
    await web.remove();
    expect([...web.bucket.objects.keys()].filter((key) => !key.includes('.releases/'))).toEqual([]);
  });
});

describe('CloudFront that was not told', () => {
  test('is told by the next run of the same release', async () => {
    const web = memoryWeb();
    await web.deploy(one);
    await expect(web.deploy(two, { onInvalidate: stopped })).rejects.toThrow(Cancelled);
    web.invalidated();
    const again = await web.deploy(two);
    expect(web.invalidated()).toEqual(['/*']);
    expect(again.record.invalidation?.id).toBe('I1');
    expect(await web.deploy(two)).toMatchObject({ verdict: 'unchanged' });
    expect(web.invalidated()).toEqual([]);
  });

  test('is told by the next release, though that changes something else', async () => {
    const web = memoryWeb();
    await web.deploy(one);
    await expect(web.deploy(two, { onInvalidate: stopped })).rejects.toThrow(Cancelled);
    web.invalidated();
    await web.deploy({ ...two, 'about.html': 'about three' });
    expect(web.invalidated()).toEqual(['/*']);
    await web.deploy({ ...two, 'about.html': 'about four' });
    expect(web.invalidated()).toEqual(['/about.html']);
  });

  test('is told by a rollback', async () => {
    const web = memoryWeb();
    const { id } = await web.deploy(one);
    await web.deploy(two);
    await expect(web.rollBack({ onInvalidate: stopped })).rejects.toThrow(Cancelled);
    web.invalidated();
    await web.rollBack({ to: id });
    expect(web.invalidated()).toEqual(['/*']);
  });
});

test('a rollback is possible after the way of packing was changed', async () => {
  const web = memoryWeb();
  const chunk = 'console.log(1);'.repeat(200);
  const first = await web.deploy({ 'index.html': 'one', 'assets/index-AbCd12_x.js': chunk });
  await web.deploy({ 'index.html': 'two', 'assets/index-AbCd12_x.js': chunk }, { compress: 'gzip' });
  expect(await web.rollBack()).toMatchObject({ verdict: 'rolled-back', id: first.id });
  expect(web.text('index.html')).toBe('one');
  // What is in its place now counts as that release's own.
  const again = await web.deploy({ 'index.html': 'one', 'assets/index-AbCd12_x.js': chunk }, { compress: 'gzip' });
  expect(again.verdict).toBe('unchanged');
});

test('a list that is older than the pointer is read again', async () => {
  const web = memoryWeb();
  await web.deploy(one);
  const stale = await web.bucket.list('');
  await web.deploy(two);
  // As when another deploy ends, and deletes, between the list and the look at the pointer.
  await web.bucket.remove(['assets/index-AbCd12_x.js']);
  let lists = 0;
  const list = async (prefix: string) => ((lists += 1) === 1 ? stale : web.bucket.list(prefix));
  await web.deploy(one, { bucket: { list } });
  expect(web.text('assets/index-AbCd12_x.js')).toBe('one');
});

test('a deploy that waits in vain for another one does not say that the other is later', async () => {
  const web = memoryWeb();
  await web.deploy(one);
  const pointer = JSON.parse(web.text('.releases/current.json') ?? '') as object;
  const claim = { by: 'x', run: '1', release: '20261124-093000-0123456-ab12cd', at: Date.UTC(2027, 1, 1) };
  web.bucket.objects.set('.releases/current.json', Buffer.from(JSON.stringify({ ...pointer, claim })));
  await expect(web.deploy(two, { timeout: '5s' })).rejects.toThrow('is still bringing in');
});

test('a preview that was removed is not brought back by an older run that ends late', async () => {
  const web = memoryWeb('previews/pr-1/');
  await web.deploy(one, { run: 10 });
  expect(await web.remove({ run: 12 })).toMatchObject({ verdict: 'removed' });
  await expect(web.deploy(two, { run: 11 })).rejects.toThrow('took this preview away');
  expect((await web.remove({ run: 13 })).verdict).toBe('unchanged');
  expect((await web.deploy(two, { run: 14 })).verdict).toBe('deployed');
});

test('a hashed file that was overwritten is mended behind CloudFront too', async () => {
  const web = memoryWeb();
  await web.deploy(one);
  web.bucket.objects.set('assets/index-AbCd12_x.js', Buffer.from('oops'));
  web.invalidated();
  await web.deploy(one);
  expect(web.invalidated()).toEqual(['/assets/index-AbCd12_x.js']);
});

test('the claim is renewed while very many files are deleted', async () => {
  const web = memoryWeb();
  const chunks = Array.from({ length: 2500 }, (_, i) => [`assets/chunk-a${String(i).padStart(7, '0')}.js`, `${i}`]);
  await web.deploy({ ...one, ...Object.fromEntries(chunks) });
  for (const text of ['2', '3']) await web.deploy({ ...one, 'index.html': text });
  web.wait(40 * 86_400_000);
  const ages: number[] = [];
  const remove: Bucket['remove'] = async (keys) => {
    const { claim } = JSON.parse(web.text('.releases/current.json') ?? '') as Pointer;
    ages.push(web.now() - (claim?.at ?? 0));
    web.wait(60_000);
    return web.bucket.remove(keys);
  };
  expect(await web.deploy({ ...one, 'index.html': '4' }, { bucket: { remove } })).toMatchObject({
    verdict: 'deployed',
    record: { deleted: 2502 },
  });
  expect(ages.length).toBeGreaterThan(2);
  expect(Math.max(...ages)).toBeLessThan(20_000);
});

test('what somebody else put where a file goes is told when it is replaced', async () => {
  const web = memoryWeb();
  web.bucket.objects.set('index.html', Buffer.from('of another team'));
  const { record } = await web.deploy(one);
  expect(record.notes).toEqual([expect.stringContaining('index.html in the bucket came from elsewhere')]);
  expect((await web.deploy(two)).record.notes).toEqual([]);
});
