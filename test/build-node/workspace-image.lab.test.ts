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
const PNPM = '10.34.9';
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
  for (const name of PACKAGES) {
    registry.publish({ name, version: '1.0.0', main: 'i.js' }, { 'i.js': `module.exports = 'this is ${name}';` });
  }
  // pnpm itself is the real one; builds of images get it from here.
  registry.mirror('pnpm', PNPM);
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

/** Each job begins with one: what an earlier build wrote is not there. */
function cleanCheckout(): void {
  for (const one of ['api', 'lib']) rmSync(path.join(shop.folder, 'packages', one, 'dist'), { recursive: true });
}

async function build(name: string): Promise<BundleRun> {
  const env = { ...engine, ...environment(), HOME: undefined };
  const inputs = { directory: 'packages/api', image: `${name}-${fresh}`, registry: engine.images };
  return shop.start(inputs, env).ended;
}

const NPM = { name: 'company', private: true, workspaces: ['packages/*'] };
const managers = {
  npm: {
    local: '^1.0.0',
    files: { 'package.json': NPM },
    lock: async () => call('npm', 'install', '--package-lock-only', '--no-audit', '--no-fund', '--silent'),
  },
  pnpm: {
    local: 'workspace:*',
    files: {
      'package.json': { name: 'company', private: true, packageManager: `pnpm@${PNPM}` },
      'pnpm-workspace.yaml': 'packages:\n  - packages/*\n',
    },
    lock: async () => {
      await call('npm', 'install', '--silent', '--prefix', path.join(shop.home, 'tools'), `pnpm@${PNPM}`);
      await call('pnpm', 'install', '--lockfile-only');
    },
  },
} as const;

describe('a service in a workspace, without a Dockerfile', () => {
  test.each(['npm', 'pnpm'] as const)(
    'of %s: its image holds what it needs and nothing else',
    async (name) => {
      const { local, files, lock } = managers[name];
      write(local, files);
      await lock();
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

      // What another package is made of, or needs, is no part of it.
      cleanCheckout();
      shop.write({
        'packages/other/secret.js': '// changed',
        'packages/other/package.json': { name: '@acme/other', version: '1.0.0', dependencies: { ms: '^1.0.0' } },
        'README.md': 'Changed too.',
      });
      await lock();
      const again = await build(name);
      expect(again.outputs).toMatchObject({ reused: 'true', digest: run.outputs['digest'] });

      cleanCheckout();
      shop.write({ 'packages/lib/src/lib.js': `module.exports = 'lib with ' + require('words'); // changed` });
      expect((await build(name)).outputs).toMatchObject({ reused: 'false' });
    },
    240_000,
  );
});
