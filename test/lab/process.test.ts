import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { inOrder } from './parts.ts';
import { isRunning, start, startTime, stop } from './process.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lab-'));
});
afterEach(async () => {
  await stop(folder, 'sleeper');
  await rm(folder, { recursive: true });
});

const begin = (): Promise<void> => start(folder, 'sleeper', 'sleep', ['60']);
const pidFile = (): string => join(folder, 'sleeper.pid');

test('a process starts once and ends by its id', async () => {
  await begin();
  const first = await readFile(pidFile(), 'utf8');
  await begin();
  expect(await readFile(pidFile(), 'utf8')).toBe(first);
  await stop(folder, 'sleeper');
  expect(await isRunning(folder, 'sleeper')).toBe(false);
});

test('a reused id is not taken for the process, and not ended', async () => {
  await begin();
  const real = await readFile(pidFile(), 'utf8');
  await writeFile(pidFile(), `${real.split(' ')[0]} 1\n`);
  expect(await isRunning(folder, 'sleeper')).toBe(false);
  await stop(folder, 'sleeper');
  await writeFile(pidFile(), real);
  expect(await isRunning(folder, 'sleeper')).toBe(true);
});

test('a process is on file from the moment it runs, so that one started just before we end is found', async () => {
  const code = `import { subscribe } from 'node:diagnostics_channel';
    import { start } from ${JSON.stringify(join(import.meta.dirname, 'process.ts'))};
    subscribe('child_process', () => setImmediate(() => process.exit(0)));
    await start(${JSON.stringify(folder)}, 'sleeper', 'sleep', ['60']);`;
  expect(spawnSync(process.execPath, ['--input-type=module', '-e', code]).status).toBe(0);
  expect(await isRunning(folder, 'sleeper')).toBe(true);
});

test('a process that does not listen is gone once it has been stopped', async () => {
  const deaf = ['-c', 'trap "" TERM; echo listens; while :; do sleep 0.05; done'];
  await start(folder, 'sleeper', '/bin/sh', deaf);
  const pid = Number((await readFile(pidFile(), 'utf8')).split(' ')[0]);
  while (!(await readFile(join(folder, 'sleeper.log'), 'utf8')).includes('listens')) await sleep(10);
  await stop(folder, 'sleeper', 100);
  expect(await startTime(pid)).toBeUndefined();
});

test('a program that does not exist is a fault', async () => {
  await expect(start(folder, 'sleeper', join(folder, 'nothing'), [])).rejects.toThrow('ENOENT');
});

test('needs come up before what needs them, each once', () => {
  const known = new Map([
    ['aws', { needs: ['cluster'] as const }],
    ['cluster', { needs: [] }],
  ] as const);
  expect(inOrder(['aws', 'cluster'], known)).toEqual(['cluster', 'aws']);
  expect(() => inOrder(['github'], known)).toThrow('The lab has no part github');
});
