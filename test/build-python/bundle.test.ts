import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FASTAPI, type Files } from '../python-image/projects.ts';
import { type BundleRun, runBundle } from '../run-bundle.ts';

let workspace = '';
beforeEach(() => {
  workspace = mkdtempSync(path.join(tmpdir(), 'build-python-'));
});
afterEach(() => rmSync(workspace, { recursive: true, force: true }));

function build(files: Files, inputs: Readonly<Record<string, string>> = {}): BundleRun {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(workspace, name)), { recursive: true });
    writeFileSync(path.join(workspace, name), text);
  }
  return runBundle({ action: 'build-python', inputs, workspace });
}

describe('build-python says what is wrong before anything runs', () => {
  test('all at once: two Pythons that exclude each other, a check that is not there, nothing to start', () => {
    const files = {
      'requirements.txt': 'six\n',
      '.python-version': '3.11\n',
      'runtime.txt': 'python-3.12\n',
      'a.py': '',
    };
    const { exitCode, log, summary } = build(files, { image: 'shop', push: 'false', checks: 'mypy' });
    expect(exitCode).toBe(1);
    for (const part of ['No Python fulfils both', 'no check "mypy"', 'nothing that a container could start']) {
      expect(log).toContain(part);
    }
    expect(summary).toContain('was not built');
    expect(log).not.toContain('bringing uv');
  });

  test('an application without a server, on its file', () => {
    const { exitCode, log } = build(
      { 'requirements.txt': 'fastapi\n', 'app/main.py': FASTAPI },
      { image: 'shop', push: 'false' },
    );
    expect(exitCode).toBe(1);
    expect(log).toMatch(/::error file=app\/main\.py::.*no server for it is among the packages/);
  });

  test("a package manager that is not the project's", () => {
    const { log } = build({ 'requirements.txt': 'six\n' }, { 'package-manager': 'poetry' });
    expect(log).toContain('The input package-manager is poetry, but the project is of pip');
  });

  test('a folder without a Python project', () => {
    expect(build({ 'package.json': '{}' }).log).toContain('There is no Python project in the directory');
  });
});
