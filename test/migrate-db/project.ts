import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BundleRun, type Running, startBundle } from '../run-bundle.ts';

/** A repository with migrations, and the runs of migrate-db in it. */
export class Project {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'migrations-'));

  constructor() {
    this.git('init', '--quiet', '--initial-branch=main');
  }

  write(file: string, text: string): void {
    const full = path.join(this.folder, file);
    mkdirSync(path.dirname(full), { recursive: true });
    writeFileSync(full, text);
  }

  /** Commits everything. @returns the commit */
  commit(message = 'change'): string {
    this.git('add', '--all');
    this.git('-c', 'user.name=ana', '-c', 'user.email=ana@acme.example', 'commit', '--quiet', '-m', message);
    return this.git('rev-parse', 'HEAD').trim();
  }

  git(...args: readonly string[]): string {
    return execFileSync('git', args, { cwd: this.folder, encoding: 'utf8' });
  }

  /** Runs the action to its end, beside this process, which may serve what it asks for. */
  async run(inputs: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}): Promise<BundleRun> {
    return this.start(inputs, env).ended;
  }

  start(inputs: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}): Running {
    return startBundle({ action: 'migrate-db', inputs, workspace: this.folder, env });
  }

  /** As the run of a pull request whose base is this commit. */
  async runOnPullRequest(base: string, inputs: Readonly<Record<string, string>>, apiUrl: string): Promise<BundleRun> {
    const head = this.git('rev-parse', 'HEAD').trim();
    const repo = { full_name: 'acme/shop' };
    const event = { number: 12, pull_request: { number: 12, base: { sha: base, repo }, head: { sha: head, repo } } };
    const file = path.join(this.folder, '.git', 'event.json');
    writeFileSync(file, JSON.stringify(event));
    return this.run(inputs, { GITHUB_EVENT_NAME: 'pull_request', GITHUB_EVENT_PATH: file, GITHUB_API_URL: apiUrl });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
