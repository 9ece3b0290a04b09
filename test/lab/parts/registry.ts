import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Part } from '../part.ts';
import { freePort } from '../ports.ts';
import { isRunning, start, stop } from '../process.ts';

const programs = ['/usr/bin/docker-registry', '/usr/bin/registry', '/usr/local/bin/registry'];

/** A container registry on loopback over plain HTTP; its images go with `down`. */
export const registry: Part<'registry'> = {
  name: 'registry',
  needs: [],
  async missing() {
    return (await program()) === undefined ? [{ what: 'a container registry', packages: ['docker-registry'] }] : [];
  },
  async up(context) {
    const known = context.facts.registry;
    if (known !== undefined && (await isRunning(context.state, 'registry'))) {
      await serving(known.host, context.state);
      return known;
    }
    const command = await program();
    if (command === undefined) throw new Error('No container registry is installed');
    await stop(context.state, 'registry');
    const host = `127.0.0.1:${await freePort()}`;
    await mkdir(context.state, { recursive: true });
    const config = join(context.state, 'config.json');
    const root = join(context.state, 'data');
    const settings = {
      version: '0.1',
      storage: { filesystem: { rootdirectory: root }, delete: { enabled: true } },
      http: { addr: host },
    };
    await writeFile(config, JSON.stringify(settings));
    await start(context.state, 'registry', command, ['serve', config]);
    await serving(host, context.state);
    context.progress(`serves on ${host}`);
    return { host };
  },
  async down(context) {
    await stop(context.state, 'registry');
    await rm(context.state, { recursive: true, force: true });
  },
  async status(context) {
    const running = await isRunning(context.state, 'registry');
    return running ? `up on ${context.facts.registry?.host ?? 'an unknown port'}` : 'down';
  },
};

async function program(): Promise<string | undefined> {
  for (const path of programs) {
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}

async function serving(host: string, state: string): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (Date.now() < deadline) {
    const answer = await fetch(`http://${host}/v2/`, { signal: AbortSignal.timeout(1000) }).catch(() => undefined);
    if (answer?.ok === true) return;
    if (!(await isRunning(state, 'registry'))) break;
    await sleep(100);
  }
  throw new Error(`The registry does not serve on ${host}; its log is ${join(state, 'registry.log')}`);
}
