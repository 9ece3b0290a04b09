import path from 'node:path';
import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { ask, jsonOf } from '../http/ask.ts';
import { isObject } from '../project/json.ts';

type ApiHost = Pick<Host, 'info' | 'clock' | 'signal'>;

const NEWEST = 30;

/**
 * The commits of a branch whose run of this workflow succeeded, the newest first. Runs of pull requests do not count:
 * a fork's branch may have the same name, and its workflow may say anything.
 * @throws UserError when GitHub does not tell, with the permission that the job needs where it lacks one
 */
export async function greenCommits(branch: string, token: string, host: ApiHost): Promise<readonly string[]> {
  const { repository, apiUrl, workflow } = host.info;
  if (token === '') throw new UserError('there is no token', { remedy: 'Give the input `github-token`.' });
  if (repository === '' || workflow === '') throw new UserError('the runner does not say which workflow this is');
  const query = new URLSearchParams({
    branch,
    status: 'success',
    exclude_pull_requests: 'true',
    per_page: `${NEWEST}`,
  });
  const file = encodeURIComponent(path.posix.basename(workflow));
  const headers = {
    accept: 'application/vnd.github+json',
    authorization: `Bearer ${token}`,
    'x-github-api-version': '2022-11-28',
  };
  const url = `${apiUrl}/repos/${repository}/actions/workflows/${file}/runs?${query.toString()}`;
  const answer = await ask({ url, headers }, { what: 'GitHub', remedy: 'Run the job again.', attempts: 3 }, host);
  if (answer.status === 403 || answer.status === 404) throw refused(answer.status);
  if (answer.status !== 200) throw new UserError(`GitHub answered ${answer.status}`);
  const value = jsonOf(answer);
  const runs: readonly unknown[] =
    isObject(value) && Array.isArray(value['workflow_runs']) ? value['workflow_runs'] : [];
  const commits = runs.flatMap((run) => (isObject(run) && isOwn(run, branch, repository) ? [run['head_sha']] : []));
  return [...new Set(commits.filter((sha) => isCommit(sha)))];
}

/** Whether a text is the whole name of a commit, so that git can take it for nothing else. */
export function isCommit(value: unknown): value is string {
  return typeof value === 'string' && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(value) && !/^0+$/.test(value);
}

function isOwn(run: Readonly<Record<string, unknown>>, branch: string, repository: string): boolean {
  const from = isObject(run['head_repository']) ? run['head_repository']['full_name'] : undefined;
  const ofRequest = typeof run['event'] !== 'string' || run['event'].startsWith('pull_request');
  return !ofRequest && run['head_branch'] === branch && run['conclusion'] === 'success' && from === repository;
}

function refused(status: number): UserError {
  return new UserError(`GitHub does not tell this job of earlier runs (${status})`, {
    remedy: 'Give the job (and the job of the calling workflow) `permissions: actions: read`.',
  });
}
