import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { cpSync } from 'node:fs';
import path from 'node:path';
import { openLab } from '../lab/lab.ts';
import { describeWith } from '../lab/needs.ts';
import { docker, firstAnswer, running } from './container.ts';
import { type BundleRun, Workspace, project } from './workspace.ts';

const example = path.resolve(import.meta.dirname, '../../examples/tracking-api');
// The lab may have stood for longer than this test: another run's content must not be found.
const fresh = randomBytes(4).toString('hex');
const service = `demo-${fresh}/tracking-api`;
const describe = await describeWith('images');
let shop: Workspace;
// A machine that never built buildx and a base image does so now.
beforeAll(async () => {
  await openLab('images', 'registry');
}, 20 * 60_000);
beforeEach(() => {
  shop = new Workspace();
});
afterEach(() => shop.remove());

async function engine(): Promise<{ DOCKER_HOST: string; DOCKER_CONFIG: string }> {
  const { images } = await openLab('images');
  return { DOCKER_HOST: images?.dockerHost ?? '', DOCKER_CONFIG: images?.dockerConfig ?? '' };
}

async function build(
  inputs: Readonly<Record<string, string>>,
  repository = `shop-${fresh}`,
  more: Readonly<Record<string, string>> = {},
): Promise<BundleRun> {
  const { registry } = await openLab('registry');
  const env = { ...(await engine()), ...more };
  return shop.build({ image: repository, registry: registry?.host ?? '', ...inputs }, env);
}

/** What the registry holds under a name. */
async function manifest(repository: string, name: string): Promise<Response> {
  const { registry } = await openLab('registry');
  const accept = 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json';
  return fetch(`http://${registry?.host}/v2/${repository}/manifests/${name}`, { headers: { accept } });
}

describe('an image, by a real engine in a real registry', () => {
  test('is built without a Dockerfile, pushed, tagged, and used again for the same content', async () => {
    cpSync(example, shop.folder, { recursive: true });
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.example', ...args], { cwd: shop.folder });
    git('init', '-q');
    git('add', '.');
    git('commit', '-q', '-m', 'Start');
    const first = await build({}, service);
    expect(first.log).toContain('FROM node:24-slim');
    expect(first.exitCode).toBe(0);
    expect(first.outputs).toMatchObject({ name: service, reused: 'false' });
    const digest = first.outputs['digest'] ?? '';
    expect(first.outputs['image']).toMatch(new RegExp(`/${service}@${digest}$`));
    expect((await manifest(service, digest)).status).toBe(200);
    for (const tag of ['main', '0123456789abcdef0123456789abcdef01234567']) {
      const answer = await manifest(service, tag);
      expect(answer.headers.get('docker-content-digest')).toBe(digest);
    }
    expect(first.summary).toContain(`✅ ${service} is built and pushed`);

    // The first build left junit.xml behind; what a build writes is no content.
    const again = await build({}, service);
    expect(again.outputs).toMatchObject({ digest, reused: 'true' });
    expect(again.log).not.toContain('docker buildx build');
    expect(again.summary).toContain('used again');

    const forced = await build({ cache: 'false' }, service);
    expect(forced.outputs['reused']).toBe('false');
    expect(forced.log).toContain('docker buildx build');
    // What was delivered serves, as an ordinary user on a read-only file system, and goes when it is told to.
    const image = first.outputs['image'] ?? '';
    const env = await engine();
    await docker(env, 'pull', '--quiet', image);
    await running(env, image, async ({ id, address }) => {
      expect((await firstAnswer(`http://${address}:8080/healthz`)).status).toBe(200);
      expect(await docker(env, 'exec', id, 'id', '-u')).toBe('1000');
      const told = Date.now();
      await docker(env, 'stop', '--time=30', id);
      expect(Date.now() - told).toBeLessThan(10_000);
      expect(await docker(env, 'inspect', '--format={{.State.ExitCode}}', id)).toBe('0');
    });
  }, 180_000);

  test('other content gets another image', async () => {
    shop.write({ ...project(), 'server.js': '1', Dockerfile: 'FROM scratch\nARG SIZE\nCOPY server.js /\n' });
    const one = await build({});
    shop.write({ 'server.js': '2' });
    const two = await build({});
    const three = await build({ 'build-args': 'SIZE=large' });
    for (const run of [one, two, three]) expect([run.exitCode, run.outputs['reused']]).toEqual([0, 'false']);
    expect(two.outputs['digest']).not.toBe(one.outputs['digest']);
    shop.write({ 'server.js': '1' });
    expect((await build({})).outputs).toMatchObject({ reused: 'true', digest: one.outputs['digest'] });
  }, 120_000);

  test('what other scripts or another processor make of the same files is other content', async () => {
    const scripts = { staging: 'echo staging > site.txt', production: 'echo production > site.txt' };
    shop.write({ ...project(scripts), Dockerfile: 'FROM scratch\nCOPY package.json /\n', '.dockerignore': 'site.txt' });
    const runs = [
      await build({ scripts: 'staging' }),
      await build({ scripts: 'production' }),
      await build({ scripts: 'production' }, undefined, {
        NODE_OPTIONS: '--import=data:text/javascript,Object.defineProperty(process,%22arch%22,{value:%22riscv64%22})',
      }),
    ];
    expect(runs.map(({ outputs }) => outputs['reused'])).toEqual(['false', 'false', 'false']);
  }, 120_000);

  test("a Dockerfile that does not build is annotated on the step's line", async () => {
    shop.write({ ...project(), Dockerfile: 'FROM scratch\n\nCOPY no-such-file /\n' });
    const { exitCode, log, outputs, summary } = await build({});
    expect(exitCode).toBe(1);
    expect(log).toMatch(/::error file=Dockerfile,line=3::Dockerfile does not build at line 3: .*no-such-file/);
    expect(outputs['image']).toBeUndefined();
    expect(summary).toContain('was not built');
  }, 60_000);

  test('with push: false it is built and nothing is pushed', async () => {
    shop.write({ ...project(), Dockerfile: 'FROM scratch\nCOPY package.json /\n' });
    const { exitCode, outputs, summary } = await build({ push: 'false' }, 'never-pushed');
    expect(exitCode).toBe(0);
    expect(outputs['image']).toBeUndefined();
    expect(summary).toContain('nothing was pushed');
    expect((await manifest('never-pushed', 'main')).status).toBe(404);
  }, 60_000);

  test('a registry that cannot be reached is named', async () => {
    shop.write({ ...project(), Dockerfile: 'FROM scratch\nCOPY package.json /\n' });
    const { exitCode, log } = await build({ registry: '127.0.0.1:1' });
    expect(exitCode).toBe(1);
    expect(log).toContain('127.0.0.1:1');
    expect(log).not.toContain('unexpected');
  }, 60_000);
});
