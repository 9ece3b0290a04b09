import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { install, mayInstall } from './debian.ts';
import { type Wanted, bringMissing } from './missing.ts';
import type { Missing } from './part.ts';

const registry = { what: 'a container registry', packages: ['docker-registry'] };
const engine = { what: 'a Docker engine', packages: ['docker.io', 'runc'] };
const tool = { what: 'debootstrap', packages: ['debootstrap'] };
const container = { what: 'containerd', packages: ['containerd', 'runc'] };

function part(name: string, ...missing: readonly Missing[]): Wanted {
  return { name, missing: async () => missing };
}

test('all that is missing is said at once, by part, with the one command that installs it', async () => {
  const refuses: Wanted = { name: 'images', missing: async () => Promise.reject(new Error('needs root')) };
  const parts = [part('registry', registry), part('builds', engine, tool), part('cluster', container), refuses];
  await expect(bringMissing([...parts, part('github')])).rejects.toThrow(
    [
      'This machine misses:',
      '  registry: a container registry',
      '  builds: a Docker engine; debootstrap',
      '  cluster: containerd',
      '  images: needs root',
      'Install it: apt-get install containerd debootstrap docker-registry docker.io runc',
      'As root on Debian, `npm run lab -- up --install` does that itself.',
    ].join('\n'),
  );
});

test('what no package brings is no reason to name one', async () => {
  const refused = bringMissing([part('images', { what: 'the rights of root', packages: [] })]);
  await expect(refused).rejects.toThrow(/^This machine misses:\n {2}images: the rights of root$/);
});

test('with leave, all packages are installed in one go, and nothing where nothing is missing', async () => {
  const installed: string[][] = [];
  const has = (name: string): boolean => installed.flat().includes(name);
  const needs = (name: string, one: Missing): Wanted => ({
    name,
    missing: async () => (one.packages.every(has) ? [] : [one]),
  });
  const parts = [needs('registry', registry), needs('cluster', container), needs('images', engine)];
  await bringMissing(parts, (packages) => void installed.push([...packages]));
  await bringMissing(parts, (packages) => void installed.push([...packages]));
  expect(installed).toEqual([['containerd', 'docker-registry', 'docker.io', 'runc']]);
});

test('what is missing even after installing is said, without the command that did not help', async () => {
  const refused = bringMissing([part('registry', registry)], () => {});
  await expect(refused).rejects.toThrow(/^Still missing after installing:\n {2}registry: a container registry$/);
});

// `apt-get` is a script here: whether packages can be had is not what is tested, but what is asked for.
test('apt-get is asked for the packages without questions, and its words are shown when it fails', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lab-'));
  const script = (end: string): string => `#!/bin/sh\necho "$DEBIAN_FRONTEND $@" >> ${join(folder, 'calls')}\n${end}\n`;
  try {
    await writeFile(join(folder, 'apt-get'), script(''), { mode: 0o755 });
    install(['runc', 'docker.io'], { PATH: `${folder}:/bin` });
    expect(await readFile(join(folder, 'calls'), 'utf8')).toBe(
      'noninteractive update -q\nnoninteractive install -q -y --no-install-recommends runc docker.io\n',
    );
    await writeFile(join(folder, 'apt-get'), script('echo E: no such package >&2; exit 100'));
    expect(() => install(['runc'], { PATH: `${folder}:/bin` })).toThrow('apt-get update -q failed: E: no such package');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('without being asked, nothing is installed', () => {
  expect(mayInstall({})).toBe(false);
  const asked = process.getuid?.() === 0;
  expect(mayInstall({ LAB_INSTALL: '1' }, '/etc/passwd')).toBe(asked);
  expect(mayInstall({ CI: 'true' }, '/etc/passwd')).toBe(asked);
  expect(mayInstall({ LAB_INSTALL: '1' }, '/etc/no-debian')).toBe(false);
});
