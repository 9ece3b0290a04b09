import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openLab } from '../lab/lab.ts';
import { describeWith } from '../lab/needs.ts';
import { docker, firstAnswer, running, textsInImage } from './container.ts';
import { NpmRegistry, quietEnv } from './npm-registry.ts';
import { type BundleRun, Workspace } from './workspace.ts';

const fresh = randomBytes(4).toString('hex');
/** The real managers; builds of images get them from the registry here. */
const MANAGERS = {
  pnpm: ['pnpm', '10.34.9'],
  yarn: ['yarn', '1.22.22'],
  berry: ['@yarnpkg/cli-dist', '4.18.1'],
  bun: ['bun', '1.4.5'],
} as const;
const PACKAGES = ['ms', 'words', 'colours', 'maker'];
const SERVER = `const { createServer } = require('node:http');
const text = require('@acme/lib') + ', ' + require('ms') + ', ' + __filename;
const server = createServer((request, response) => response.end(text));
server.listen(8080);
process.on('SIGTERM', () => server.close());
`;
/** As a build would: out of the sources, by a development dependency. */
const MAKE = `require('maker'); require('fs').cpSync('src', 'dist', { recursive: true });`;
const describe = await describeWith('images');
let shop: Workspace;
let registry: NpmRegistry;
let engine: { DOCKER_HOST: string; DOCKER_CONFIG: string; address: string; images: string };

beforeAll(async () => {
  const { images, registry: server } = await openLab('images', 'registry');
  if (images === undefined || server === undefined) throw new Error('the lab has no images or no registry');
  const { dockerHost, dockerConfig, address } = images;
  engine = { DOCKER_HOST: dockerHost, DOCKER_CONFIG: dockerConfig, address, images: server.host };
  registry = await NpmRegistry.start(address);
  // The engine keeps caches of package managers from run to run: there one version has one content.
  const version = `1.0.${parseInt(fresh, 16)}`;
  for (const name of PACKAGES) {
    registry.publish({ name, version, main: 'i.js' }, { 'i.js': `module.exports = 'this is ${name}';` });
  }
  for (const [name, version] of Object.values(MANAGERS)) registry.mirror(name, version);
  // The program itself is a package of its own for each machine.
  registry.mirror(`@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : 'x64'}`, MANAGERS.bun[1]);
}, 20 * 60_000);
beforeEach(() => {
  shop = new Workspace();
});
afterEach(() => shop.remove());
afterAll(async () => registry?.stop());

async function call(program: string, ...args: string[]): Promise<void> {
  await promisify(execFile)(program, args, { cwd: shop.folder, env: environment(), timeout: 120_000 });
}

function environment(): NodeJS.ProcessEnv {
  const bin = path.join(shop.home, 'tools/node_modules/.bin');
  const own = path.dirname(process.execPath);
  const PATH = [bin, own, process.env['PATH']].join(path.delimiter);
  return quietEnv(shop.home, { PATH, npm_config_registry: `http://${registry.host}/`, CI: 'true' });
}

/** Three packages: the service, one that it needs, and another that has nothing to do with it. */
function write(local: string, more: Readonly<Record<string, string | object>>): void {
  const make = { build: 'node make.js' };
  shop.write({
    'packages/api/package.json': {
      name: '@acme/api',
      version: '1.0.0',
      scripts: { ...make, test: 'node test.js', start: 'node dist/server.js' },
      dependencies: { '@acme/lib': local, ms: '^1.0.0' },
      devDependencies: { maker: '^1.0.0' },
    },
    'packages/api/src/server.js': SERVER,
    // Its dependency is built by then.
    'packages/api/test.js': `if (require('@acme/lib') !== 'lib with this is words') process.exit(1);`,
    'packages/api/make.js': MAKE,
    'packages/lib/package.json': {
      name: '@acme/lib',
      version: '1.0.0',
      main: 'dist/lib.js',
      scripts: { ...make, test: 'exit 1' },
      dependencies: { words: '^1.0.0' },
      devDependencies: { maker: '^1.0.0' },
    },
    'packages/lib/src/lib.js': `module.exports = 'lib with ' + require('words');`,
    'packages/lib/make.js': MAKE,
    'packages/other/package.json': {
      name: '@acme/other',
      version: '1.0.0',
      scripts: { build: 'exit 1' },
      dependencies: { colours: '^1.0.0' },
    },
    'packages/other/secret.js': '// of the other package',
    ...more,
  });
}

/** Each job begins with one: what an earlier build, or the making of the lockfile, wrote is not there. */
function cleanCheckout(): void {
  const written = ['packages/api/dist', 'packages/lib/dist', 'node_modules', '.yarn'];
  for (const one of written) rmSync(path.join(shop.folder, one), { recursive: true, force: true });
}

async function build(name: string): Promise<BundleRun> {
  const env = { ...engine, ...environment(), HOME: undefined };
  const inputs = { directory: 'packages/api', image: `${name.replace(' ', '-')}-${fresh}`, registry: engine.images };
  return shop.start(inputs, env).ended;
}

async function bring(manager: keyof typeof MANAGERS): Promise<void> {
  const prefix = path.join(shop.home, 'tools');
  await call('npm', 'install', '--silent', '--prefix', prefix, MANAGERS[manager].join('@'));
}

const ROOT = { name: 'company', private: true, workspaces: ['packages/*'] };
const managers = {
  npm: {
    local: '^1.0.0',
    files: () => ({ 'package.json': ROOT }),
    lock: async () => call('npm', 'install', '--package-lock-only', '--no-audit', '--no-fund', '--silent'),
  },
  pnpm: {
    local: 'workspace:*',
    files: () => ({
      'package.json': { name: 'company', private: true, packageManager: 'pnpm@10.34.9' },
      'pnpm-workspace.yaml': 'packages:\n  - packages/*\n',
    }),
    lock: async () => {
      await bring('pnpm');
      await call('pnpm', 'install', '--lockfile-only');
    },
  },
  'yarn 1': {
    local: '1.0.0',
    files: () => ({ 'package.json': { ...ROOT, packageManager: 'yarn@1.22.22' } }),
    lock: async () => {
      await bring('yarn');
      await call('yarn', 'install', '--non-interactive', '--silent');
    },
  },
  bun: {
    local: 'workspace:*',
    files: () => ({ 'package.json': { ...ROOT, packageManager: 'bun@1.4.5' } }),
    lock: async () => {
      await bring('bun');
      await call('bun', 'install', '--lockfile-only');
    },
  },
  'yarn 4': {
    local: 'workspace:*',
    files: () => ({
      'package.json': { ...ROOT, packageManager: 'yarn@4.18.1' },
      '.yarnrc.yml': [
        'nodeLinker: node-modules',
        'enableTelemetry: false',
        // What was published just now is quarantined otherwise.
        'npmMinimalAgeGate: 0',
        `npmRegistryServer: http://${registry.host}`,
        `unsafeHttpWhitelist: [${registry.host.split(':')[0]}]`,
        '',
      ].join('\n'),
      'yarn.lock': '',
    }),
    lock: async () => {
      await bring('berry');
      await call('yarn', 'install', '--mode=update-lockfile', '--no-immutable');
    },
  },
} as const;

describe('a service in a workspace, without a Dockerfile', () => {
  test.each(['npm', 'pnpm', 'yarn 1', 'yarn 4', 'bun'] as const)(
    'of %s: its image holds what it needs and nothing else',
    async (name) => {
      const { local, files, lock } = managers[name];
      write(local, files());
      await lock();
      cleanCheckout();
      const run = await build(name);
      expect(run.log).toContain('order of the packages: `packages/lib`, `packages/api`');
      expect(run.exitCode).toBe(0);
      // What the service needs is built before its test; what that is itself tested by is not asked for.
      expect(run.summary).toMatch(/\| packages\/lib: build \| passed .*\n\| packages\/api: test \| passed/);
      expect(run.summary).not.toMatch(/packages\/lib: test|packages\/other:/);

      const image = run.outputs['image'] ?? '';
      await docker(engine, 'pull', '--quiet', image);
      await running(engine, image, async ({ address }) => {
        const answer = await (await firstAnswer(`http://${address}:8080/`)).text();
        expect(answer).toBe('lib with this is words, this is ms, /app/packages/api/dist/server.js');
      });
      const texts = ['this is words', 'this is ms', 'this is colours', 'this is maker', 'of the other package'];
      expect(await textsInImage(engine, image, texts)).toEqual(['this is words', 'this is ms']);

      // What another package is made of is no part of it; nor is what it needs, where the lockfile can be read.
      const needed = name === 'npm' || name === 'pnpm' ? 'ms' : 'colours';
      shop.write({
        'packages/other/secret.js': '// changed',
        'packages/other/package.json': { name: '@acme/other', version: '1.0.0', dependencies: { [needed]: '^1.0.0' } },
        'README.md': 'Changed too.',
      });
      await lock();
      cleanCheckout();
      const again = await build(name);
      expect(again.outputs).toMatchObject({ reused: 'true', digest: run.outputs['digest'] });

      cleanCheckout();
      shop.write({ 'packages/lib/src/lib.js': `module.exports = 'lib with ' + require('words'); // changed` });
      expect((await build(name)).outputs).toMatchObject({ reused: 'false' });
    },
    240_000,
  );
});
