import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cache } from '../lab/cache.ts';
import { freePort } from '../lab/ports.ts';
import { findPythonProgram } from '../lab/python.ts';

/** A real index of Python packages that takes uploads from anybody. */
export interface PythonIndex {
  /** For UV_PUBLISH_URL. */
  readonly publishUrl: string;
  /** For UV_PUBLISH_CHECK_URL. */
  readonly checkUrl: string;
  stop(): void;
}

/** Starts pypiserver on loopback with its packages in `folder`. @throws Error when it does not serve within 20 s */
export async function startPypiserver(folder: string): Promise<PythonIndex> {
  const program = await findPythonProgram('pypiserver', cache);
  const packages = path.join(folder, 'index');
  mkdirSync(packages, { recursive: true });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const open = ['--disable-fallback', '-a', '.', '-P', '.'];
  const server = spawn(program, ['run', '-p', String(port), '-i', '127.0.0.1', ...open, packages], { stdio: 'ignore' });
  for (let tried = 0; tried < 100; tried += 1) {
    if ((await fetch(`${url}/simple/`).catch(() => undefined))?.ok === true) {
      return { publishUrl: `${url}/`, checkUrl: `${url}/simple/`, stop: () => void server.kill() };
    }
    await sleep(200);
  }
  server.kill();
  throw new Error('pypiserver does not serve');
}
