import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Part } from '../part.ts';
import { freePorts } from '../ports.ts';
import { isRunning, start, stop } from '../process.ts';
import { findPythonProgram, hasPython } from '../python.ts';

/**
 * The index of Python packages that this machine uses, as image builds reach it, who reach this machine alone: proxpi,
 * which asks that index once and keeps what came in the lab's cache.
 */
export const packages: Part<'packages'> = {
  name: 'packages',
  needs: ['images'],
  async missing() {
    return (await hasPython()) ? [] : [{ what: 'Python with venv and pip', packages: ['python3-venv', 'python3-pip'] }];
  },
  async up({ state, cache, facts, progress }) {
    const known = facts.packages;
    if (known !== undefined && (await isRunning(state, 'proxpi'))) return known;
    await stop(state, 'proxpi');
    const host = facts.images?.address ?? '127.0.0.1';
    const [port = 0] = await freePorts(1, host);
    const flask = await findPythonProgram('proxpi', cache);
    const args = ['run', `--host=${host}`, `--port=${port}`];
    await start(state, 'proxpi', flask, args, { ...process.env, ...settings(cache) });
    const url = `http://${host}:${port}/index/`;
    await serving(url, state);
    progress(`serves on ${url}`);
    return { url, host };
  },
  async down({ state }) {
    await stop(state, 'proxpi');
    await rm(state, { recursive: true, force: true });
  },
  async status({ state, facts }) {
    return (await isRunning(state, 'proxpi')) ? `up on ${facts.packages?.url ?? 'an unknown port'}` : 'down';
  },
};

function settings(cache: string): Readonly<Record<string, string>> {
  const { PIP_INDEX_URL: index = '', PIP_CERT: certificates = '' } = process.env;
  return {
    FLASK_APP: 'proxpi.server',
    PROXPI_CACHE_DIR: join(cache, 'python', 'packages'),
    // Without a limit a slow download would send its asker to the index itself, which a build does not reach.
    PROXPI_DOWNLOAD_TIMEOUT: '600',
    ...(index !== '' && { PROXPI_INDEX_URL: index }),
    ...(certificates !== '' && { REQUESTS_CA_BUNDLE: certificates }),
  };
}

async function serving(url: string, state: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const answer = await fetch(new URL('/health', url), { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
    if (answer !== undefined) return;
    if (!(await isRunning(state, 'proxpi'))) break;
    await sleep(100);
  }
  throw new Error(`The package index does not serve on ${url}; its log is ${join(state, 'proxpi.log')}`);
}
