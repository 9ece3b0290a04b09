// What goes wrong between deploy-web and AWS, between two deploys, and when a job is cancelled.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openLab } from '../lab/lab.ts';
import { freePort } from '../lab/ports.ts';
import { startBundle } from '../run-bundle.ts';
import { type Web, openWeb, site } from './web.ts';

let web: Web;
beforeAll(async () => void (await openLab('aws')), 30 * 60_000);
beforeEach(async () => {
  web = await openWeb({ fallback: '/index.html' });
  web.build(site('one', 'AbCd12_x'));
});
afterEach(async () => web.close());

const faulty = async (): Promise<number> => (await web.control.requests()).filter(({ fault }) => fault).length;

describe('AWS', () => {
  test('that slows down, fails and breaks off is asked again', async () => {
    await web.control.forget();
    await web.control.faults(
      { kind: 'throttle', on: 's3:PutObject', times: 3 },
      { kind: 'server-error', on: 's3:ListBucket' },
      { kind: 'reset', on: 's3:PutObject' },
      { kind: 'reset', on: 'current.json' },
      { kind: 'throttle', on: 'cloudfront:CreateInvalidation' },
    );
    const { log, outputs } = await web.deploy();
    expect(log).not.toMatch(/::(error|warning)/);
    expect(outputs).toMatchObject({ verdict: 'deployed' });
    expect(await faulty()).toBe(7);
  });

  test('that keeps failing leaves the old release whole, and the next run finishes', async () => {
    await web.deploy();
    web.build(site('two', 'Zz99-Qrs'));
    await web.control.faults({ kind: 'server-error', on: 'assets/index-Zz99-Qrs.js', times: 6 });
    const { exitCode, log, outputs, summary } = await web.deploy();
    expect(exitCode).toBe(1);
    expect(outputs).toMatchObject({ verdict: 'failed' });
    expect(log).toMatch(/::error::S3 did not do it for the bucket \S+ \(InternalError\)/);
    expect(summary).toMatch(/### ❌ The site was not deployed — the old release \(.*\) is served, whole as before/);
    expect(await web.served('index.html')).toContain('<title>one</title>');
    expect((await web.deploy()).outputs).toMatchObject({ verdict: 'deployed' });
  }, 60_000);

  test.each([
    ['no bucket', { bucket: 'nobody-has-this-bucket' }, 'There is no bucket nobody-has-this-bucket'],
    ['no distribution', { distribution: 'E0NOBODYHASIT' }, 'There is no CloudFront distribution E0NOBODYHASIT'],
    ['no such folder', { site: 'public' }, 'The folder public has no page'],
    ['a role of another account', { 'role-to-assume': 'arn:aws:iam::999999999999:role/deploy' }, 'cannot be assumed'],
  ])('%s is told', async (_, inputs, said) => {
    const { exitCode, log, summary, outputs } = await web.deploy(inputs);
    expect(exitCode).toBe(1);
    expect(log).toContain(said);
    expect(log).not.toContain('a fault of this action');
    expect(summary).toContain('### ❌ The site was not deployed');
    expect(outputs).toMatchObject({ verdict: 'failed' });
  });

  test('whose invalidation takes too long ends with its own verdict', async () => {
    await web.control.set('invalidation', 60);
    const { exitCode, log, outputs, summary } = await web.deploy({ timeout: '5s' });
    expect(exitCode).toBe(1);
    expect(outputs).toMatchObject({ verdict: 'timed-out', invalidation: expect.stringMatching(/./) });
    expect(log).toContain(`--id ${outputs['invalidation']}`);
    expect(summary).toContain('### ⏳ The site is in place, but CloudFront has not confirmed it yet');
    expect(await web.served('index.html')).toContain('<title>one</title>');
  });

  test('whose invalidation takes a while is waited for', async () => {
    await web.control.set('invalidation', 4);
    const { outputs, summary } = await web.deploy();
    expect(outputs).toMatchObject({ verdict: 'deployed' });
    expect(summary).toMatch(/\*\*CloudFront:\*\* invalidated `\/\*`, everywhere after [4-9] s/);
  });
});

describe('two deploys', () => {
  test('of which the older one comes late: it does not overwrite the newer one', async () => {
    await web.deploy({}, { GITHUB_RUN_ID: '20' });
    web.build(site('older', 'Zz99-Qrs'));
    const { exitCode, outputs, summary } = await web.deploy({}, { GITHUB_RUN_ID: '19' });
    expect(exitCode).toBe(1);
    expect(outputs).toMatchObject({ verdict: 'superseded' });
    expect(summary).toContain("### ⏭️ The site was not deployed — a later run's release is served");
    expect(await web.served('index.html')).toContain('<title>one</title>');
    // Whoever starts the old run again wants it.
    const again = await web.deploy({}, { GITHUB_RUN_ID: '19', GITHUB_RUN_ATTEMPT: '2' });
    expect(again.outputs).toMatchObject({ verdict: 'deployed' });
  });

  test('at the same time: the newer one is served in the end, whole', async () => {
    await web.control.faults({ kind: 'slow', on: 'current.json', times: 2, ms: 700 });
    const older = web.deploy({}, { GITHUB_RUN_ID: '30' });
    await sleep(250);
    const other = await openWeb();
    other.build(site('newer', 'Zz99-Qrs'));
    const place = { bucket: web.bucket.name, distribution: web.distribution };
    const newer = await other.deploy(place, { GITHUB_RUN_ID: '31' });
    const { outputs } = await older;
    expect(newer.outputs).toMatchObject({ verdict: 'deployed' });
    expect(['deployed', 'superseded']).toContain(outputs['verdict']);
    expect(await web.served('index.html')).toContain('<title>newer</title>');
    const [index, chunk] = [await web.served('index.html'), await web.served('assets/index-Zz99-Qrs.js')];
    expect({ index, chunk }).toEqual({ index: expect.stringContaining('index-Zz99-Qrs.js'), chunk: expect.anything() });
    await other.close();
  }, 60_000);
});

describe('a cancelled job', () => {
  test('leaves the old release whole when it comes before the pages', async () => {
    await web.deploy();
    web.build(site('two', 'Zz99-Qrs'));
    await web.control.faults({ kind: 'slow', on: 'assets/index-Zz99-Qrs.js', ms: 8000 });
    const { outputs, summary, seconds } = await cancelled('s3:PutObject');
    expect(seconds).toBeLessThan(6);
    expect(outputs).toMatchObject({ verdict: 'cancelled' });
    expect(summary).toMatch(/### 🛑 The run was cancelled — the old release \(.*\) is served, whole as before/);
    expect(summary).toContain('Run the job again to finish');
    expect(await web.served('index.html')).toContain('<title>one</title>');
    await web.control.faults();
    expect((await web.deploy()).outputs).toMatchObject({ verdict: 'deployed' });
  }, 60_000);

  test('says so when it comes between both, and the next one need not wait for it', async () => {
    await web.deploy();
    web.build({ ...site('two', 'Zz99-Qrs'), 'favicon.svg': '<svg/>', 'about.html': 'about' });
    await web.control.faults({ kind: 'slow', on: `${web.bucket.name}/about.html`, ms: 2000 });
    const { outputs, log } = await cancelled('switching');
    expect(log).toMatch(/cancelled: \d of 3 files are those of the new release already/);
    expect(outputs).toMatchObject({ verdict: 'cancelled' });
    expect(await web.served('index.html')).toContain('<title>one</title>');
    const started = performance.now();
    expect((await web.deploy()).outputs).toMatchObject({ verdict: 'deployed' });
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(await web.served('index.html')).toContain('<title>two</title>');
  }, 60_000);

  async function cancelled(after: string) {
    const { github, aws } = web.facts;
    const { env, ...step } = web.step();
    await web.control.forget();
    const running = startBundle({
      ...step,
      env: {
        AWS_ENDPOINT_URL: aws?.endpoint,
        ACTIONS_ID_TOKEN_REQUEST_URL: github?.idTokenUrl,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: github?.idTokenRequestToken,
        ...env,
      },
    });
    await running.said(after === 'switching' ? 'switching' : 'uploading');
    await sleep(700);
    const started = performance.now();
    running.child.kill('SIGINT');
    return { ...(await running.ended), seconds: (performance.now() - started) / 1000 };
  }
});

describe('the address', () => {
  test('is asked for the new page, through packed files too', async () => {
    const port = await freePort();
    await web.control.set('edge', { distribution: web.distribution, port, minTtl: 3600 });
    const url = `http://127.0.0.1:${port}/`;
    for (const [text, compress] of [
      ['one', 'none'],
      ['two', 'gzip'],
      ['three', 'brotli'],
    ] as const) {
      web.build(site(text.repeat(1000)));
      const { outputs, log } = await web.deploy({ url, compress });
      expect(log).toContain(`${url} shows the release`);
      expect(outputs).toMatchObject({ verdict: 'deployed', url });
      const page = await fetch(`${url}orders/7`);
      expect(await page.text()).toContain(text);
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(page.headers.get('cache-control')).toBe('no-cache');
      const chunk = await fetch(`${url}assets/index-AbCd12_x.js`);
      expect(chunk.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
      expect(chunk.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(page.headers.get('content-encoding')).toBe({ none: null, gzip: 'gzip', brotli: 'br' }[compress]);
    }
  }, 60_000);

  test('that still shows the old page fails the job', async () => {
    const port = await freePort();
    await web.control.set('edge', { distribution: web.distribution, port, minTtl: 3600 });
    const url = `http://127.0.0.1:${port}/`;
    await web.deploy({ url });
    web.build(site('two', 'Zz99-Qrs'));
    const { outputs, log, summary } = await web.deploy({ url, distribution: '', timeout: '5s' });
    expect(outputs).toMatchObject({ verdict: 'failed' });
    expect(log).toContain(`The release is in place, but ${url} shows another page`);
    expect(summary).toContain('### ❌ The new release is in the bucket, but not all visitors get it');
  }, 60_000);
});
