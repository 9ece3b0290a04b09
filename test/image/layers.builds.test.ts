import { randomBytes } from 'node:crypto';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openLab } from '../lab/lab.ts';
import { describeWith } from '../lab/needs.ts';
import { type BundleRun, Workspace, project } from '../build-node/workspace.ts';

// The lab may have stood for longer than this test: another run's content must not be found.
const fresh = randomBytes(4).toString('hex');
const repository = `layers-${fresh}`;
const describe = await describeWith('images', 'buildkit');
let env: Readonly<Record<string, string>>;
let registry = '';
let shop: Workspace;

// A machine that never built BuildKit does so now.
beforeAll(async () => {
  const facts = await openLab('buildkit');
  registry = facts.registry?.host ?? '';
  env = {
    DOCKER_HOST: facts.images?.dockerHost ?? '',
    DOCKER_CONFIG: facts.images?.dockerConfig ?? '',
    BUILDX_BUILDER: facts.buildkit?.builder ?? '',
  };
}, 20 * 60_000);
beforeEach(() => {
  shop = new Workspace();
});
afterEach(() => shop.remove());

async function build(more: Readonly<Record<string, string>> = {}): Promise<BundleRun> {
  return shop.start({ image: repository, registry, ...more }, env).ended;
}

async function manifest(reference: string): Promise<{ mediaType: string; manifests?: { platform: object }[] }> {
  const accept = 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json';
  const answer = await fetch(`http://${registry}/v2/${repository}/manifests/${reference}`, { headers: { accept } });
  return (await answer.json()) as { mediaType: string; manifests?: { platform: object }[] };
}

/** Its dependencies take a step of the Dockerfile, as an installed package would. */
const OWN = `FROM node:24-slim
WORKDIR /app
COPY package.json package-lock.json ./
RUN echo "dependencies of ${fresh}" > installed.txt
COPY . .
CMD ["node", "server.js"]
`;

describe('a newer BuildKit', () => {
  test('keeps the layers with the dependencies in the registry, as an image, and reads them when sources change', async () => {
    shop.write({ ...project(), 'server.js': '1', Dockerfile: OWN });
    const first = await build();
    expect(first.exitCode).toBe(0);
    const [kept = ''] = /layers-[0-9a-f]{40}/.exec(first.log) ?? [];
    expect(first.log).toContain(`layers are kept as ${kept}`);
    expect((await manifest(kept)).mediaType).toBe('application/vnd.oci.image.manifest.v1+json');

    shop.write({ 'server.js': '2' });
    const second = await build();
    expect(second.log).toContain(`the registry keeps layers with these dependencies: ${kept}`);
    expect(second.log).toMatch(/importing cache manifest from/);
    expect(second.log).not.toMatch(/exporting cache/);
    expect(second.log).toMatch(/CACHED/);
    expect(second.outputs['digest']).not.toBe(first.outputs['digest']);

    shop.write({ 'package.json': { name: 'shop', version: '1.0.0', description: 'changed' } });
    const third = await build();
    expect(third.log).toContain('layers are kept as');
    expect(third.log).not.toContain(kept);
  }, 120_000);

  test('gives one digest for one commit, whenever it is built', async () => {
    shop.write({ ...project(), 'server.js': '1', Dockerfile: OWN.replace('RUN echo', 'RUN date; echo') });
    const digests = [await build({ cache: 'false' }), await build({ cache: 'false' })].map(
      (run) => run.outputs['digest'],
    );
    expect(digests[0]).toMatch(/^sha256:/);
    expect(new Set(digests).size).toBe(1);
  }, 120_000);

  test('builds for several platforms under one digest', async () => {
    shop.write({ ...project(), 'server.js': '1', Dockerfile: 'FROM scratch\nCOPY server.js /\n' });
    const { outputs, exitCode } = await build({ platforms: 'linux/amd64, linux/arm64' });
    expect(exitCode).toBe(0);
    const { manifests } = await manifest(outputs['digest'] ?? '');
    expect(manifests?.map(({ platform }) => platform)).toEqual([
      { architecture: 'amd64', os: 'linux' },
      { architecture: 'arm64', os: 'linux' },
    ]);
  }, 60_000);

  test('gets secrets that no layer, log or command line shows', async () => {
    const secret = `word-${fresh}-of-ana`;
    const step =
      'RUN --mount=type=secret,id=pass test "$(wc -c < /run/secrets/pass)" -gt 10 && cp /run/secrets/pass /dev/null';
    shop.write({ ...project(), 'server.js': '1', Dockerfile: `FROM node:24-slim\n${step}\nCOPY . .\n` });
    const { log, summary, exitCode } = await build({ 'build-secrets': `pass=${secret}` });
    expect(exitCode).toBe(0);
    expect(log).toContain(`::add-mask::${secret}`);
    expect(log.replaceAll(/^::add-mask::.*$/gm, '')).not.toContain(secret);
    expect(summary).not.toContain(secret);
  }, 60_000);
});
