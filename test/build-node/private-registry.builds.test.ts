import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openLab } from '../lab/lab.ts';
import { describeWith } from '../lab/needs.ts';
import { docker, firstAnswer, running, textsInImage } from './container.ts';
import { NpmRegistry, quietEnv } from './npm-registry.ts';
import { type BundleRun, Workspace } from './workspace.ts';

const fresh = randomBytes(4).toString('hex');
const token = `npm-token-${fresh}-of-ana`;
const SERVER = `import { createServer } from 'node:http';
import { greet } from '@acme/greet';
const server = createServer((request, response) => response.end(greet(process.getuid())));
server.listen(8080);
process.on('SIGTERM', () => server.close());
`;
const describe = await describeWith('images');
let shop: Workspace;
let registry: NpmRegistry | undefined;
let engine: { DOCKER_HOST: string; DOCKER_CONFIG: string; address: string; images: string };

beforeAll(async () => {
  const { images, registry: server } = await openLab('images', 'registry');
  if (images === undefined || server === undefined) throw new Error('the lab has no images or no registry');
  const { dockerHost, dockerConfig, address } = images;
  engine = { DOCKER_HOST: dockerHost, DOCKER_CONFIG: dockerConfig, address, images: server.host };
}, 20 * 60_000);
beforeEach(() => {
  shop = new Workspace();
});
afterEach(async () => {
  shop.remove();
  await registry?.stop();
});

/** Packages of which one needs another, and one that only a build needs. */
async function packages(secret?: string): Promise<NpmRegistry> {
  registry = await NpmRegistry.start(engine.address, secret);
  const words = { name: 'words', version: '1.0.0', main: 'words.js' };
  registry.publish(words, { 'words.js': "exports.hello = 'hello from user';" });
  const greet = { name: '@acme/greet', version: '2.1.0', main: 'greet.js', dependencies: { words: '^1.0.0' } };
  registry.publish(greet, { 'greet.js': "exports.greet = (who) => require('words').hello + ' ' + who;" });
  const compiler = { name: 'acme-compiler', version: '3.0.0', bin: { 'acme-compile': 'compile.js' } };
  const source = "#!/usr/bin/env node\nrequire('fs').cpSync(process.argv[2], process.argv[3], { recursive: true });\n";
  registry.publish(compiler, { 'compile.js': source });
  return registry;
}

/** A service without a Dockerfile whose build needs a development dependency; npm itself writes the lockfile. */
async function writeProject(npmrc: string | undefined, environment: Readonly<Record<string, string>>): Promise<void> {
  shop.write({
    'package.json': {
      name: 'shop',
      version: '1.0.0',
      type: 'module',
      scripts: { build: 'acme-compile src dist', start: 'node dist/server.js' },
      dependencies: { '@acme/greet': '^2.0.0' },
      devDependencies: { 'acme-compiler': '^3.0.0' },
    },
    'src/server.js': SERVER,
    ...(npmrc !== undefined && { '.npmrc': npmrc }),
  });
  const args = ['install', '--package-lock-only', '--no-audit', '--no-fund', '--silent'];
  const env = quietEnv(shop.home, environment);
  await promisify(execFile)('npm', args, { cwd: shop.folder, env, timeout: 60_000 });
}

async function build(env: Readonly<Record<string, string>>, more: Readonly<Record<string, string>> = {}) {
  return shop.start({ image: `shop-${fresh}`, registry: engine.images, ...more }, { ...engine, ...env }).ended;
}

async function filesOf(image: string, folder: string): Promise<readonly string[]> {
  const list = await docker(engine, 'run', '--rm', '--network=none', image, 'ls', '-A', folder);
  return list.split('\n').toSorted();
}

function masked(run: BundleRun): string {
  return run.log.replaceAll(/^::add-mask::.*$/gm, '');
}

describe('a project of a private registry, without a Dockerfile', () => {
  test('is built with production dependencies alone, its token in no layer and no log', async () => {
    const { host, asked } = await packages(token);
    await writeProject(`registry=http://${host}/\n//${host}/:_authToken=\${NPM_TOKEN}\n`, { NPM_TOKEN: token });
    const run = await build({ NPM_TOKEN: token });
    expect(masked(run)).toContain('--mount=type=secret,id=npmrc,required=true,target=/root/.npmrc');
    expect(run.exitCode).toBe(0);
    expect(run.log).toContain(`::add-mask::${token}`);
    for (const text of [masked(run), run.summary, JSON.stringify(run.outputs)]) expect(text).not.toContain(token);
    // Containers of the build asked it too, with the token.
    const inside = asked.filter(({ from }) => from !== engine.address);
    expect(inside.map(({ path: name }) => name)).toContain('words/-/words-1.0.0.tgz');
    expect(asked.every(({ authorized }) => authorized)).toBe(true);
    expect(readdirSync(shop.temp)).toEqual(['sbom']);

    const image = run.outputs['image'] ?? '';
    await docker(engine, 'pull', '--quiet', image);
    expect(await filesOf(image, 'node_modules')).toEqual(['.package-lock.json', '@acme', 'words']);
    expect(await filesOf(image, '.')).not.toContain('.npmrc');
    const there = ['hello from user', token, Buffer.from(token).toString('base64')];
    expect(await textsInImage(engine, image, there)).toEqual(['hello from user']);

    await running(engine, image, async ({ id, address }) => {
      expect(await (await firstAnswer(`http://${address}:8080/`)).text()).toBe('hello from user 1000');
      const began = Date.now();
      await docker(engine, 'stop', '--time=20', id);
      expect(Date.now() - began).toBeLessThan(5000);
      expect(await docker(engine, 'inspect', '--format={{.State.ExitCode}}', id)).toBe('0');
    });
  }, 180_000);

  test('a registry that the machine names is used and leaves no trace in the image', async () => {
    const { host, asked } = await packages();
    const machine = { npm_config_registry: `http://${host}/` };
    await writeProject(undefined, machine);
    // A lockfile without addresses (npm's omit-lockfile-registry-resolved): only the machine says where packages are.
    const lockfile = path.join(shop.folder, 'package-lock.json');
    const text = readFileSync(lockfile, 'utf8').replaceAll(/"resolved": "[^"]*",\s*/g, '');
    expect(text).not.toContain(host);
    writeFileSync(lockfile, text);
    asked.length = 0;
    const run = await build(machine);
    expect(run.exitCode).toBe(0);
    expect(asked.map(({ path: name }) => name)).toContain('words/-/words-1.0.0.tgz');
    const image = run.outputs['image'] ?? '';
    await docker(engine, 'pull', '--quiet', image);
    expect(await textsInImage(engine, image, [host, 'hello from user'])).toEqual(['hello from user']);
  }, 180_000);

  test('a Dockerfile of the project gets the settings as the same secret', async () => {
    const { host } = await packages(token);
    await writeProject(`registry=http://${host}/\n//${host}/:_authToken=\${NPM_TOKEN}\n`, { NPM_TOKEN: token });
    shop.write({
      Dockerfile: `FROM node:24-slim
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --omit=dev
`,
    });
    const run = await build({ NPM_TOKEN: token }, { push: 'false' });
    expect(masked(run)).not.toContain(token);
    expect(run.exitCode).toBe(0);
  }, 180_000);

  test('a token that the registry does not take fails the install, and is not shown', async () => {
    const { host } = await packages(token);
    await writeProject(`registry=http://${host}/\n//${host}/:_authToken=\${NPM_TOKEN}\n`, { NPM_TOKEN: token });
    const run = await build({ NPM_TOKEN: `wrong-${token}` });
    expect(run.exitCode).toBe(1);
    expect(masked(run)).not.toContain(token);
    expect(run.summary).toContain('does not know who is asking (401)');
    expect(run.summary).toContain('secrets.NPM_TOKEN');
    expect(run.summary).toContain('a token is needed');
  }, 60_000);
});
