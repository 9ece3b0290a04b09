import { spawnSync } from 'node:child_process';
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
    const [output, summary] = ['output', 'summary'].map((name) => path.join(this.#outside, name)) as [string, string];
    writeFileSync(output, '');
    writeFileSync(summary, '');
    const given = Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
    const result = spawnSync(process.execPath, [bundle], {
      cwd: this.folder,
      encoding: 'utf8',
      timeout: 120_000,
      maxBuffer: 64 * 1024 * 1024,
      env: {
        PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env['PATH'] ?? ''}`,
        HOME: this.#outside,
        GITHUB_WORKSPACE: this.folder,
        GITHUB_REPOSITORY: 'acme/shop',
        GITHUB_SHA: '0123456789abcdef0123456789abcdef01234567',
        GITHUB_REF: 'refs/heads/main',
        GITHUB_REF_NAME: 'main',
        GITHUB_ACTOR: 'ana',
        GITHUB_OUTPUT: output,
        GITHUB_STEP_SUMMARY: summary,
        RUNNER_TEMP: path.join(this.#outside, 'temp'),
        RUNNER_TOOL_CACHE: path.join(this.#outside, 'tools'),
        ...Object.fromEntries(given),
        ...env,
      },
    });
    return {
      exitCode: result.status,
      log: `${result.stdout}${result.stderr}`,
      outputs: outputsOf(readFileSync(output, 'utf8')),
      summary: readFileSync(summary, 'utf8'),
    };
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
