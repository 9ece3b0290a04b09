import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { localExec } from '../../src/action/exec.ts';
import type { Host } from '../../src/action/host.ts';
import { workflowLog } from '../../src/action/log.ts';
import { systemClock } from '../../src/action/main.ts';
import type { ImageInputs } from '../../src/image/inputs.ts';
import { type PreparedImage, prepareImage } from '../../src/image/prepare.ts';
import { readerOf } from '../../src/project/project.ts';
import { serving } from '../aws/server.ts';

let folder = '';
let tools = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'beside-'));
  tools = mkdtempSync(path.join(tmpdir(), 'tools-'));
  writeFileSync(path.join(folder, 'app.js'), 'as it came');
});
afterEach(() => [folder, tools].forEach((one) => rmSync(one, { recursive: true })));

/** A stand-in for docker, which builds nothing: it keeps what it is told, and does what `steps` say. */
function docker(steps: string): void {
  writeFileSync(
    path.join(tools, 'docker'),
    `#!/bin/sh\nfor context; do :; done\necho "$@" >> ${tools}/calls\n${steps}\n`,
  );
  chmodSync(path.join(tools, 'docker'), 0o755);
}
const CONTEXT = 'echo "context: $(ls "$context" | tr "\\n" " ")$(cat "$context/app.js")"';
const calls = (): readonly string[] => {
  const file = path.join(tools, 'calls');
  // Only whole lines: the file is there before its first line is.
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
};
async function until(isSo: () => boolean): Promise<void> {
  for (let tried = 0; !isSo(); tried += 1) {
    if (tried > 500) throw new Error('it never came to that');
    await sleep(10);
  }
}

async function prepared(given: Partial<ImageInputs> = {}, registry?: string) {
  const env = { PATH: `${tools}${path.delimiter}${process.env['PATH']}` };
  const { signal } = new AbortController();
  const lines: string[] = [];
  const host = {
    env,
    info: { temp: path.join(tools, 'temp'), workspace: folder, serverUrl: '', repository: '', sha: '', ref: '' },
    log: workflowLog((line) => void lines.push(line)),
    clock: systemClock,
    exec: localExec(env, signal),
    signal,
    mask: () => undefined,
  } as unknown as Host;
  const inputs = {
    baseImage: '',
    buildArgs: new Map(),
    buildSecrets: new Map(),
    ssh: [],
    platforms: [],
    cache: true,
    ...given,
  } as unknown as ImageInputs;
  const recipe = {
    base: `r.example/base@sha256:${'b'.repeat(64)}`,
    generate: () => 'FROM scratch\nCOPY --link . .\n',
    ignored: [],
    settings: '',
    secrets: new Map(),
    before: '',
  };
  const dockerfile = existsSync(path.join(folder, 'Dockerfile')) && { dockerfile: 'Dockerfile' };
  const to = registry !== undefined && {
    registry: { kind: 'oci', host: registry, username: '', password: '' } as const,
  };
  const plan = { name: 'shop', ...dockerfile, ...to };
  const opened = { directory: folder, workspace: folder, read: readerOf(folder) };
  const image: PreparedImage = await prepareImage(inputs, plan, opened, recipe, host);
  return { image, lines };
}

/** What scripts of the project may do while they run. */
function scripts(): void {
  writeFileSync(path.join(folder, 'app.js'), 'changed');
  writeFileSync(path.join(folder, 'made.js'), '');
}

describe('an image by a generated Dockerfile', () => {
  test('is built out of the files as they came while scripts run, and its lines are shown after theirs', async () => {
    docker(CONTEXT);
    const { image, lines } = await prepared();
    await image.begin();
    scripts();
    await until(() => calls().length === 1);
    expect(calls()[0]).toContain('--output=type=cacheonly');
    expect(lines.join('\n')).not.toContain('context:');
    const built = await image.deliver();
    expect(built).toMatchObject({ beside: true, reused: false });
    expect(calls()).toHaveLength(2);
    expect(calls()[1]).not.toContain('--output');
    expect(lines.filter((line) => line.startsWith('context:'))).toEqual(Array(2).fill('context: app.js as it came'));
    await image.close();
    expect(readdirSync(path.join(tools, 'temp'))).toEqual([]);
  });

  test('has the same tag as one that is built after them', async () => {
    docker('');
    const tags: (string | undefined)[] = [];
    for (const cache of [true, false]) {
      const { image } = await prepared({ cache });
      await image.begin();
      await image.deliver();
      tags.push(/--tag=(\S+)/.exec(calls().at(-1) ?? '')?.[1]);
    }
    expect(tags[0]).toMatch(/^shop:content-/);
    expect(tags[1]).toBe(tags[0]);
    // Built anew, it is built once: a second build would not find the first.
    expect(calls()).toHaveLength(3);
  });

  test('takes no longer to be given up than its program to end, and leaves nothing', async () => {
    docker(`echo $$ > ${tools}/pid\nexec sleep 60`);
    const { image } = await prepared();
    await image.begin();
    await until(() => existsSync(path.join(tools, 'pid')));
    const pid = Number(readFileSync(path.join(tools, 'pid'), 'utf8'));
    const began = Date.now();
    await image.close();
    expect(Date.now() - began).toBeLessThan(5000);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(readdirSync(path.join(tools, 'temp'))).toEqual([]);
    expect(calls()).toHaveLength(1);
  });

  test('that does not build says so where it would be pushed, and is not built again', async () => {
    docker("echo 'ERROR: no such file' >&2\nexit 1");
    const { image, lines } = await prepared();
    await image.begin();
    await until(() => calls().length === 1);
    await sleep(50);
    await expect(image.deliver()).rejects.toThrow('The generated Dockerfile does not build');
    expect(calls()).toHaveLength(1);
    expect(lines).toContain('ERROR: no such file');
  });

  test('that another job pushed while the checks ran is used, and nothing is pushed', async () => {
    docker('');
    const digest = `sha256:${'a'.repeat(64)}`;
    const answers = [
      { status: 404, body: '' },
      { status: 202, body: '' },
      { status: 200, body: '', headers: { 'docker-content-digest': digest } },
    ];
    await serving(answers, async (url) => {
      const { image } = await prepared({}, url.replace('http://', ''));
      await image.begin();
      await until(() => calls().length === 1);
      expect(await image.deliver()).toMatchObject({ digest, reused: true });
    });
    expect(calls().filter((line) => line.includes('push=true'))).toEqual([]);
  });
});

test("a team's own Dockerfile is built after the scripts, with what they wrote", async () => {
  writeFileSync(path.join(folder, 'Dockerfile'), 'FROM scratch\nCOPY . .\n');
  docker(CONTEXT);
  const { image, lines } = await prepared();
  await image.begin();
  await sleep(100);
  expect(calls()).toEqual([]);
  scripts();
  expect(await image.deliver()).not.toHaveProperty('beside');
  expect(calls()).toHaveLength(1);
  expect(lines).toContain('context: Dockerfile app.js made.js changed');
});
