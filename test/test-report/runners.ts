import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inheritable, localExec } from '../../src/action/exec.ts';
import type { RunInfo } from '../../src/action/host.ts';
import { workflowLog } from '../../src/action/log.ts';
import { systemClock } from '../../src/action/main.ts';
import { openProject } from '../../src/project/project.ts';
import { type Task, type TaskResult, runTasks } from '../../src/task/task.ts';
import { TestWatch, type WatchedTests } from '../../src/build/test-watch.ts';
import { cache } from '../lab/cache.ts';

/** What came of a watched task. */
export interface Ran {
  readonly result: TaskResult;
  readonly outcome: WatchedTests;
  readonly log: string;
}

/** The real runners that the tests drive, pinned. */
const PACKAGES = {
  '@playwright/test': '1.65.1',
  c8: '12.0.0',
  jest: '30.5.2',
  mocha: '12.0.0',
  vitest: '5.1.1',
};
const PYTEST = ['pytest==9.2.0', 'pytest-cov==7.1.0', 'pytest-rerunfailures==16.7'];

/** Links node_modules with all runners into a folder; they are installed once and kept in the cache. */
export function linkRunners(folder: string): void {
  const home = path.join(cache, 'test-runners', keyOf(Object.entries(PACKAGES)));
  once(home, (made) => {
    writeFileSync(path.join(made, 'package.json'), JSON.stringify({ private: true, dependencies: PACKAGES }));
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: made, stdio: 'pipe' });
  });
  symlinkSync(path.join(home, 'node_modules'), path.join(folder, 'node_modules'));
}

/** A pytest with its plugins in a virtual environment, which names its path and so is made in its place. */
export function findPytest(): string {
  const home = path.join(cache, 'test-runners', keyOf(PYTEST));
  const program = path.join(home, 'bin', 'pytest');
  if (existsSync(path.join(home, 'complete'))) return program;
  rmSync(home, { recursive: true, force: true });
  execFileSync('python3', ['-m', 'venv', home], { stdio: 'pipe' });
  execFileSync(path.join(home, 'bin', 'pip'), ['install', '--quiet', ...PYTEST], { stdio: 'pipe' });
  writeFileSync(path.join(home, 'complete'), '');
  return program;
}

function once(home: string, make: (folder: string) => void): void {
  if (existsSync(home)) return;
  const beside = `${home}.${process.pid}`;
  mkdirSync(beside, { recursive: true });
  make(beside);
  renameSync(beside, home);
}

function keyOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);
}

/** Runs a task of a project as a build does, watched. */
export async function runWatched(
  folder: string,
  task: Task,
  { retries = 0, timeout }: { retries?: number; timeout?: number },
): Promise<Ran> {
  const lines: string[] = [];
  // Under jest, its own marks and options must not reach the runners.
  const { NODE_OPTIONS: _, JEST_WORKER_ID: __, NODE_ENV: ___, ...env } = inheritable(process.env);
  const host = {
    exec: localExec(
      { ...env, PATH: `${path.dirname(process.execPath)}:${env['PATH'] ?? ''}` },
      new AbortController().signal,
    ),
    log: workflowLog((line) => void lines.push(line)),
    clock: systemClock,
    env: {},
    info: { temp: path.join(folder, 'temp') } as RunInfo,
  };
  const watch = new TestWatch(openProject('.', folder), { retries, runtime: `Node ${process.versions.node}` }, host);
  const [result] = await runTasks(
    [watch.watch(task)],
    { cwd: folder, ...(timeout !== undefined && { timeout }) },
    host,
  );
  if (result === undefined) throw new Error('the task has no result');
  if (readdirSync(path.join(folder, 'temp')).length > 0) throw new Error('a recording was left behind');
  return { result, outcome: watch.outcome(), log: lines.join('\n') };
}

/** Writes files of a project. */
export function write(folder: string, files: Readonly<Record<string, string | object>>): void {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  }
}
