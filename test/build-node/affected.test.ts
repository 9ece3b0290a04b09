import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type BundleRun, Workspace } from './workspace.ts';

let shop: Workspace;
let server: Server;
let green: readonly string[];

/** What of GitHub's answer is read; base.test.ts holds it against GitHub's own description. */
beforeAll(async () => {
  server = createServer((request, response) => {
    const allowed = request.headers.authorization === 'Bearer a-token-of-github';
    const repository = { full_name: 'acme/shop' };
    const facts = { event: 'push', head_branch: 'main', conclusion: 'success', head_repository: repository };
    response.writeHead(allowed ? 200 : 403);
    response.end(JSON.stringify({ workflow_runs: green.map((commit) => ({ ...facts, head_sha: commit })) }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
beforeEach(() => {
  shop = new Workspace();
  green = [];
});
afterEach(() => shop.remove());
afterAll(() => void server.close());

function git(...args: readonly string[]): string {
  const author = ['-c', 'user.name=a', '-c', 'user.email=a@b.example', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', [...author, ...args], { cwd: shop.folder, encoding: 'utf8' }).trim();
}

function commit(files: Readonly<Record<string, string | object>>): string {
  shop.write(files);
  git('add', '.');
  git('commit', '-q', '-m', 'Change');
  return git('rev-parse', 'HEAD');
}

/** Three packages of npm without dependencies from elsewhere, so that no registry is asked. */
function start(): string {
  git('init', '-q', '-b', 'main');
  const say = (what: string) => `node -e "console.log('ran ${what}')"`;
  const own = (name: string) => ({
    name,
    version: '1.0.0',
    scripts: { build: say(`${name} build`), test: say(`${name} test`) },
  });
  shop.write({
    '.gitignore': 'node_modules\n',
    'package.json': { name: 'shop', private: true, workspaces: ['packages/*'] },
    'packages/api/package.json': { ...own('api'), dependencies: { lib: '1.0.0' } },
    'packages/lib/package.json': own('lib'),
    'packages/web/package.json': own('web'),
  });
  const quiet = ['--package-lock-only', '--offline', '--no-audit', '--no-fund', '--silent'];
  execFileSync('npm', ['install', ...quiet], { cwd: shop.folder });
  return commit({});
}

async function build(
  inputs: Readonly<Record<string, string>> = {},
  { at = shop, env = {} }: { at?: Workspace; env?: Readonly<Record<string, string>> } = {},
): Promise<BundleRun> {
  return at.start(
    { affected: 'true', 'github-token': 'a-token-of-github', ...inputs },
    {
      GITHUB_API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      GITHUB_WORKFLOW_REF: 'acme/shop/.github/workflows/deliver.yml@refs/heads/main',
      ...env,
    },
  ).ended;
}

const ran = ({ log }: BundleRun): readonly string[] =>
  [...log.matchAll(/^ran (.*)$/gm)].map(([, what = '']) => what).toSorted();

test('scripts run for what changed since the last green commit, and for what needs it', async () => {
  const first = start();
  commit({ 'packages/lib/a.js': '1' });
  green = [first];
  const run = await build();
  expect(run.exitCode).toBe(0);
  expect(ran(run)).toEqual(['api build', 'api test', 'lib build', 'lib test']);
  // In the order of who needs whom.
  expect(run.log.indexOf('ran lib build')).toBeLessThan(run.log.indexOf('ran api build'));
  expect(run.summary).toContain('Skipped 1 of 3 packages');
  expect(run.summary).toContain(`changed since ${first.slice(0, 7)}, the last green commit of main: \`packages/web\``);
  expect(run.summary).toContain('| packages/api: test | passed |');
}, 60_000);

test('nothing runs where nothing changed, nor for a package that did not', async () => {
  green = [start()];
  const untouched = await build();
  expect([untouched.exitCode, ran(untouched)]).toEqual([0, []]);
  commit({ 'packages/web/a.js': '1' });
  const other = await build({ directory: 'packages/api' });
  expect([other.exitCode, ran(other)]).toEqual([0, []]);
  expect(other.summary).toContain('Skipped the scripts of `packages/api`');
}, 60_000);

test('a shallow checkout fetches the commit that it is compared with, for a branch and for a pull request', async () => {
  const first = start();
  git('config', 'uploadpack.allowAnySHA1InWant', 'true');
  commit({ 'packages/web/a.js': '1' });
  const shallow = new Workspace();
  try {
    const clone = ['clone', '-q', '--depth=1', `file://${shop.folder}`, '.'];
    execFileSync('git', clone, { cwd: shallow.folder });
    green = [first];
    const pushed = await build({}, { at: shallow });
    expect([pushed.exitCode, ran(pushed)]).toEqual([0, ['web build', 'web test']]);
    const event = path.join(shallow.home, 'event.json');
    writeFileSync(event, JSON.stringify({ pull_request: { base: { sha: first } } }));
    const asked = await build({}, { at: shallow, env: { GITHUB_EVENT_PATH: event, GITHUB_REF: 'refs/pull/7/merge' } });
    expect(ran(asked)).toEqual(['web build', 'web test']);
    expect(asked.summary).toContain(`changed since ${first.slice(0, 7)}, the base of the pull request`);
  } finally {
    shallow.remove();
  }
}, 60_000);

test('everything runs where no green commit is known, and it says why and what to do', async () => {
  start();
  const run = await build({ 'github-token': 'another' });
  expect(run.exitCode).toBe(0);
  expect(ran(run)).toHaveLength(6);
  expect(run.summary).toContain('Nothing was skipped, because the last green commit of main is not known');
  expect(run.summary).toContain('`permissions: actions: read`');
}, 60_000);

test('a failing package is named with the command that shows the same', async () => {
  const first = start();
  green = [first];
  commit({
    'packages/lib/package.json': { name: 'lib', version: '1.0.0', scripts: { build: 'exit 3', test: 'echo fine' } },
  });
  const run = await build();
  expect(run.exitCode).toBe(1);
  expect(run.summary).toContain('**Why:** packages/lib: build failed');
  expect(run.summary).toContain('`npm run build` in `packages/lib`');
  expect(run.summary).toContain('| packages/api: build | not run |');
}, 60_000);

test('names, scripts and what they write are never taken for anything else', async () => {
  start();
  const evil = '$(touch hacked)`touch hacked`;\u001b[31m::warning::x';
  // oxlint-disable-next-line no-template-curly-in-string -- a shell's own
  const script = `printf '::set-output name=image::evil\\n\\033[31mred\\n::stop-commands::x\\n'`;
  commit({ [`packages/${evil}/package.json`]: { name: 'evil', version: '1.0.0', scripts: { test: script } } });
  execFileSync('npm', ['install', '--package-lock-only', '--offline', '--silent'], { cwd: shop.folder });
  const run = await build({ affected: 'false' });
  expect(run.exitCode).toBe(0);
  expect(git('status', '--short', '--ignored')).not.toContain('hacked');
  expect(run.log).not.toMatch(/^::(?:set-output|stop-commands|warning)/m);
  expect(run.log).not.toContain('\u001b');
  expect(run.outputs['image']).toBeUndefined();
  expect(run.summary).not.toContain('\u001b');
}, 60_000);
