import { execFile, spawn } from 'node:child_process';
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { cache } from '../lab/cache.ts';
import { freePort } from '../lab/ports.ts';

const run = promisify(execFile);
const VERSION = '6.1.2';

/** A real registry of npm packages on loopback, of its own for a test. */
export interface Registry {
  /** With a slash at the end. */
  readonly url: string;
  /** Token of a new user. */
  user(name: string): Promise<string>;
  stop(): Promise<void>;
}

/** Verdaccio, installed by npm into the lab's cache: nothing of it is a dependency of the project. */
async function program(): Promise<string> {
  const folder = path.join(cache, 'verdaccio', VERSION);
  const bin = path.join(folder, 'node_modules', 'verdaccio', 'bin', 'verdaccio');
  const isThere = await access(path.join(folder, 'complete')).then(
    () => true,
    () => false,
  );
  if (isThere) return bin;
  await mkdir(folder, { recursive: true });
  // A dependency asks for a tag that a mirror may not have; the version meant is this.
  await writeFile(
    path.join(folder, 'package.json'),
    JSON.stringify({ private: true, overrides: { 'node-fetch': '2.7.0' } }),
  );
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', `verdaccio@${VERSION}`];
  await run('npm', args, { cwd: folder, timeout: 300_000 });
  await writeFile(path.join(folder, 'complete'), '');
  return bin;
}

/** @param owners who alone may publish a package, by its name */
export async function startRegistry(owners: Readonly<Record<string, string>>): Promise<Registry> {
  const bin = await program();
  const folder = await mkdtemp(path.join(tmpdir(), 'verdaccio-'));
  const url = `http://127.0.0.1:${await freePort()}/`;
  const rules = (publish: string) => ({ access: '$all', publish });
  const config = {
    storage: path.join(folder, 'storage'),
    auth: { htpasswd: { file: path.join(folder, 'htpasswd'), max_users: 10 } },
    packages: {
      ...Object.fromEntries(Object.entries(owners).map(([name, owner]) => [name, rules(owner)])),
      '**': rules('$authenticated'),
    },
    log: { type: 'stdout', level: 'warn' },
  };
  // YAML reads JSON.
  const file = path.join(folder, 'config.yaml');
  await writeFile(file, JSON.stringify(config));
  const child = spawn(process.execPath, [bin, '--config', file, '--listen', new URL(url).host], { stdio: 'ignore' });
  for (let tried = 0; ; tried += 1) {
    const answer = await fetch(`${url}-/ping`).catch(() => undefined);
    if (answer?.ok === true) break;
    if (tried > 100 || child.exitCode !== null) throw new Error('verdaccio does not serve');
    await sleep(200);
  }
  return {
    url,
    async user(name) {
      const answer = await fetch(`${url}-/user/org.couchdb.user:${name}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name, password: `${name}-password` }),
      });
      return ((await answer.json()) as { token: string }).token;
    },
    async stop() {
      child.kill();
      await new Promise<void>((resolve) => {
        child.once('close', () => resolve());
      });
      await rm(folder, { recursive: true, force: true });
    },
  };
}
