import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { locked } from './lock.ts';

async function holder(name: string): Promise<ChildProcess> {
  const code = `import { locked } from ${JSON.stringify(new URL('lock.ts', import.meta.url).href)};
    await locked(${JSON.stringify(name)}, () => { console.log('has it'); return new Promise((done) => setTimeout(done, 60000)); });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

test('one works at a time, in one process as well', async () => {
  const seen: string[] = [];
  const work = (one: string) => async (): Promise<void> => {
    seen.push(`${one} begins`);
    await sleep(20);
    seen.push(`${one} ends`);
  };
  const name = randomUUID();
  await Promise.all([locked(name, work('a')), locked(name, work('b'))]);
  expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
});

test('work that fails gives the lock back, and another name is another lock', async () => {
  const name = randomUUID();
  await expect(locked(name, async () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(await locked(name, async () => locked(`${name}2`, async () => 'both'))).toBe('both');
});

test('what another process holds is waited for and said; its death gives it back, however it dies', async () => {
  const name = randomUUID();
  const child = await holder(name);
  let waited = 0;
  const waits = (): void => void (waited += 1);
  const refused = locked(name, async () => 'never', { waits, patienceMs: 150 });
  await expect(refused).rejects.toThrow(`Another process still works on ${name}`);
  expect(waited).toBe(1);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await locked(name, async () => 'ours', { waits })).toBe('ours');
  expect(waited).toBe(1);
});
