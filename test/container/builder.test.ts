import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { localExec } from '../../src/action/exec.ts';
import type { Log } from '../../src/action/log.ts';
import { type Builder, type BuilderNeeds, withBuilder } from '../../src/container/builder.ts';

let folder = '';
const { PATH } = process.env;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'builder-'));
  process.env['PATH'] = `${folder}${path.delimiter}${PATH}`;
});
afterEach(() => {
  process.env['PATH'] = PATH;
  rmSync(folder, { recursive: true, force: true });
});

/** A stand-in for docker: it notes what it is asked and answers what the test wants. */
async function asked(
  answers: { readonly driver: string; readonly status?: string; readonly boots?: boolean },
  needs: Partial<BuilderNeeds>,
  use: () => Promise<void> = async () => undefined,
): Promise<{ builder: Builder | undefined; calls: readonly string[]; told: readonly string[] }> {
  const calls = path.join(folder, 'calls');
  const script = `#!/bin/sh
echo "$@" >> "${calls}"
case "$*" in
  "buildx inspect") echo "Driver: ${answers.driver}" ;;
  info*) echo '${answers.status ?? '[["Backing Filesystem","extfs"]]'}' ;;
  *--bootstrap*) ${answers.boots === false ? 'echo "ERROR: no such image" >&2; exit 1' : 'exit 0'} ;;
esac
`;
  writeFileSync(path.join(folder, 'docker'), script);
  chmodSync(path.join(folder, 'docker'), 0o755);
  const { signal } = new AbortController();
  const exec = localExec(process.env, signal);
  const told: string[] = [];
  const log = { info: (line: string) => void told.push(line) } as Log;
  let builder: Builder | undefined;
  const all = { exportsCache: true, platforms: [], registry: 'r.example', ...needs };
  await withBuilder(all, folder, { exec, log, signal }, async (lent) => {
    builder = lent;
    await use();
  }).catch(() => undefined);
  const text = needs.exportsCache === false && (needs.platforms ?? []).length < 2 ? '' : readFileSync(calls, 'utf8');
  return { builder, calls: text.split('\n').filter(Boolean), told };
}

test('a plain build asks nothing and uses what is there', async () => {
  const { builder, calls } = await asked({ driver: 'docker' }, { exportsCache: false });
  expect({ builder, calls }).toEqual({ builder: { exportsCache: false }, calls: [] });
});

test.each([
  ['a builder that was set up before', { driver: 'docker-container' }],
  [
    "docker's own on containerd's store",
    { driver: 'docker', status: '[["driver-type","io.containerd.snapshotter.v1"]]' },
  ],
])('%s serves', async (_, answers) => {
  const { builder, calls } = await asked(answers, {});
  expect(builder).toEqual({ exportsCache: true });
  expect(calls.join()).not.toContain('create');
});

test.each([
  [{}, false],
  [{ registry: '127.0.0.1:5000' }, true],
  [{ exportsCache: false, platforms: ['linux/amd64', 'linux/arm64'] }, false],
])('else one is made for the build, and removed even where that fails: %j', async (needs, onHost) => {
  const { builder, calls } = await asked({ driver: 'docker' }, needs, async () => {
    throw new Error('the build failed');
  });
  expect(builder).toEqual({ name: expect.stringMatching(/^delivery-actions-/), exportsCache: true });
  const [, , create = '', boot, remove] = calls;
  expect(create).toBe(
    `buildx create --name=${builder?.name} --driver=docker-container${onHost ? ' --driver-opt=network=host' : ''}`,
  );
  expect([boot, remove]).toEqual([`buildx inspect --bootstrap ${builder?.name}`, `buildx rm --force ${builder?.name}`]);
});

test('one that does not start takes nothing from the build', async () => {
  const { builder, told } = await asked({ driver: 'docker', boots: false }, {});
  expect(builder).toEqual({ exportsCache: false });
  expect(told.join()).toContain('no such image');
});
