import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cache } from '../lab/cache.ts';

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
