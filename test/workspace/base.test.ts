import { writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { baseOf } from '../../src/workspace/base.ts';
import { readDescription } from '../lab/parts/github-description.ts';
import { isObject } from '../lab/parts/values.ts';
import { inTree } from './tree.ts';

const sha = (digit: string): string => digit.repeat(40);
const PATH = '/repos/acme/shop/actions/workflows/deliver.yml/runs';
const operation = readDescription()('GET', PATH);
const example = operation?.example(200);

/** A run as GitHub's own example has it, with what matters here. */
function run(commit: string, more: object = {}): object {
  const [first] =
    isObject(example) && Array.isArray(example['workflow_runs']) ? (example['workflow_runs'] as object[]) : [];
  const repository = { ...(first as { head_repository: object }).head_repository, full_name: 'acme/shop' };
  return {
    ...first,
    event: 'push',
    head_branch: 'main',
    conclusion: 'success',
    head_sha: commit,
    head_repository: repository,
    ...more,
  };
}

let server: Server;
let runs: Readonly<Record<string, readonly object[]>>;
let statuses: number[];
const asked: string[] = [];

// A stand-in for one path of GitHub's API: requests and answers are checked against GitHub's own description of it.
beforeAll(async () => {
  server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://github');
    asked.push(`${request.headers.authorization} ${url.pathname}`);
    const of = runs[url.searchParams.get('branch') ?? ''] ?? [];
    const answer = { total_count: of.length, workflow_runs: of };
    const status = statuses.shift() ?? 200;
    const fault = operation?.requestFault(url.searchParams, undefined) ?? operation?.answerFault(200, answer);
    response.writeHead(url.pathname === PATH && fault === undefined ? status : 418);
    response.end(status === 200 ? JSON.stringify(answer) : '{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
beforeEach(() => {
  runs = {};
  statuses = [];
  asked.length = 0;
});
afterAll(() => void server.close());

async function find(
  there: readonly string[],
  { event = {}, token = 'a-token', ref = 'refs/heads/main' }: { event?: object; token?: string; ref?: string } = {},
) {
  return inTree({}, async (folder) => {
    const eventPath = path.join(folder, 'event.json');
    writeFileSync(eventPath, JSON.stringify({ repository: { default_branch: 'main' }, ...event }));
    const info = {
      repository: 'acme/shop',
      apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      workflow: '.github/workflows/deliver.yml',
      ref,
      refName: ref.replace(/^refs\/\w+\//, ''),
      eventPath,
    } as never;
    const clock = { now: Date.now, sleep: async () => undefined };
    const git = {
      bring: async (commit: string) => there.includes(commit),
      mergeBase: async (one: string) => (one === sha('b') ? sha('a') : undefined),
      changedSince: async () => [],
      show: async () => undefined,
    };
    return baseOf(token, git, { info, clock, signal: new AbortController().signal });
  });
}

describe('what a build is compared with', () => {
  test('the newest green commit of the branch that can be had', async () => {
    runs = { main: [run(sha('3')), run(sha('2')), run(sha('1'))] };
    expect(await find([sha('1'), sha('2')])).toEqual({ commit: sha('2'), reason: 'the last green commit of main' });
    expect(asked).toEqual([`Bearer a-token ${PATH}`]);
  });

  test('no run of a pull request, of a fork or of another shape', async () => {
    const fork = {
      head_repository: { ...(run(sha('1')) as { head_repository: object }).head_repository, full_name: 'eve/shop' },
    };
    runs = {
      main: [
        run(sha('6'), { event: 'pull_request' }),
        run(sha('5'), fork),
        run('--upload-pack=x'),
        run(sha('4'), { conclusion: 'failure' }),
        run(sha('1')),
      ],
    };
    expect(await find(['--upload-pack=x', ...['6', '5', '4', '1'].map(sha)])).toMatchObject({ commit: sha('1') });
  });

  test('of a branch that was never green, the default branch', async () => {
    runs = { main: [run(sha('1'))] };
    const base = await find([sha('1')], { ref: 'refs/heads/feature/x' });
    expect(base).toEqual({ commit: sha('1'), reason: 'the last green commit of main' });
  });

  test('the base of a pull request, without asking GitHub; from where both parted where that is known', async () => {
    const request = (base: string) => ({ event: { pull_request: { base: { sha: base } } }, ref: 'refs/pull/7/merge' });
    const reason = 'the base of the pull request';
    expect(await find([sha('c')], request(sha('c')))).toEqual({ commit: sha('c'), reason });
    expect(await find([sha('b')], request(sha('b')))).toEqual({ commit: sha('a'), reason });
    expect((await find([], request(sha('c')))).commit).toBeUndefined();
    expect(await find([sha('d')], { event: { merge_group: { base_sha: sha('d') } } })).toMatchObject({
      commit: sha('d'),
    });
    expect(asked).toEqual([]);
  });

  test('none where it is not known, and what to do', async () => {
    expect(await find([], { token: '' })).toEqual({
      reason: 'the last green commit of main is not known: there is no token; Give the input `github-token`.',
    });
    statuses = [403];
    expect((await find([sha('1')])).reason).toContain(
      '(403); Give the job (and the job of the calling workflow) `permissions: actions: read`.',
    );
    expect((await find([sha('1')])).reason).toBe(
      'this workflow was not yet green on main, or no such commit can be fetched',
    );
    expect((await find([], { ref: 'refs/tags/v1' })).reason).toBe('refs/tags/v1 is no branch');
  });

  test('a push that came after a failed one is not compared with that', async () => {
    expect((await find([sha('9')], { event: { before: sha('9') } })).commit).toBeUndefined();
  });

  test('after an answer that is none, GitHub is asked again', async () => {
    runs = { main: [run(sha('1'))] };
    statuses = [502, 429];
    expect(await find([sha('1')])).toMatchObject({ commit: sha('1') });
    statuses = [500, 500, 500];
    expect((await find([sha('1')])).reason).toContain('GitHub answered 500');
  });
});
