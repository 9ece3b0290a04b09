import { describe, expect, test } from '@jest/globals';
import { githubAnswers } from './github-answers.ts';
import { readDescription } from './github-description.ts';

const answers = githubAnswers('secret');
const repo = '/repos/acme/shop';

function ask(method: string, path: string, body?: unknown, token = 'secret') {
  const { status, body: text } = answers({
    method,
    url: new URL(path, 'http://lab'),
    headers: { authorization: `token ${token}` },
    body: body === undefined ? '' : JSON.stringify(body),
  });
  const value: unknown = text === '' ? undefined : JSON.parse(text);
  return { status, value, id: (value as { id?: number } | undefined)?.id };
}

describe("the lab's GitHub", () => {
  test('keeps a deployment and its statuses, the newest first', () => {
    const { status, id } = ask('POST', `${repo}/deployments`, { ref: 'c0ffee', environment: 'production' });
    expect(status).toBe(201);
    for (const state of ['in_progress', 'success']) {
      expect(ask('POST', `${repo}/deployments/${id}/statuses`, { state }).status).toBe(201);
    }
    expect(ask('GET', `${repo}/deployments/${id}/statuses`).value).toMatchObject([
      { state: 'success' },
      { state: 'in_progress' },
    ]);
    expect(ask('GET', `${repo}/deployments?environment=production`).value).toMatchObject([{ id, ref: 'c0ffee' }]);
    expect(ask('GET', `${repo}/deployments?environment=staging`).value).toEqual([]);
    expect(ask('GET', '/repos/acme/other/deployments').value).toEqual([]);
  });

  test('keeps comments, checks and commit statuses, and changes them', () => {
    const comment = ask('POST', `${repo}/issues/3/comments`, { body: 'a plan' });
    ask('PATCH', `${repo}/issues/comments/${comment.id}`, { body: 'a better plan' });
    expect(ask('GET', `${repo}/issues/3/comments`).value).toMatchObject([{ body: 'a better plan' }]);
    expect(ask('DELETE', `${repo}/issues/comments/${comment.id}`).status).toBe(204);
    expect(ask('GET', `${repo}/issues/3/comments`).value).toEqual([]);

    const check = ask('POST', `${repo}/check-runs`, { name: 'plan', head_sha: 'c0ffee', status: 'in_progress' });
    ask('PATCH', `${repo}/check-runs/${check.id}`, { status: 'completed', conclusion: 'success' });
    expect(ask('GET', `${repo}/commits/c0ffee/check-runs`).value).toMatchObject({
      total_count: 1,
      check_runs: [{ name: 'plan', conclusion: 'success' }],
    });
    ask('POST', `${repo}/statuses/c0ffee`, { state: 'success', context: 'deploy' });
    expect(ask('GET', `${repo}/commits/c0ffee/statuses`).value).toMatchObject([{ context: 'deploy' }]);
  });

  test.each([
    ['no environment name', 'POST', `${repo}/deployments`, { ref: 'x', environment: 7 }, 422],
    ['a state that is none', 'POST', `${repo}/deployments/1/statuses`, { state: 'splendid' }, 422],
    ['a page that is none', 'GET', `${repo}/deployments?per_page=many`, undefined, 422],
    ['a deployment that is not there', 'POST', `${repo}/deployments/99/statuses`, { state: 'success' }, 404],
    ['a path that GitHub does not have', 'GET', `${repo}/deploys`, undefined, 404],
    ['a path that the lab does not have', 'GET', `${repo}/labels`, undefined, 501],
  ])('refuses %s', (_what, method, path, body, status) => {
    expect(ask(method, path, body).status).toBe(status);
  });

  test('knows its token', () => expect(ask('GET', `${repo}/deployments`, undefined, 'guess').status).toBe(401));
});

test("an answer that GitHub's description forbids is told", () => {
  const operation = readDescription()('POST', `${repo}/deployments`);
  expect(operation?.answerFault(201, operation.example(201))).toBeUndefined();
  expect(operation?.answerFault(201, { id: 1 })).toContain('required');
  expect(operation?.answerFault(418, {})).toContain('418');
});
