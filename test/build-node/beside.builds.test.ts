import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openLab } from '../lab/lab.ts';
import { describeWith } from '../lab/needs.ts';
import { docker, textsInImage } from './container.ts';
import { type Running } from '../run-bundle.ts';
import { Workspace, project } from './workspace.ts';

const fresh = randomBytes(4).toString('hex');
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

/** The real docker, behind a name that notes what it is asked and when. */
function notedDocker(): string {
  const folder = path.join(shop.home, 'noted');
  const real = execFileSync('sh', ['-c', 'command -v docker'], { encoding: 'utf8' }).trim();
  mkdirSync(folder);
  writeFileSync(
    path.join(folder, 'docker'),
    `#!/bin/sh\necho "$(date +%s%3N) $*" >> ${folder}/calls\nexec ${real} "$@"\n`,
  );
  chmodSync(path.join(folder, 'docker'), 0o755);
  return folder;
}

function builds(): readonly { readonly at: number; readonly pushes: boolean }[] {
  const file = path.join(shop.home, 'noted/calls');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  return lines
    .filter((line) => / buildx build /.test(line))
    .map((line) => ({ at: Number(line.split(' ')[0]), pushes: line.includes('push=true') }));
}

function build(repository: string): Running {
  const PATH = [notedDocker(), path.dirname(process.execPath), process.env['PATH']].join(path.delimiter);
  const base = `${registry}/library/node:24-slim`;
  return shop.start({ image: repository, registry, 'base-image': base }, { ...env, PATH });
}

/** A test that waits until docker was asked, then changes the checkout, and ends by a code. */
function changing(code: number): string {
  const calls = JSON.stringify(path.join(shop.home, 'noted/calls'));
  return `const { existsSync, appendFileSync, writeFileSync } = require('node:fs');
const wait = setInterval(() => {
  if (!existsSync(${calls})) return;
  clearInterval(wait);
  appendFileSync('server.js', '// written-${fresh}');
  writeFileSync('leak.txt', 'leaked-${fresh}');
  setTimeout(() => {
    writeFileSync(${JSON.stringify(path.join(shop.home, 'ended'))}, String(Date.now()));
    process.exit(${code});
  }, 1500);
}, 20);
setTimeout(() => process.exit(3), 30_000);
`;
}

function write(code: number): void {
  const checks = path.join(shop.home, 'checks.js');
  shop.write({ ...project({ test: `node ${checks}`, start: 'node server.js' }), 'server.js': `// source-${fresh}\n` });
  writeFileSync(checks, changing(code));
}

describe('an image that is built beside the checks', () => {
  test('is pushed once they pass, and holds nothing that they wrote', async () => {
    write(0);
    const { exitCode, outputs, summary, log } = await build(`beside-${fresh}`).ended;
    expect([exitCode, exitCode === 0 ? '' : log]).toEqual([0, '']);
    const ended = Number(readFileSync(path.join(shop.home, 'ended'), 'utf8'));
    const [first, second] = builds();
    expect(first).toMatchObject({ pushes: false });
    expect(second).toMatchObject({ pushes: true });
    expect(first?.at).toBeLessThan(ended);
    expect(second?.at).toBeGreaterThanOrEqual(ended);
    expect(summary).toContain('built beside the checks, then pushed');
    const image = outputs['image'] ?? '';
    await docker(env, 'pull', '--quiet', image);
    const texts = ['source', 'written', 'leaked'].map((what) => `${what}-${fresh}`);
    expect(await textsInImage(env, image, texts)).toEqual([`source-${fresh}`]);
    expect(readdirSync(shop.temp)).toEqual(['sbom']);
  }, 120_000);

  test('is given up when they fail: nothing is in the registry, no program and no file is left', async () => {
    write(1);
    const { exitCode, outputs } = await build(`never-${fresh}`).ended;
    expect(exitCode).toBe(1);
    expect(outputs['image']).toBeUndefined();
    expect(builds().map(({ pushes }) => pushes)).toEqual([false]);
    expect((await fetch(`http://${registry}/v2/never-${fresh}/tags/list`)).status).toBe(404);
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain(`never-${fresh}`);
    expect(readdirSync(shop.temp)).toEqual([]);
  }, 120_000);

  test('finds the layers of the commit before again, though that had another time', async () => {
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.example', ...args], { cwd: shop.folder });
    shop.write({ ...project({ start: 'node server.js' }), 'server.js': '1' });
    git('init', '-q');
    const committed = (text: string, date: string): void => {
      shop.write({ 'server.js': text });
      git('add', '.');
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.example', 'commit', '-q', '-m', text], {
        cwd: shop.folder,
        env: { ...process.env, GIT_COMMITTER_DATE: date },
      });
    };
    const inputs = { image: `times-${fresh}`, registry, 'base-image': `${registry}/library/node:24-slim` };
    const forget = async () =>
      docker(env, 'buildx', 'prune', '--all', '--force', '--builder', env['BUILDX_BUILDER'] ?? '');
    // A fresh machine, both times: what a builder knows by another registry's layers alone it does not hand on.
    await forget();
    committed('1', '2026-01-01T00:00:00Z');
    expect((await shop.start(inputs, env).ended).log).toContain('layers are kept as');
    await forget();
    committed('2', '2026-01-02T00:00:00Z');
    const { log } = await shop.start(inputs, env).ended;
    expect(log).toMatch(/\[2\/3\] WORKDIR \/app\n#\d+ CACHED/);
    // Nothing of the base is unpacked for a copy that stands by itself.
    expect(log).not.toMatch(/extracting sha256/);
  }, 120_000);
});
