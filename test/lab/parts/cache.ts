import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Part } from '../part.ts';
import { freePort } from '../ports.ts';
import { isRunning, start, stop } from '../process.ts';

/** A stand-in for GitHub's cache service, on loopback: act has one too, but of the version that GitHub ended in 2025. */
export const cache: Part<'cache'> = {
  name: 'cache',
  needs: [],
  missing: async () => [],
  async up(context) {
    const { facts, state } = context;
    if (facts.cache !== undefined && (await isRunning(state, 'cache'))) return facts.cache;
    await stop(state, 'cache');
    await mkdir(state, { recursive: true });
    const url = `http://127.0.0.1:${await freePort()}`;
    const secret = randomUUID();
    const server = fileURLToPath(new URL('cache-server.ts', import.meta.url));
    await start(state, 'cache', process.execPath, [server, new URL(url).port, join(state, 'blobs'), secret]);
    for (let tries = 0; ; tries += 1) {
      const answer = await fetch(`${url}/_lab/requests`).catch(() => undefined);
      if (answer?.ok === true) break;
      if (tries === 150) throw new Error(`The cache service does not serve; its log is in ${state}`);
      await sleep(200);
    }
    context.progress(`serves on ${url}`);
    return { url, secret, control: url };
  },
  async down({ state }) {
    await stop(state, 'cache');
    await rm(state, { recursive: true, force: true });
  },
  status: async ({ facts, state }) =>
    (await isRunning(state, 'cache')) ? `up on ${facts.cache?.url ?? 'an unknown port'}` : 'down',
};
