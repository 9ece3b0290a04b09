import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { UserError } from '../../src/action/errors.ts';
import { install } from '../../src/node/install.ts';
import type { PackageManager } from '../../src/node/package-manager.ts';
import { cache } from '../lab/cache.ts';
import { describeWith } from '../lab/needs.ts';
import { NpmRegistry } from '../build-node/npm-registry.ts';
import { Installed, NAMES } from './real-managers.ts';

// Real managers against a stand-in of a registry, since no real one fails when it is told to.
const asRoot = await describeWith('mounts');
const TOOLS = path.join(cache, 'node-tools');
const SHOP = { name: 'shop', version: '1.0.0', license: 'MIT' };

describe.each(NAMES)('an install by %s', (name) => {
  let registry: NpmRegistry;
  let shop: Installed;
  let manager: PackageManager;
  beforeAll(async () => {
    registry = await NpmRegistry.start('127.0.0.1');
    // What does not compress fills a disk.
    const random = Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString('base64');
    registry.publish({ name: 'words', version: '1.0.0' }, { 'words.txt': random });
    registry.publish({ name: 'words', version: '2.0.0' }, {});
    shop = new Installed(`http://${registry.host}/`);
    shop.write({ 'package.json': { ...SHOP, dependencies: { words: '^1.0.0' } } });
    manager = await shop.lock(name, TOOLS);
    registry.asked.length = 0;
  }, 120_000);
  afterEach(() => {
    registry.fault = () => undefined;
    registry.asked.length = 0;
    shop.lines.length = 0;
    shop.forget();
  });
  afterAll(async () => {
    shop.remove();
    await registry.stop();
  });

  const run = async (): Promise<number> => install(manager, shop.folder, shop.host(TOOLS));
  const failure = async (): Promise<UserError> =>
    run().then(
      () => Promise.reject(new Error(`it was installed:\n${shop.lines.join('\n')}`)),
      (error: UserError) => error,
    );
  const attempts = (): number => shop.lines.filter((line) => line.startsWith('::group::')).length;
  const isInstalled = (): boolean => existsSync(path.join(shop.folder, 'node_modules/words/package.json'));

  test('goes on where a connection ends in the middle of a package', async () => {
    let cuts = 1;
    registry.fault = (file) => (file.endsWith('.tgz') && (cuts -= 1) >= 0 ? 'cut' : undefined);
    await run();
    expect(isInstalled()).toBe(true);
    expect(registry.asked.filter(({ path: file }) => file.endsWith('.tgz'))).toHaveLength(2);
    // Yarn 1 asks again by itself.
    expect(attempts()).toBe(name === 'yarn-classic' ? 1 : 2);
  }, 60_000);

  test('goes on where the registry was down for a moment', async () => {
    let down = 1;
    registry.fault = () => ((down -= 1) >= 0 ? 503 : undefined);
    await run();
    expect(isInstalled()).toBe(true);
    expect(attempts()).toBe(2);
    expect(shop.lines.join('\n')).toContain('::warning::The network failed during the install');
  });

  test('gives up after the third attempt, and says that the network failed', async () => {
    registry.fault = () => 502;
    expect(await failure()).toMatchObject({
      message: expect.stringContaining('the network or the registry of packages failed, on every attempt'),
      remedy: expect.stringContaining('Run the job again'),
    });
    expect(attempts()).toBe(3);
  });

  test.each([
    [401, 'does not know who is asking (401)', 'secrets.NPM_TOKEN'],
    [403, 'does not allow it (403)', 'right to read the package'],
    [404, 'or hides it from who is asking (404)', 'Check the name'],
  ])('from a registry that answers %s is not tried again, and says what to do', async (status, what, remedy) => {
    registry.fault = () => status;
    expect(await failure()).toMatchObject({
      message: expect.stringContaining(what),
      remedy: expect.stringContaining(remedy),
    });
    expect(attempts()).toBe(1);
  });

  test('with a lockfile that is out of date names the command that mends it', async () => {
    shop.write({ 'package.json': { ...SHOP, dependencies: { words: '^2.0.0' } } });
    const error = await failure();
    shop.write({ 'package.json': { ...SHOP, dependencies: { words: '^1.0.0' } } });
    expect(error.message).toContain(`${manager.lockfile} does not fit package.json`);
    expect(error.place).toEqual({ file: manager.lockfile });
    expect(attempts()).toBe(1);
    expect(isInstalled()).toBe(false);
  });

  asRoot('with a small disk', () => {
    test('says that it is full', async () => {
      const full = path.join(shop.folder, 'node_modules');
      mkdirSync(full, { recursive: true });
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', full]);
      try {
        expect(await failure()).toMatchObject({
          message: expect.stringContaining('the disk of this runner is full (ENOSPC)'),
          remedy: expect.stringContaining('Free space'),
        });
        expect(attempts()).toBe(1);
      } finally {
        execFileSync('umount', [full]);
      }
    });
  });

  test('shows what a script of the project writes, and the runner obeys none of it', async () => {
    const said = String.raw`\u001b[31m##[error]red\u001b[0m\n::add-mask::shop\n`;
    const hostile = `process.stderr.write("${said}"); process.exit(3);`;
    const before = readFileSync(path.join(shop.folder, 'package.json'), 'utf8');
    shop.write({
      'hostile.js': hostile,
      'package.json': { ...JSON.parse(before), scripts: { postinstall: 'node hostile.js' } },
    });
    const error = await failure();
    shop.write({ 'package.json': before });
    expect(error.message).toContain('failed with exit code');
    const log = shop.lines.join('\n');
    expect(log).toContain('error]red');
    for (const obeyed of ['##[', '\u001b', '\n::add-mask']) expect(log).not.toContain(obeyed);
  });
});

test.each([
  ['npm', { '.npmrc': 'engine-strict=true\n' }],
  ['pnpm', { '.npmrc': 'engine-strict=true\n' }],
  ['yarn-classic', {}],
] as const)('an install by %s of what excludes this Node says so', async (name, settings) => {
  const registry = await NpmRegistry.start('127.0.0.1');
  const shop = new Installed(`http://${registry.host}/`);
  try {
    shop.write({ ...settings, 'package.json': SHOP });
    const manager = await shop.lock(name, TOOLS);
    shop.write({ 'package.json': { ...SHOP, engines: { node: '>=99' } } });
    await expect(install(manager, shop.folder, shop.host(TOOLS))).rejects.toMatchObject({
      message: expect.stringContaining('excludes this version of Node'),
      remedy: expect.stringContaining('Change the Node version'),
    });
  } finally {
    shop.remove();
    await registry.stop();
  }
});
