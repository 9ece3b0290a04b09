// deploy-web's bundle against S3 and CloudFront of the lab (moto behind a proxy that knows IAM and faults).
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { layoutOf } from '../../src/site/release.ts';
import { openLab } from '../lab/lab.ts';
import { type Web, openWeb, site } from './web.ts';

let web: Web;
beforeAll(async () => void (await openLab('aws')), 30 * 60_000);
beforeEach(async () => {
  web = await openWeb();
});
afterEach(async () => web.close());

/** What was asked of S3 and CloudFront since the last `forget`, such as `PutObject index.html`. */
async function asked(): Promise<readonly string[]> {
  const names = (await web.control.requests()).map(({ name }) => name);
  return names
    .filter((name) => /^(s3|cloudfront):/.test(name))
    .map((name) => name.replace(/^\w+:/, '').replace(` arn:aws:s3:::${web.bucket.name}`, ' ').replace(' /', ' '));
}

/** The paths of the invalidations since the last `forget`. */
async function invalidated(): Promise<readonly string[]> {
  const bodies = (await web.control.requests()).map(({ name, body }) => (/CreateInvalidation/.test(name) ? body : ''));
  return bodies.flatMap((body) => [...String(body).matchAll(/<Path>([^<]*)</g)].map(([, path = '']) => path));
}

describe('a deploy', () => {
  test('into an empty bucket puts every file in its place, the pages last, and tells CloudFront', async () => {
    web.build({
      ...site('one'),
      '.well-known/security.txt': 'Contact: mailto:it@example.com',
      'Maße 1/ä+b (2).json': '{}',
      'about/index.html': '<title>about</title>',
    });
    await web.control.forget();
    const { exitCode, log, outputs, summary } = await web.deploy();
    expect(log).not.toMatch(/::(error|warning)/);
    expect(exitCode).toBe(0);
    expect(outputs).toMatchObject({ verdict: 'deployed', uploaded: '6', unchanged: '0' });
    expect(summary).toContain('### ✅ The site is deployed');
    expect(await web.served('Maße 1/ä+b (2).json')).toBe('{}');
    expect(await web.served('index.html')).toContain('<title>one</title>');
    const writes = (await asked()).filter((name) => name.startsWith('PutObject'));
    const visible = writes.filter((name) => !name.includes('.releases/'));
    expect(visible[0]).toBe('PutObject assets/index-AbCd12_x.js');
    expect(visible.slice(-2)).toEqual(['PutObject about/index.html', 'PutObject index.html']);
    expect(await invalidated()).toEqual(['/*']);
  });

  test('of a new build uploads what changed by one list, keeps the old chunk, and invalidates the least', async () => {
    web.build(site('one', 'AbCd12_x'));
    const first = await web.deploy();
    web.build(site('two', 'Zz99-Qrs'));
    await web.control.forget();
    const { log, outputs, summary } = await web.deploy();
    expect(log).not.toMatch(/::(error|warning)/);
    expect(outputs).toMatchObject({ verdict: 'deployed', uploaded: '2', unchanged: '1' });
    expect((await invalidated()).toSorted()).toEqual(['/', '/index.html']);
    const names = await asked();
    expect(names.filter((name) => name.startsWith('ListBucket'))).toHaveLength(1);
    expect(names.filter((name) => name.startsWith('GetObject'))).toEqual([
      'GetObject .releases/current.json',
      `GetObject .releases/${first.outputs['release']}.json`,
    ]);
    expect(await web.served('index.html')).toContain('index-Zz99-Qrs.js');
    expect(await web.served('assets/index-AbCd12_x.js')).toBe("console.log('AbCd12_x')");
    expect(summary).toContain(`\`action: rollback, to: ${first.outputs['release']}\``);
    expect(summary).toMatch(/\*\*Old files:\*\* those of one earlier release stay, until \d{4}-\d\d-\d\d/);
  });

  test('of the same build changes nothing', async () => {
    web.build(site('one'));
    const first = await web.deploy();
    await web.control.forget();
    const { outputs, summary } = await web.deploy();
    expect(outputs).toMatchObject({ verdict: 'unchanged', uploaded: '0', release: first.outputs['release'] });
    expect(summary).toContain('nothing had to change');
    expect((await asked()).filter((name) => !/^(ListBucket|GetObject|GetDistribution)/.test(name))).toEqual([]);
  });

  test('mends what somebody else has overwritten', async () => {
    web.build(site('one'));
    await web.deploy();
    const plain = { contentType: 'text/html', cacheControl: '', contentEncoding: '' } as const;
    await web.bucket.write('index.html', Buffer.from('oops'), plain);
    await web.bucket.write('assets/index-AbCd12_x.js', Buffer.from('oops'), plain);
    expect((await web.deploy()).outputs).toMatchObject({ verdict: 'deployed' });
    expect(await web.served('index.html')).toContain('<title>one</title>');
    expect(await web.served('assets/index-AbCd12_x.js')).toBe("console.log('AbCd12_x')");
  });

  test('takes pages that are gone away at once', async () => {
    web.build({ ...site('one'), 'old/index.html': 'old', 'old/data.json': '{}' });
    await web.deploy();
    web.build(site('two'));
    await web.control.forget();
    await web.deploy();
    expect(await web.served('old/index.html')).toBeUndefined();
    expect(await web.served('old/data.json')).toBe('{}');
    expect((await invalidated()).toSorted()).toEqual(['/', '/index.html', '/old/*']);
  });

  test('of one build into two environments differs in config.json alone', async () => {
    web.build({ ...site('one'), 'config.json': '{"api":"a sample for developers"}' });
    const staging = await web.deploy({ prefix: 'staging', config: 'api: https://staging.example.com' });
    const production = await web.deploy({ prefix: 'production', config: '{"api": "https://example.com"}' });
    expect(staging.outputs['content']).toMatch(/^[0-9a-f]{64}$/);
    expect(production.outputs['content']).toBe(staging.outputs['content']);
    expect(JSON.parse((await web.served('staging/config.json')) ?? '')).toEqual({ api: 'https://staging.example.com' });
    expect(JSON.parse((await web.served('production/config.json')) ?? '')).toEqual({ api: 'https://example.com' });
  });

  test('that only looks writes nothing', async () => {
    web.build(site('one'));
    await web.control.forget();
    const { outputs, summary } = await web.deploy({ 'dry-run': 'true' });
    expect(outputs).toMatchObject({ verdict: 'checked' });
    expect(summary).toMatch(/\| pages \| 1 \| 1 \|/);
    expect((await asked()).toSorted()).toEqual(['GetDistribution', 'ListBucket ']);
  });

  test('tells a name with a hash whose content is another than before, and lets browsers ask again', async () => {
    web.build(site('one'));
    await web.deploy();
    web.build({ ...site('one'), 'assets/index-AbCd12_x.js': 'another' });
    await web.control.forget();
    const { log, outputs } = await web.deploy();
    expect(await invalidated()).toEqual(['/assets/index-AbCd12_x.js']);
    expect(log).toMatch(/::warning::assets\/index-AbCd12_x\.js is named like a file with its content's hash/);
    expect(outputs).toMatchObject({ verdict: 'deployed' });
    expect(await web.served('assets/index-AbCd12_x.js')).toBe('another');
  });
});

describe('a rollback', () => {
  test('serves the release before without the build, then the one named', async () => {
    web.build({ ...site('one', 'AbCd12_x'), 'gone/index.html': 'gone' });
    const first = await web.deploy({ config: 'api: one' });
    web.build(site('two', 'Zz99-Qrs'));
    const second = await web.deploy({ config: 'api: two' });
    web.build({});
    await web.control.forget();
    const back = await web.deploy({ action: 'rollback', site: '' });
    expect(back.log).not.toMatch(/::(error|warning)/);
    expect(back.outputs).toMatchObject({ verdict: 'rolled-back', release: first.outputs['release'], uploaded: '0' });
    expect(back.summary).toContain(`### ↩️ The site is back at \`${first.outputs['release']}\``);
    expect(await web.served('index.html')).toContain('<title>one</title>');
    expect(await web.served('gone/index.html')).toBe('gone');
    expect(await web.served('config.json')).toContain('one');
    const writes = (await asked()).filter((name) => /^PutObject (?!\.releases)/.test(name));
    expect(writes.at(-1)).toBe('PutObject index.html');
    expect(await invalidated()).toContain('/gone/*');

    const forth = await web.deploy({ action: 'rollback', to: second.outputs['release'] ?? '' });
    expect(forth.outputs).toMatchObject({ verdict: 'rolled-back', release: second.outputs['release'] });
    expect(await web.served('index.html')).toContain('<title>two</title>');
    expect(await web.served('gone/index.html')).toBeUndefined();
  });

  test('to what is not there says what is', async () => {
    expect((await web.deploy({ action: 'rollback' })).log).toMatch(/::error::There is no earlier release/);
    web.build(site('one'));
    const { outputs } = await web.deploy();
    const { log, exitCode } = await web.deploy({ action: 'rollback', to: '20200101-000000-local-abcdef' });
    expect(exitCode).toBe(1);
    expect(log).toContain(`There are: ${outputs['release']}`);
  });

  test('to a release whose chunk is gone changes nothing', async () => {
    web.build(site('one', 'AbCd12_x'));
    await web.deploy();
    web.build(site('two', 'Zz99-Qrs'));
    await web.deploy();
    await web.bucket.remove(['assets/index-AbCd12_x.js']);
    const { log, outputs } = await web.deploy({ action: 'rollback' });
    expect(log).toMatch(/::error::1 file of the release \S+ is gone or changed, such as assets\/index-AbCd12_x\.js/);
    expect(outputs).toMatchObject({ verdict: 'failed' });
    expect(await web.served('index.html')).toContain('<title>two</title>');
  });
});

describe('old files', () => {
  test('go when their time is over, and nothing else ever does', async () => {
    const layout = layoutOf('');
    web.build(site('one', 'AbCd12_x'));
    const one = await web.deploy();
    web.build(site('two', 'Zz99-Qrs'));
    await web.deploy();
    await web.bucket.write('assets/theirs-Ab12Cd34.js', Buffer.from('theirs'), {
      contentType: 'text/javascript',
      cacheControl: '',
      contentEncoding: '',
    });
    // Both ended long ago, as the pointer has it.
    const pointer = JSON.parse((await web.served(layout.pointer)) ?? '') as {
      history: { since: number; until?: number }[];
    };
    const history = pointer.history.map((entry, i) => ({
      ...entry,
      since: 1000 - i,
      ...(i > 0 && { until: 1001 - i }),
    }));
    const headers = { contentType: 'application/json', cacheControl: '', contentEncoding: '' } as const;
    await web.bucket.write(layout.pointer, Buffer.from(JSON.stringify({ ...pointer, history })), headers);
    web.build(site('three', 'Xx11_Yy2'));
    const { log, outputs, summary } = await web.deploy({ 'keep-old': '1h' });
    expect(log).not.toMatch(/::(error|warning)/);
    expect(outputs).toMatchObject({ verdict: 'deployed' });
    expect(await web.served('assets/index-AbCd12_x.js')).toBeUndefined();
    expect(await web.served(layout.release(one.outputs['release'] ?? ''))).toBeUndefined();
    // The release before stays for a rollback, and files of others are not ours to delete.
    expect(await web.served('assets/index-Zz99-Qrs.js')).toBeDefined();
    expect(await web.served('assets/theirs-Ab12Cd34.js')).toBe('theirs');
    expect(summary).toContain('2 objects that none of them needs were deleted');
    expect((await web.deploy({ action: 'rollback' })).outputs).toMatchObject({ verdict: 'rolled-back' });
  });
});

test('a conditional write counts only while the object is what the writer read', async () => {
  const headers = { contentType: 'text/plain', cacheControl: '', contentEncoding: '' } as const;
  const write = async (text: string, etag: string | undefined) =>
    web.bucket.writeIf('pointer', Buffer.from(text), headers, { etag });
  const first = await write('1', undefined);
  expect(await write('2', undefined)).toBeUndefined();
  const second = await write('2', first);
  expect(second).toMatch(/^[0-9a-f]{32}$/);
  expect(await write('3', first)).toBeUndefined();
  expect(await web.served('pointer')).toBe('2');
  await web.bucket.remove(['pointer']);
  expect(await write('3', second)).toBeUndefined();
});
