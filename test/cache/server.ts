import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Server } from 'node:http';
import { workflowLog } from '../../src/action/log.ts';
import { systemClock } from '../../src/action/main.ts';
import { background } from '../../src/cache/background.ts';
import type { bringDependencies } from '../../src/cache/dependencies.ts';
import { type CacheService, openCache } from '../../src/cache/service.ts';
import { type Control, controlOf } from '../lab/control.ts';
import { cacheServer } from '../lab/parts/cache-answers.ts';
import { runtimeToken } from '../lab/parts/cache-token.ts';
import { freePort } from '../lab/ports.ts';

const SECRET = 'secret';

/** The lab's cache service within this process, and jobs that use it. */
export class TestCache {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'cache-'));
  readonly control: Control;
  readonly #server: Server;
  readonly #url: string;

  private constructor(port: number) {
    this.#url = `http://127.0.0.1:${port}`;
    this.#server = cacheServer(port, path.join(this.folder, 'blobs'), SECRET);
    this.control = controlOf(this.#url);
  }

  static async start(): Promise<TestCache> {
    return new TestCache(await freePort());
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What the runner gives a job of these branches, the first of which is its own. */
  env(...branches: readonly string[]): Readonly<Record<string, string>> {
    const scopes = (branches.length > 0 ? branches : ['main']).map((branch, at) => ({
      Scope: `refs/heads/${branch}`,
      Permission: at === 0 ? 3 : 1,
    }));
    return {
      ACTIONS_RESULTS_URL: this.#url,
      ACTIONS_RUNTIME_TOKEN: runtimeToken(SECRET, scopes),
      ACTIONS_CACHE_SERVICE_V2: 'true',
    };
  }

  /** A job: what it says, its cache with short waits, and its work in the background. */
  job(...branches: readonly string[]) {
    const lines: string[] = [];
    const host = {
      env: { ...process.env, ...this.env(...branches) },
      info: { temp: path.join(this.folder, 'temp') },
      log: workflowLog((line) => void lines.push(line)),
      clock: systemClock,
      signal: new AbortController().signal,
    } as unknown as Parameters<typeof bringDependencies>[3];
    const opened = openCache(host, { answer: 1500, silence: 1500, upload: 4000 });
    if (typeof opened === 'string') throw new Error(opened);
    const cache: CacheService = opened;
    return { lines, host, cache, background: background(host) };
  }
}
