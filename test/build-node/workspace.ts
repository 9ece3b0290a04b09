import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { outputsOf } from '../lab/job.ts';

const bundle = path.resolve(import.meta.dirname, '../../dist/build-node/index.js');

/** What a run of the bundle came to. */
export interface BundleRun {
  readonly exitCode: number | null;
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
}

/** A repository's checkout in a folder of its own, on which the committed bundle runs. */
export class Workspace {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'build-node-'));
  readonly #outside = mkdtempSync(path.join(tmpdir(), 'build-node-run-'));

  write(files: Readonly<Record<string, string | object>>): void {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(this.folder, name)), { recursive: true });
      writeFileSync(path.join(this.folder, name), typeof content === 'string' ? content : JSON.stringify(content));
    }
  }

  build(inputs: Readonly<Record<string, string>>, env: Readonly<Record<string, string | undefined>> = {}): BundleRun {
    const limits = { timeout: 120_000, maxBuffer: 64 * 1024 * 1024 };
    const settings = { cwd: this.folder, env: this.#environment(inputs, env), encoding: 'utf8' } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, [bundle], { ...settings, ...limits });
    return this.#ended(status, `${stdout}${stderr}`);
  }

  /** As `build`, but beside this process, which may serve what the action asks for; the child can be signalled. */
  start(
    inputs: Readonly<Record<string, string>>,
    env: Readonly<Record<string, string | undefined>> = {},
  ): { readonly child: ChildProcess; readonly log: () => string; readonly end: Promise<BundleRun> } {
    const child = spawn(process.execPath, [bundle], { cwd: this.folder, env: this.#environment(inputs, env) });
    let log = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (log += data.toString()));
    const end = new Promise<BundleRun>((resolve) => {
      child.once('close', (status) => resolve(this.#ended(status, log)));
    });
    return { child, log: () => log, end };
  }

  /** HOME of the action, without any settings. */
  get home(): string {
    return this.#outside;
  }

  /** RUNNER_TEMP, where the action keeps what must be gone afterwards. */
  get temp(): string {
    return path.join(this.#outside, 'temp');
  }

  #environment(
    inputs: Readonly<Record<string, string>>,
    env: Readonly<Record<string, string | undefined>>,
  ): NodeJS.ProcessEnv {
    for (const name of ['output', 'summary']) writeFileSync(path.join(this.#outside, name), '');
    return {
      PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env['PATH'] ?? ''}`,
      HOME: this.#outside,
      GITHUB_WORKSPACE: this.folder,
      GITHUB_REPOSITORY: 'acme/shop',
      GITHUB_SHA: '0123456789abcdef0123456789abcdef01234567',
      GITHUB_REF: 'refs/heads/main',
      GITHUB_REF_NAME: 'main',
      GITHUB_ACTOR: 'ana',
      GITHUB_OUTPUT: path.join(this.#outside, 'output'),
      GITHUB_STEP_SUMMARY: path.join(this.#outside, 'summary'),
      RUNNER_TEMP: this.temp,
      RUNNER_TOOL_CACHE: path.join(this.#outside, 'tools'),
      ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
      ...env,
    };
  }

  #ended(exitCode: number | null, log: string): BundleRun {
    const read = (name: string): string => readFileSync(path.join(this.#outside, name), 'utf8');
    return { exitCode, log, outputs: outputsOf(read('output')), summary: read('summary') };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
    rmSync(this.#outside, { recursive: true, force: true });
  }
}

/** A project that npm installs without a network, as it has no dependencies. */
export function project(scripts: Readonly<Record<string, string>> = {}, more: object = {}): Record<string, object> {
  const name = 'shop';
  return {
    'package.json': { name, version: '1.0.0', main: 'server.js', scripts, ...more },
    'package-lock.json': { name, version: '1.0.0', lockfileVersion: 3, packages: { '': { name, version: '1.0.0' } } },
  };
}
