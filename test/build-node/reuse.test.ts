import { execFile, execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { TestCache } from '../cache/server.ts';
import { NpmRegistry, quietEnv } from './npm-registry.ts';
import { type BundleRun, Workspace } from './workspace.ts';

let shop: Workspace;
let service: TestCache;
let npm: NpmRegistry;
beforeEach(async () => {
  shop = new Workspace();
  service = await TestCache.start();
  npm = await NpmRegistry.start('127.0.0.1');
  npm.publish({ name: 'left', version: '1.0.0', main: 'index.js' }, { 'index.js': 'module.exports = 1\n' });
});
afterEach(async () => {
  shop.remove();
  service.stop();
  await npm.stop();
});

const inFolder = (...names: string[]): string => path.join(shop.folder, ...names);
const environment = () => ({
  npm_config_registry: `http://${npm.host}/`,
  npm_config_cache: path.join(shop.home, 'npm'),
});

function git(...args: readonly string[]): void {
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.example', ...args], { cwd: shop.folder });
}

/** A committed project with one dependency; each script notes that it ran. */
async function commit(scripts: Readonly<Record<string, string>>): Promise<void> {
  const project = { name: 'shop', version: '1.0.0', main: 'server.js', dependencies: { left: '1.0.0' }, scripts };
  shop.write({ 'package.json': project, 'server.js': '', '.gitignore': 'node_modules\n*.log\ndist\n' });
  const args = ['install', '--package-lock-only', '--ignore-scripts'];
  // This process serves the registry meanwhile.
  await promisify(execFile)('npm', args, { cwd: shop.folder, env: quietEnv(shop.home, environment()) });
  git('init', '-q');
  git('add', '.');
  git('commit', '-q', '-m', 'Start');
}

const notes = (name: string): string => `node -e "require('left'); require('fs').appendFileSync('${name}.log', 'x')"`;
const times = (name: string): number => {
  const file = inFolder(`${name}.log`);
  return existsSync(file) ? readFileSync(file, 'utf8').length : 0;
};

/** A build on a fresh checkout: what installs and scripts wrote is gone, but for the notes, which lie elsewhere then. */
async function build(
  env: Readonly<Record<string, string>> = {},
  inputs: Readonly<Record<string, string>> = {},
): Promise<BundleRun> {
  const ran = await shop.start(inputs, { ...service.env(), ...environment(), ...env }).ended;
  return ran;
}

function freshCheckout(): void {
  git('clean', '-qfdx');
}

describe('installed dependencies', () => {
  test('are restored for the same lockfile, and the hooks of the project still run', async () => {
    await commit({ test: notes('test'), prepare: notes('prepare') });
    const first = await build();
    expect(first.log).toContain('saved in the cache');
    expect(first.exitCode).toBe(0);
    freshCheckout();
    const tarballs = npm.asked.length;
    const again = await build({}, { scripts: 'prepare' });
    expect(again.exitCode).toBe(0);
    expect(again.log).toContain('nothing is installed');
    expect(again.log).not.toContain('npm ci');
    expect(again.summary).toContain('restored from the cache');
    expect(npm.asked.length).toBe(tarballs);
    expect(existsSync(inFolder('node_modules/left/index.js'))).toBe(true);
    // Once as the hook, once as the script that was asked for.
    expect(times('prepare')).toBe(2);
  });

  test('are saved though the tests fail', async () => {
    await commit({ test: 'node -e "process.exit(1)"' });
    expect((await build()).exitCode).toBe(1);
    freshCheckout();
    expect((await build()).log).toContain('nothing is installed');
  });

  test.each([
    ['a setting of the install', () => writeFileSync(inFolder('.npmrc'), 'legacy-peer-deps=true\n')],
    ['the lockfile', () => appendFileSync(inFolder('package-lock.json'), '\n')],
  ])('are not those of another state of %s', async (_what, change) => {
    await commit({ test: notes('test') });
    await build();
    freshCheckout();
    change();
    const again = await build();
    expect(again.log).toContain('npm ci');
    expect(again.exitCode).toBe(0);
  });
});

describe('passed checks', () => {
  test('are not run again on the same content, but the build is, as later steps may need what it writes', async () => {
    await commit({ test: notes('test'), build: notes('build') });
    await build();
    freshCheckout();
    const again = await build();
    expect([times('test'), times('build')]).toEqual([0, 1]);
    const commitId = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: shop.folder, encoding: 'utf8' }).trim();
    expect(again.log).toContain(`test: passed before, by commit ${commitId}`);
    expect(again.summary).toMatch(new RegExp(`\\| test \\| passed before \\(${commitId.slice(0, 7)}\\)`));
    expect(again.exitCode).toBe(0);
  });

  test.each([
    ['a file of the commit', () => (appendFileSync(inFolder('server.js'), '1;'), git('commit', '-qam', 'Change'))],
    ['an ignored file that a step before made', () => writeFileSync(inFolder('made.log'), '1;')],
  ])('run again after a change of %s', async (_what, change) => {
    await commit({ test: notes('test') });
    await build();
    freshCheckout();
    change();
    await build();
    expect(times('test')).toBe(1);
  });

  test.each([
    ['a schedule', { GITHUB_EVENT_NAME: 'schedule' }, {}],
    ['cache: false', {}, { cache: 'false' }],
  ])('run again with %s', async (_what, env, inputs) => {
    await commit({ test: notes('test') });
    await build();
    freshCheckout();
    await build(env, inputs);
    expect(times('test')).toBe(1);
  });

  test('that failed run again', async () => {
    await commit({ lint: notes('lint'), test: `${notes('test')} && node -e "process.exit(1)"` });
    await build();
    freshCheckout();
    expect((await build()).exitCode).toBe(1);
    expect([times('lint'), times('test')]).toEqual([0, 1]);
  });

  test('run, and all is well, where the cache is down', async () => {
    await commit({ test: notes('test') });
    await service.control.faults({ kind: 'unavailable', times: 99 });
    const { log, exitCode } = await build();
    expect(exitCode).toBe(0);
    expect(log).toContain('what passed before is not known: the cache service does not answer');
    expect(times('test')).toBe(1);
    rmSync(inFolder('node_modules'), { recursive: true });
  });
});

test('without a cache service one line says so', async () => {
  await commit({ test: notes('test') });
  const { log, exitCode } = await shop.start({}, environment()).ended;
  expect(exitCode).toBe(0);
  expect(log.match(/cache/g)).toHaveLength(2);
  expect(log).toContain("nothing is taken from GitHub's cache or kept in it: this runner has no cache service");
});

test('a script that hangs is ended, and named', async () => {
  await commit({ test: 'node -e "console.log(\'RUNS slow.test.js\'); setInterval(() => 0, 1000)"' });
  const { log, summary, exitCode } = await build({}, { timeout: '2s' });
  expect(exitCode).toBe(1);
  expect(log).toContain('test: ended for taking too long, after');
  expect(summary).toContain('| test | took too long |');
  expect(summary).toContain('RUNS slow.test.js');
});
