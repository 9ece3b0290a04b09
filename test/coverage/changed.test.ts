import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { localExec } from '../../src/action/exec.ts';
import type { RunInfo } from '../../src/action/host.ts';
import { type Changed, type Unknown, changedLines, parseDiff } from '../../src/coverage/changed.ts';

let folder = '';
let origin = '';
beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'changed-')));
  origin = path.join(folder, 'origin');
  mkdirSync(origin);
  git(origin, 'init', '-q', '-b', 'main');
  // As GitHub does.
  git(origin, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
  commit('a.js', 'one\ntwo\nthree\n');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function git(cwd: string, ...args: readonly string[]): string {
  return execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.example', ...args], {
    cwd,
    encoding: 'utf8',
  }).trim();
}

function commit(file: string, content: string): string {
  writeFileSync(path.join(origin, file), content);
  git(origin, 'add', '.');
  git(origin, 'commit', '-q', '-m', file);
  return git(origin, 'rev-parse', 'HEAD');
}

async function changed(workspace: string, event: object): Promise<Changed | Unknown | undefined> {
  const eventPath = path.join(folder, 'event.json');
  writeFileSync(eventPath, JSON.stringify(event));
  const info = { workspace, temp: folder, eventPath } as RunInfo;
  return changedLines({ exec: localExec(process.env, new AbortController().signal), info });
}

function linesOf(found: Changed | Unknown | undefined): unknown {
  if (found === undefined || !('lines' in found)) return found;
  return Object.fromEntries([...found.lines].map(([file, lines]) => [file, [...lines]]));
}

/** A pull request of one file, while main moves on; merged as GitHub checks it out. */
function pullRequest(): { base: string; head: string } {
  const base = git(origin, 'rev-parse', 'HEAD');
  git(origin, 'checkout', '-q', '-b', 'feature');
  const head = commit('a.js', 'one\n++ b/evil.js\n@@ -1 +1,9 @@\nthree\n');
  git(origin, 'checkout', '-q', 'main');
  commit('other.js', 'of somebody else\n');
  git(origin, 'checkout', '-q', '-b', 'merged');
  git(origin, 'merge', '-q', '--no-ff', '-m', 'Merge', 'feature');
  return { base, head };
}

const event = ({ base, head }: { base: string; head: string }) => ({
  pull_request: { base: { sha: base }, head: { sha: head } },
});

describe('a pull request', () => {
  test('as GitHub merges it for the check: its own lines alone', async () => {
    const found = await changed(origin, event(pullRequest()));
    expect(linesOf(found)).toEqual({ 'a.js': [2, 3] });
  });

  test('of a checkout without history: the one commit that is missing is fetched', async () => {
    const sent = event(pullRequest());
    const clone = path.join(folder, 'clone');
    git(folder, 'clone', '-q', '--depth=1', '--branch=merged', `file://${origin}`, clone);
    expect(linesOf(await changed(clone, sent))).toEqual({ 'a.js': [2, 3] });
  });

  test('whose head itself is checked out', async () => {
    const sent = event(pullRequest());
    git(origin, 'checkout', '-q', 'feature');
    expect(linesOf(await changed(origin, sent))).toEqual({ 'a.js': [2, 3] });
  });

  test('whose base cannot be had: said with the next step', async () => {
    const sent = event(pullRequest());
    const clone = path.join(folder, 'clone');
    git(folder, 'clone', '-q', '--depth=1', '--branch=merged', `file://${origin}`, clone);
    git(clone, 'remote', 'set-url', 'origin', path.join(folder, 'nowhere'));
    expect(await changed(clone, sent)).toEqual({
      unknown: expect.stringContaining('give `fetch-depth: 0` to actions/checkout'),
    });
  });
});

test('a push is compared with what was there before; a new branch with nothing', async () => {
  const before = git(origin, 'rev-parse', 'HEAD');
  commit('with space ä.js', 'x\n');
  expect(linesOf(await changed(origin, { before }))).toEqual({ 'with space ä.js': [1] });
  expect(await changed(origin, { before: '0'.repeat(40) })).toBeUndefined();
  expect(await changed(origin, { schedule: '1 * * * *' })).toBeUndefined();
});

test('hostile events name no options of git', async () => {
  expect(await changed(origin, { before: '--output=/tmp/x' })).toBeUndefined();
  expect(await changed(origin, { pull_request: { base: { sha: '-x' }, head: {} } })).toBeUndefined();
});

test('a diff that is no diff gives no lines', () => {
  expect(parseDiff('+++ b/a.js\n@@ what @@\n+x').get('a.js')?.size).toBe(0);
});
