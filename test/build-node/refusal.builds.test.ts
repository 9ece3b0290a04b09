import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openLab } from '../lab/lab.ts';
import { describeWith } from '../lab/needs.ts';
import { docker } from './container.ts';
import { GuardedRegistry } from './guarded-registry.ts';
import { type BundleRun, Workspace, project } from './workspace.ts';

const fresh = randomBytes(4).toString('hex');
const password = `pass-${fresh}-of-ana`;
const TINY = { Dockerfile: 'FROM scratch\nCOPY package.json /\n' };
const describe = await describeWith('images');
let shop: Workspace;
let engine: { DOCKER_HOST: string; DOCKER_CONFIG: string };
let guarded: GuardedRegistry;

beforeAll(async () => {
  const { images, registry } = await openLab('images', 'registry');
  if (images === undefined || registry === undefined) throw new Error('the lab has no images or no registry');
  engine = { DOCKER_HOST: images.dockerHost, DOCKER_CONFIG: images.dockerConfig };
  guarded = await GuardedRegistry.start(registry.host, password);
}, 20 * 60_000);
afterAll(async () => guarded.stop());
beforeEach(() => {
  shop = new Workspace();
});
afterEach(() => shop.remove());

async function build(inputs: Readonly<Record<string, string>>, env: object = {}): Promise<BundleRun> {
  const run = await shop.start({ image: `shop-${fresh}`, registry: guarded.host, ...inputs }, { ...engine, ...env })
    .ended;
  const shown = run.log.replaceAll(/^::add-mask::.*$/gm, '') + run.summary;
  expect(shown).not.toContain(password);
  expect(shown).not.toContain(Buffer.from(`ana:${password}`).toString('base64'));
  return run;
}

const as = (user: string, secret = password) => ({ 'registry-username': user, 'registry-password': secret });

describe('a registry that asks who comes', () => {
  test('takes the image of who may push, and finds it again', async () => {
    shop.write({ ...project(), ...TINY });
    const first = await build(as('ana'));
    expect(first.exitCode).toBe(0);
    const again = await build(as('ana'));
    expect(again.outputs).toMatchObject({ reused: 'true', digest: first.outputs['digest'] });
  }, 60_000);

  test('takes the sign-in of an earlier step, for the look and for the push', async () => {
    shop.write({ ...project(), ...TINY, 'package.json': { ...project()['package.json'], description: 'stored' } });
    const config = mkdtempSync(path.join(tmpdir(), 'docker-config-'));
    try {
      mkdirSync(path.join(config, 'cli-plugins'));
      symlinkSync(
        path.join(engine.DOCKER_CONFIG, 'cli-plugins/docker-buildx'),
        path.join(config, 'cli-plugins/docker-buildx'),
      );
      const auth = Buffer.from(`ana:${password}`).toString('base64');
      writeFileSync(path.join(config, 'config.json'), JSON.stringify({ auths: { [guarded.host]: { auth } } }));
      const first = await build({}, { DOCKER_CONFIG: config });
      expect(first.exitCode).toBe(0);
      expect((await build({}, { DOCKER_CONFIG: config })).outputs).toMatchObject({ reused: 'true' });
    } finally {
      rmSync(config, { recursive: true, force: true });
    }
  }, 60_000);

  test.each([
    ['nobody', {}, '401 (it does not know who is asking)', 'docker/login-action'],
    ['a wrong password', as('ana', `wrong-${fresh}`), '401 (it does not know who is asking)', 'may have expired'],
    ['one who may not', as('ben'), '403 (it knows who is asking and does not allow it): DENIED', 'right to pull'],
    ['a missing repository', { ...as('ana'), image: `unknown-${fresh}` }, '404 (it does not know the', 'create the'],
  ])(
    'refuses %s, and says what is missing',
    async (_, inputs, what, remedy) => {
      shop.write({ ...project(), ...TINY, 'package.json': { ...project()['package.json'], description: what } });
      const { exitCode, log, outputs, summary } = await build(inputs);
      const error = log.split('\n').find((line) => line.startsWith('::error')) ?? '';
      expect(error).toContain(guarded.host);
      expect(error).toContain(what);
      expect(error).toContain(remedy);
      // Docker would try for most of a minute.
      expect(log).not.toContain('docker buildx build');
      expect(exitCode).toBe(1);
      expect(outputs['image']).toBeUndefined();
      expect(summary).toContain('was not built');
      expect(summary).toContain('**What to do:**');
    },
    60_000,
  );
});

describe('what docker cannot do', () => {
  test('a push that is refused although the look before it was not', async () => {
    shop.write({ ...project(), ...TINY });
    guarded.refuseManifests = true;
    try {
      const { exitCode, log } = await build({ ...as('ana'), cache: 'false' });
      expect(log).toContain('docker buildx build');
      expect(log).toMatch(/::error::The registry 127\.0\.0\.1:\d+ refuses the image: .*does not allow it.*denied/);
      expect(exitCode).toBe(1);
    } finally {
      guarded.refuseManifests = false;
    }
  }, 90_000);

  test('a base image that cannot be had is named on its line, and is no refused push', async () => {
    shop.write({ ...project(), Dockerfile: `FROM scratch AS one\n\nFROM ${guarded.host}/private/base:1\n` });
    const { exitCode, log } = await build({ push: 'false' });
    expect(log).toMatch(/::error file=Dockerfile,line=3::The base image \S+\/private\/base:1 cannot be had/);
    expect(exitCode).toBe(1);
  }, 60_000);

  test('several platforms, where docker builds for one', async () => {
    shop.write({ ...project(), ...TINY });
    const { exitCode, log } = await build({ ...as('ana'), platforms: 'linux/amd64, linux/arm64' });
    expect(log).toMatch(
      /::error::.*one platform at a time.*linux\/amd64, linux\/arm64 → .*docker\/setup-buildx-action/,
    );
    expect(exitCode).toBe(1);
  }, 60_000);
});

describe('with an engine that builds', () => {
  test('nothing in inputs and names is interpreted', async () => {
    const folder = 'my app; $(touch pwned) `touch pwned`, "a" ${{ github.token }}';
    const value = `$(touch pwned) ; \${{ secrets.X }} "quoted", 'single' \\n %PATH% | & > <`;
    shop.write(
      Object.fromEntries(
        Object.entries({
          ...project(),
          Dockerfile: 'FROM scratch\nARG VALUE\nARG PATH\nARG DOCKER_HOST\nLABEL value=$VALUE path=$PATH\n',
        }).map(([name, content]) => [`${folder}/${name}`, content]),
      ),
    );
    const run = await build({
      ...as('ana'),
      directory: folder,
      'build-args': `VALUE=${value}\nPATH=/of/the/image\nDOCKER_HOST=tcp://127.0.0.1:1`,
    });
    expect(run.exitCode).toBe(0);
    expect(readdirSync(shop.folder)).toEqual([folder]);
    expect(readdirSync(path.join(shop.folder, folder))).not.toContain('pwned');
    const behind = (run.outputs['image'] ?? '').replace(/^[^/]+/, (await openLab('registry')).registry?.host ?? '');
    await docker(engine, 'pull', '--quiet', behind);
    const labels = JSON.parse(await docker(engine, 'inspect', '--format={{json .Config.Labels}}', behind)) as object;
    expect(labels).toMatchObject({ value, path: '/of/the/image' });
  }, 60_000);

  test('a cancelled build ends docker and leaves no file behind', async () => {
    const nap = `30${Number.parseInt(fresh.slice(0, 4), 16)}`;
    shop.write({
      ...project(),
      Dockerfile: `FROM node:24-slim\nRUN echo begun && sleep ${nap}\n`,
      '.npmrc': 'fund=false\n',
    });
    const inputs = { image: `shop-${fresh}`, registry: guarded.host, cache: 'false', ...as('ana') };
    const running = shop.start(inputs, engine);
    await running.said(/^#\d+ [\d.]+ begun$/m);
    expect(readdirSync(shop.temp)).not.toEqual([]);
    const cancelled = Date.now();
    running.child.kill('SIGTERM');
    const run = await running.ended;
    expect(Date.now() - cancelled).toBeLessThan(7000);
    expect(run.exitCode).toBe(1);
    expect(run.log).toContain('cancelled');
    expect(run.summary).toContain('cancelled');
    expect(readdirSync(shop.temp)).toEqual([]);
    // The engine ends the step with its client.
    await sleep(2000);
    const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    expect(processes.filter((pid) => commandOf(pid).includes(`sleep\0${nap}`))).toEqual([]);
  }, 90_000);
});

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
