import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BundleRun, type Running, runBundle, startBundle } from '../run-bundle.ts';

export type { BundleRun } from '../run-bundle.ts';

/** A repository's checkout in a folder of its own, on which the committed bundle runs. */
export class Workspace {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'build-node-'));
  /** HOME of the action, without any settings. */
  readonly home = mkdtempSync(path.join(tmpdir(), 'build-node-home-'));

  write(files: Readonly<Record<string, string | object>>): void {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(this.folder, name)), { recursive: true });
      writeFileSync(path.join(this.folder, name), typeof content === 'string' ? content : JSON.stringify(content));
    }
  }

  build(inputs: Readonly<Record<string, string>>, env: Readonly<Record<string, string | undefined>> = {}): BundleRun {
    return runBundle({ action: 'build-node', inputs, workspace: this.folder, outside: this.home, env });
  }

  /** As `build`, but beside this process, which may serve what the action asks for; the child can be signalled. */
  start(inputs: Readonly<Record<string, string>>, env: Readonly<Record<string, string | undefined>> = {}): Running {
    return startBundle({ action: 'build-node', inputs, workspace: this.folder, outside: this.home, env });
  }

  /** RUNNER_TEMP, where the action keeps what must be gone afterwards. */
  get temp(): string {
    return path.join(this.home, 'temp');
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
    rmSync(this.home, { recursive: true, force: true });
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
