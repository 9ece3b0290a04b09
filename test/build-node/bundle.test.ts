import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Workspace, project } from './workspace.ts';

let shop: Workspace;
beforeEach(() => {
  shop = new Workspace();
});
afterEach(() => shop.remove());

describe('bad input is refused before anything runs', () => {
  test('all bad inputs are named at once', () => {
    shop.write(project());
    const bad = { image: 'Shop/API; rm -rf /', region: '$(id)', push: 'perhaps', platforms: 'linux', scripts: 'a;b' };
    const { exitCode, log, summary } = shop.build(bad);
    expect(exitCode).toBe(1);
    for (const name of Object.keys(bad)) expect(log).toContain(`input ${name} (`);
    expect(summary).toBe('');
  });

  test.each(['../elsewhere', '/etc', 'nowhere', '${{ github.workspace }}'])('the directory %j', (directory) => {
    shop.write(project());
    const { exitCode, log } = shop.build({ directory });
    expect(exitCode).toBe(1);
    expect(log).toContain('is no folder inside the repository');
  });

  test('a directory that a link leads out of the repository', () => {
    symlinkSync(path.join(shop.folder, '..'), path.join(shop.folder, 'link'));
    mkdirSync(path.join(shop.folder, 'real'));
    symlinkSync('real', path.join(shop.folder, 'inside'));
    expect(shop.build({ directory: 'link' }).log).toContain('is no folder inside the repository');
    expect(shop.build({ directory: 'inside' }).log).toContain('There is no package.json');
  });

  test.each([
    ['pnpm', 'pnpm-lock.yaml', 'npm, which brings other package managers, cannot be run'],
    [
      'npm',
      'package-lock.json',
      'The project uses npm (by the lockfile package-lock.json), which this runner does not have',
    ],
  ])('a runner without npm is told what it misses for %s', (_, lockfile, said) => {
    shop.write({ ...project(), [lockfile]: project()['package-lock.json'] ?? '' });
    if (lockfile !== 'package-lock.json') rmSync(path.join(shop.folder, 'package-lock.json'));
    // A folder with Node alone.
    symlinkSync(process.execPath, path.join(shop.home, 'node'));
    const { exitCode, log, summary } = shop.build({}, { PATH: shop.home });
    expect(exitCode).toBe(1);
    expect(log).toContain(said);
    expect(log).toContain('Add a step with actions/setup-node');
    expect(summary).toContain('❌ shop was not built');
  });

  test('a list of versions is checked, given as JSON, and nothing is built', () => {
    shop.write(project({ test: 'exit 9' }, { engines: { node: '>=20' } }));
    const { exitCode, outputs, log } = shop.build({ 'node-versions': '22, 24\n22' });
    expect(outputs).toEqual({ 'node-versions': '["22","24"]' });
    expect(exitCode).toBe(0);
    expect(log).not.toContain('npm ci');
    const refused = shop.build({ 'node-versions': '22, 18, next' });
    expect(refused.exitCode).toBe(1);
    expect(refused.log).toContain('names Node 18, which `engines.node` in package.json (>=20) excludes');
    expect(refused.log).toContain('names "next", which is no version of Node');
    expect(shop.build({ 'node-versions': '22', 'node-version': '24' }).log).toContain('are both given');
  });

  test.each([
    [{ image: 'shop' }, 'inputs registry and region are both missing'],
    [{ image: 'shop', dockerfile: '../Dockerfile', push: 'false' }, 'input dockerfile: there is no file'],
    [{ dockerfile: 'Dockerfile' }, 'input dockerfile is given without image'],
    [{ image: 'shop', registry: 'ghcr.io', 'registry-username': 'ana' }, 'only one of registry-username'],
    [{ image: 'shop', region: 'eu-central-1', 'registry-password': 's3cret-word' }, 'for ECR, which takes neither'],
    [
      { image: 'shop', registry: '123456789012.dkr.ecr.eu-west-1.amazonaws.com', region: 'eu-central-1' },
      'the registry is in eu-west-1',
    ],
    [{ scripts: 'test, e2e' }, 'package.json has no script "e2e"'],
    [{ 'package-manager': 'pnpm' }, 'names pnpm, but the lockfile is package-lock.json'],
    [{ 'node-version': 'latest-and-greatest' }, 'is no version of Node'],
  ])('%j says %j', (inputs, said) => {
    shop.write({ ...project({ test: 'exit 9' }), 'server.js': '' });
    const { exitCode, log } = shop.build(inputs);
    expect(exitCode).toBe(1);
    expect(log).toContain(said);
    expect(log).not.toContain('npm ci');
    expect(log).not.toMatch(/^s3cret-word|[^:]s3cret-word/m);
  });

  test('a folder without package.json, and problems of project and inputs together', () => {
    expect(shop.build({}).log).toContain('There is no package.json in the directory.');
    shop.write({ 'package.json': { scripts: {} }, '.nvmrc': 'newest' });
    const { log } = shop.build({ image: 'shop' });
    expect(log).toContain('There is no lockfile');
    expect(log).toContain('.nvmrc names "newest"');
    expect(log).toContain('inputs registry and region are both missing');
  });

  test('an image without anything that it could start', () => {
    shop.write(project({ test: 'exit 9' }));
    const { log } = shop.build({ image: 'shop', push: 'false' });
    expect(log).toContain('package.json names nothing that a container could start');
    expect(log).not.toContain('npm ci');
  });

  test('a lockfile that is out of date, annotated with the command that mends it', () => {
    shop.write(project({}, { dependencies: { express: '^5.0.0' } }));
    const { exitCode, log } = shop.build({});
    expect(exitCode).toBe(1);
    expect(log).toMatch(/::error file=package-lock\.json::.*express in dependencies.*npm install/);
    expect(existsSync(path.join(shop.folder, 'node_modules'))).toBe(false);
  });

  test('in a folder of the repository, annotated there', () => {
    const files = project({}, { dependencies: { express: '^5.0.0' } });
    shop.write(Object.fromEntries(Object.entries(files).map(([name, content]) => [`services/api/${name}`, content])));
    const { log } = shop.build({ directory: 'services/api' });
    expect(log).toMatch(/::error file=services\/api\/package-lock\.json::express in dependencies/);
  });
});

describe('a project without an image', () => {
  test('installs, runs its scripts and tells what they came to', () => {
    shop.write(project({ lint: 'echo linted', test: 'echo tested', build: 'echo built > out.txt' }));
    const { exitCode, log, outputs, summary } = shop.build({});
    expect(log).toContain('linted');
    expect(exitCode).toBe(0);
    expect(existsSync(path.join(shop.folder, 'out.txt'))).toBe(true);
    expect(outputs['node-version']).toBe(process.versions.node);
    expect(outputs['image']).toBeUndefined();
    expect(summary).toContain('✅ shop is built and its checks pass');
    expect(summary).toContain('| build | passed |');
  });

  test('in a folder whose name holds spaces and letters of every kind', () => {
    const files = project({ test: 'node --test' }, { name: '@équipe/shop' });
    shop.write(
      Object.fromEntries(Object.entries(files).map(([name, content]) => [`dé pôt/mon app 文/${name}`, content])),
    );
    const { exitCode, summary } = shop.build({ directory: 'dé pôt/mon app 文' });
    expect(exitCode).toBe(0);
    expect(summary).toContain('équipe/shop is built');
  });

  test('a failing test fails the job on its line, and nothing is built after it', () => {
    shop.write({
      ...project({
        test: 'node --test --test-reporter=junit --test-reporter-destination=junit.xml',
        build: 'echo built > out.txt',
      }),
      'cart.test.cjs': `const test = require('node:test');
test('adds <one> item', () => {
  throw new Error('cart is | empty');
});`,
    });
    const { exitCode, log, outputs, summary } = shop.build({});
    expect(exitCode).toBe(1);
    expect(log).toMatch(/::error file=cart\.test\.cjs,line=3,col=\d+::adds <one> item: /);
    expect(existsSync(path.join(shop.folder, 'out.txt'))).toBe(false);
    expect(JSON.parse(outputs['tests'] ?? '')).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(summary).toContain('❌ shop was not built');
    expect(summary).toContain('1 of 1 tests failed: adds &#60;one&#62; item (cart.test.cjs:3');
    expect(summary).toContain('| build | not run |');
  });

  test('an install that fails shows what the package manager wrote', () => {
    shop.write(project({ preinstall: 'echo "no compiler for you" && exit 7' }));
    const { exitCode, summary } = shop.build({});
    expect(exitCode).toBe(1);
    expect(summary).toContain('failed with exit code 7');
    expect(summary).toMatch(/```\n[^]*no compiler for you[^]*```/);
  });

  test('dockerfile: print shows the Dockerfile and does nothing else', () => {
    shop.write({ ...project({ test: 'echo ran >&2' }), 'server.js': '' });
    const { exitCode, outputs, summary, log } = shop.build({ dockerfile: 'print' });
    expect(exitCode).toBe(0);
    expect(outputs['dockerfile']).toContain('FROM node:24-slim');
    expect(outputs['dockerfile']).toContain('CMD ["node", "server.js"]');
    expect(summary).toContain('This would be the Dockerfile of shop');
    expect(summary).toContain('CMD ["node", "server.js"]');
    expect(log).not.toMatch(/npm ci|^ran$/m);
  });

  test('a script that fails without a report shows its last lines', () => {
    shop.write(project({ lint: 'echo "src/a.js: unused name" && exit 3' }));
    const { exitCode, summary } = shop.build({});
    expect(exitCode).toBe(1);
    expect(summary).toContain('**Why:** lint failed');
    expect(summary).toContain('src/a.js: unused name');
  });

  test('programs of the project see neither inputs nor the right to identity tokens', () => {
    shop.write({ 'server.js': '' });
    shop.write(project({ test: 'node -p "JSON.stringify(process.env)"' }));
    const secret = 's3cret-word-of-ana';
    const { log } = shop.build(
      { image: 'shop', push: 'false', 'registry-password': secret, 'registry-username': 'ana', registry: 'r.example' },
      { ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'id-token-right', DOCKER_HOST: 'tcp://127.0.0.1:1' },
    );
    expect(log).toContain('npm_lifecycle_event');
    expect(log.replaceAll(`::add-mask::${secret}`, '')).not.toContain(secret);
    expect(log).not.toContain('id-token-right');
  });

  test('a Docker that does not answer is said so', () => {
    shop.write({ ...project(), 'server.js': '' });
    const { exitCode, log, summary } = shop.build(
      { image: 'shop', push: 'false' },
      { DOCKER_HOST: 'tcp://127.0.0.1:1' },
    );
    expect(exitCode).toBe(1);
    expect(log).toMatch(/Docker does not answer|docker could not be run|Docker has no buildx/);
    expect(summary).toContain('❌ shop was not built');
  });
});
