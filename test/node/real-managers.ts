import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { localExec } from '../../src/action/exec.ts';
import type { Host, RunInfo } from '../../src/action/host.ts';
import { type Log, workflowLog } from '../../src/action/log.ts';
import { type PackageManager, detectPackageManager } from '../../src/node/package-manager.ts';
import { provideManager } from '../../src/node/provide-manager.ts';
import { registrySettings } from './registry-settings.ts';

/** An empty lockfile by which each manager is found, and its install that writes one. */
const MANAGERS = {
  npm: ['package-lock.json', '{}', 'npm', 'install', '--no-audit', '--no-fund'],
  pnpm: ['pnpm-lock.yaml', "lockfileVersion: '9.0'\n", 'pnpm', 'install', '--no-frozen-lockfile'],
  'yarn-classic': ['yarn.lock', '# yarn lockfile v1\n', 'yarn', 'install', '--non-interactive'],
  'yarn-berry': ['yarn.lock', '__metadata:\n  version: 10\n', 'yarn', 'install', '--no-immutable'],
  bun: ['bun.lock', '', 'bun', 'install'],
} as const;
type Name = keyof typeof MANAGERS;
export const NAMES = Object.keys(MANAGERS) as readonly Name[];

/** A project on which a real manager works with a registry of the test's own. */
export class Installed {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'install-'));
  readonly home = mkdtempSync(path.join(tmpdir(), 'install-home-'));
  readonly lines: string[] = [];
  readonly #paths: string[] = [];
  readonly #env: Record<string, string>;

  constructor(registry: string, env: Readonly<Record<string, string>> = {}) {
    this.#env = {
      HOME: this.home,
      CI: 'true',
      npm_config_registry: registry,
      // What managers do by themselves against a bad network is cut short; the action's own attempts are what counts.
      npm_config_fetch_retries: '0',
      npm_config_update_notifier: 'false',
      YARN_NPM_REGISTRY_SERVER: registry.replace(/\/$/, ''),
      YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
      YARN_HTTP_RETRY: '0',
      YARN_ENABLE_TELEMETRY: '0',
      // Yarn 4 leaves out versions that are younger than a few days, and those of a test always are.
      YARN_NPM_MINIMAL_AGE_GATE: '0',
      BUN_CONFIG_REGISTRY: registry,
      BUN_CONFIG_HTTP_RETRY_COUNT: '0',
      YARN_CACHE_FOLDER: path.join(this.home, 'yarn'),
      XDG_DATA_HOME: path.join(this.home, 'data'),
      ...env,
    };
  }

  write(files: Readonly<Record<string, string | object>>): void {
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(path.join(this.folder, name), typeof content === 'string' ? content : JSON.stringify(content));
    }
  }

  /** What an action has of this machine; `tools` is its tool cache. It never waits. */
  host(tools: string, more: Readonly<Record<string, string>> = {}) {
    const signal = new AbortController().signal;
    const env = (): Record<string, string> => ({
      ...this.#env,
      ...more,
      RUNNER_TOOL_CACHE: tools,
      PATH: [...this.#paths, path.dirname(process.execPath), process.env['PATH'] ?? ''].join(path.delimiter),
    });
    const log: Log = workflowLog((line) => void this.lines.push(line));
    const exec: Host['exec'] = {
      ask: async (...call) => localExec(env(), signal).ask(...call),
      run: async (...call) => localExec(env(), signal).run(...call),
    };
    return {
      env: env(),
      exec,
      log,
      signal,
      info: { temp: path.join(this.home, 'temp') } as RunInfo,
      clock: { now: () => Date.now(), sleep: async () => {} },
      addPath: (one: string) => void this.#paths.unshift(one),
    };
  }

  /** Brings the manager from the real registry, and lets it write the lockfile of the project with its own. */
  async lock(name: Name, tools: string): Promise<PackageManager> {
    const [file, content, program, ...args] = MANAGERS[name];
    this.write({ [file]: content, ...(name === 'yarn-berry' && { '.yarnrc.yml': 'nodeLinker: node-modules\n' }) });
    const manager = detectPackageManager((asked) =>
      asked === file ? content : asked === 'package.json' ? '{}' : undefined,
    );
    await provideManager(manager, this.home, process.versions.node, this.host(tools, registrySettings(this.home)));
    if (content === '') rmSync(path.join(this.folder, file));
    await promisify(execFile)(program, args, { cwd: this.folder, env: this.host(tools).env, timeout: 60_000 }).catch(
      (error: { stdout: string; stderr: string }) => {
        throw new Error(`${name} writes no lockfile: ${error.stdout}${error.stderr}`);
      },
    );
    this.forget();
    return manager;
  }

  /** Takes away what was installed and every cache, as on a fresh runner. */
  forget(): void {
    for (const name of ['node_modules', '.yarn', '.pnp.cjs']) {
      rmSync(path.join(this.folder, name), { recursive: true, force: true });
    }
    rmSync(this.home, { recursive: true, force: true });
    mkdirSync(this.home);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
    rmSync(this.home, { recursive: true, force: true });
  }
}
