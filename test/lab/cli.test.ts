import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mayInstall } from './debian.ts';
import { freePort } from './ports.ts';
import { startTime } from './process.ts';

const cli = join(import.meta.dirname, 'cli.ts');
let folder = '';
let env: NodeJS.ProcessEnv = {};
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lab-'));
  env = { ...process.env, XDG_CACHE_HOME: folder };
});
afterEach(async () => {
  lab('down');
  await rm(folder, { recursive: true });
});

function lab(...args: string[]): { status: number | null; out: string; errors: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { env, encoding: 'utf8' });
  return { status, out: stdout, errors: stderr };
}

/** Waits for a file that another process writes, and gives its content. */
async function content(path: string): Promise<string> {
  for (let tries = 0; tries < 500; tries += 1) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text.endsWith('\n')) return text.trim();
    await sleep(10);
  }
  throw new Error(`${path} was not written`);
}

async function interrupt(child: ChildProcess, signal: NodeJS.Signals): Promise<unknown> {
  const exited = once(child, 'exit');
  child.kill(signal);
  return (await exited)[0];
}

test.each([
  [['up', 'clutser'], 'The lab has no part clutser; it has registry, '],
  [['down', 'github'], 'down takes no parts or options'],
  [['status', '--install'], 'status takes no parts or options'],
  [['start'], 'npm run lab -- up [part…]'],
  [['up', '--force'], "Unknown option '--force'"],
])('lab %j is refused', (args, words) => {
  const { status, errors } = lab(...args);
  expect(status).toBe(1);
  expect(errors).toContain(words);
  expect(errors).not.toContain('    at ');
});

test('help is asked for, so it is no error', () => {
  const { status, out } = lab('--help');
  expect({ status, begins: out.split('\n')[0] }).toEqual({
    status: 0,
    begins: 'The lab: real parts for tests and the demo, on this machine alone.',
  });
});

test('up and down again leave no process and no file, and down may come twice', async () => {
  expect(lab('up', 'github').out).toMatch(/^github: up on http:\/\/127\.0\.0\.1:\d+$/m);
  const [pid] = (await content(join(folder, 'delivery-actions/run/github/github.pid'))).split(' ');
  expect(await startTime(Number(pid))).toBeDefined();
  for (const _ of [1, 2]) {
    const down = lab('down');
    expect(down.errors).toBe('');
    expect(down.out).toContain('github: down');
  }
  expect(await startTime(Number(pid))).toBeUndefined();
  expect(await readdir(join(folder, 'delivery-actions'))).toEqual([]);
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  'after %s in the middle of up, down ends what has started',
  async (signal) => {
    const child = spawn(process.execPath, [cli, 'up', 'github'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const [pid] = (await content(join(folder, 'delivery-actions/run/github/github.pid'))).split(' ');
    expect(await interrupt(child, signal)).toBe(signal === 'SIGINT' ? 130 : 143);
    await expect(access(join(folder, 'delivery-actions/run/facts.json'))).rejects.toThrow('ENOENT');
    expect(lab('down').status).toBe(0);
    expect(await startTime(Number(pid))).toBeUndefined();
    expect(await readdir(join(folder, 'delivery-actions'))).toEqual([]);
  },
);

// `apt-get` is a script that brings another one in place of Go, which makes an empty act: no package is installed.
test('what is missing is said with its command, and --install as root on Debian brings it', async () => {
  const go = `#!/bin/sh\n[ "$1" = version ] && echo go version go1.26.0 linux/amd64 && exit\n: > "$GOBIN/act"\n`;
  await writeFile(join(folder, 'go.new'), go, { mode: 0o755 });
  const aptGet = `#!/bin/sh\necho "$@" >> ${folder}/calls\n[ "$1" = update ] || /bin/cp ${folder}/go.new ${folder}/go\n`;
  await writeFile(join(folder, 'apt-get'), aptGet, { mode: 0o755 });
  const LAB_DOWNLOADS = `http://127.0.0.1:${await freePort()}`;
  env = { ...env, PATH: folder, LAB_DOWNLOADS, CI: '', LAB_INSTALL: '' };
  const refusal = /^This machine misses:\n {2}runner: Go 1\.21 or newer, .*\nInstall it: apt-get install golang-go\n/;
  expect(lab('up', 'runner').errors).toMatch(refusal);
  const { out, errors } = lab('up', '--install', 'runner');
  const calls = await readFile(join(folder, 'calls'), 'utf8').catch(() => '');
  // Elsewhere the answer stays the same.
  const may = mayInstall({ LAB_INSTALL: '1' });
  expect(may ? out : errors).toMatch(may ? /^runner: up, by .*\/act$/m : refusal);
  expect(calls).toBe(may ? 'update -q\ninstall -q -y --no-install-recommends golang-go\n' : '');
});

// `go` is a script that works for a minute: how an interrupted build ends is tested, not the compiler.
test('an interrupted build ends its compiler and leaves nothing in the cache', async () => {
  const script = `#!/bin/sh\necho $$ > ${join(folder, 'go.pid')}\ntouch "$GOBIN/half"\nexec sleep 60\n`;
  await writeFile(join(folder, 'go'), script, { mode: 0o755 });
  const code = `import { findBinary } from ${JSON.stringify(join(import.meta.dirname, 'binaries.ts'))};
    process.once('SIGINT', () => process.exit(130));
    await findBinary('act', ${JSON.stringify(join(folder, 'cache'))});`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    env: { PATH: `${folder}:/bin`, LAB_DOWNLOADS: `http://127.0.0.1:${await freePort()}` },
    stdio: 'ignore',
  });
  const go = Number(await content(join(folder, 'go.pid')));
  expect(await interrupt(child, 'SIGINT')).toBe(130);
  await sleep(100);
  expect(await startTime(go)).toBeUndefined();
  expect(await readdir(join(folder, 'cache', 'bin'))).toEqual([]);
});
