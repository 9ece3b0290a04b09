import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openLab } from '../lab/lab.ts';
import { codeBlocks } from '../lab/readme.ts';
import { type Web, openWeb, site } from './web.ts';

interface Policy {
  readonly Statement: readonly { readonly Action: string | readonly string[]; readonly Resource: string }[];
}

const documented = codeBlocks('actions/deploy-web/README.md', 'json').find((block) => block.includes('s3:PutObject'));
if (documented === undefined) throw new Error('the README of deploy-web shows no policy of the role');
const actions = (JSON.parse(documented) as Policy).Statement.flatMap(({ Action }) => Action);

let web: Web;
beforeAll(async () => void (await openLab('aws')), 30 * 60_000);
beforeEach(async () => {
  web = await openWeb();
  web.build({ ...site('one', 'AbCd12_x'), 'gone.html': 'gone' });
});
afterEach(async () => web.close());

/** The README's policy with the lab's names, and without one action. */
async function allow(without?: string): Promise<void> {
  const named = documented?.replaceAll('acme-web', web.bucket.name).replaceAll('E2QWRUHAPOMQZL', web.distribution);
  const { Statement } = JSON.parse(named ?? '') as Policy;
  const less = Statement.map((statement) => ({
    Effect: 'Allow',
    Resource: statement.Resource,
    Action: [statement.Action].flat().filter((action) => action !== without),
  }));
  await web.control.set('policy', { Statement: less });
}

describe("the README's policy", () => {
  test('is enough to deploy, to deploy again, to roll back and to remove a preview', async () => {
    await allow();
    const event = pullRequest();
    const runs = [await web.deploy()];
    web.build(site('two', 'Zz99-Qrs'));
    runs.push(await web.deploy(), await web.deploy({ action: 'rollback' }));
    runs.push(await web.deploy({}, event), await web.deploy({ action: 'remove' }, event));
    for (const { log } of runs) expect(log).not.toMatch(/::(error|warning)/);
    expect(runs.map(({ outputs }) => outputs['verdict'])).toEqual([
      'deployed',
      'deployed',
      'rolled-back',
      'deployed',
      'removed',
    ]);
    expect(await web.served('index.html')).toContain('<title>one</title>');
  }, 60_000);

  test.each(actions)(
    'needs %s',
    async (action) => {
      await web.deploy();
      web.build(site('two', 'Zz99-Qrs'));
      await allow(action);
      const { exitCode, log, outputs } = await web.deploy();
      expect(log).toMatch(new RegExp(`::(error|warning)[^\n]*::[^\n]*IAM action ${action} `));
      expect(log).not.toContain('a fault of this action');
      // What cannot be deleted stays, and the release is served all the same.
      expect({ exitCode, verdict: outputs['verdict'] }).toEqual(
        action === 's3:DeleteObject' ? { exitCode: 0, verdict: 'deployed' } : { exitCode: 1, verdict: 'failed' },
      );
    },
    60_000,
  );
});

test('a first deploy without s3:GetObject, which S3 asks for to copy, says so', async () => {
  await allow('s3:GetObject');
  const { log } = await web.deploy();
  expect(log).toMatch(/::error::[^\n]*IAM action s3:GetObject /);
  expect(await web.served('index.html')).toBeUndefined();
});

describe('a preview', () => {
  test('lies in its folder beside the site, is told by its address, and goes with its pull request', async () => {
    await web.deploy();
    const event = pullRequest();
    web.build(site('a change', 'Zz99-Qrs'));
    const { outputs, summary, log } = await web.deploy({ url: '' }, event);
    expect(log).not.toMatch(/::(error|warning)/);
    expect(summary).toContain(String.raw`### ✅ The preview of \#12 is deployed`);
    expect(outputs).toMatchObject({ verdict: 'deployed' });
    expect(await web.served('previews/pr-12/index.html')).toContain('a change');
    expect(await web.served('index.html')).toContain('<title>one</title>');

    // A deploy of the site leaves it alone, whatever is old there.
    web.build(site('two', 'Yy88-Qrs'));
    await web.deploy();
    expect(await web.served('previews/pr-12/index.html')).toContain('a change');

    const plain = { contentType: 'text/plain', cacheControl: '', contentEncoding: '' } as const;
    await web.bucket.write('previews/pr-12/notes.txt', Buffer.from('theirs'), plain);
    const removed = await web.deploy({ action: 'remove' }, event);
    expect(removed.outputs).toMatchObject({ verdict: 'removed' });
    expect(removed.summary).toContain('1 object stays under previews/pr-12/');
    expect([...(await web.bucket.list('previews/')).keys()]).toEqual([
      'previews/pr-12/.releases/current.json',
      'previews/pr-12/notes.txt',
    ]);
    expect((await web.deploy({ action: 'remove' }, event)).exitCode).toBe(0);
    expect(await web.served('index.html')).toContain('<title>two</title>');
  }, 60_000);

  test('that asks for its files at the root of the host is warned of', async () => {
    web.build({ 'index.html': '<script type="module" src="/assets/index-AbCd12_x.js"></script>' });
    expect((await web.deploy({}, pullRequest())).log).toMatch(/::warning::index\.html asks for its files at the root/);
    expect((await web.deploy()).log).not.toContain('::warning');
  });

  test('is all that can be removed', async () => {
    const { exitCode, log } = await web.deploy({ action: 'remove' });
    expect(exitCode).toBe(1);
    expect(log).toContain('takes only previews away');
  });
});

function pullRequest(): Readonly<Record<string, string>> {
  return web.event('pull_request', { number: 12, pull_request: { number: 12 } });
}
