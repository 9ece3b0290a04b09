import { UserError, describe } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import type { Markdown } from '../action/markdown.ts';
import { type Answer, type Question, ask, jsonOf } from '../http/ask.ts';
import { isObject } from '../project/json.ts';
import type { PullRequest } from './event.ts';

/** The one comment that is kept on a pull request for a subject, and renewed by every run. */
export interface StickyComment {
  readonly token: string;
  readonly pullRequest: PullRequest;
  /** What it is about, such as `migrate-db`: two subjects have a comment each. */
  readonly subject: string;
  readonly body: Markdown;
  /** Nothing to say unless something was said before. */
  readonly onlyRenew?: boolean;
}

/** What became of it: `absent` where there was none to renew. */
export type Commented = 'created' | 'renewed' | 'unchanged' | 'absent' | { readonly refused: string };

type CommentHost = Pick<Host, 'info' | 'clock' | 'signal'>;

/** GitHub refuses a body with more characters (`body is too long (maximum is 65536 characters)`). */
export const MAX_COMMENT = 65_536;
const PAGE = 100;
const MAX_PAGES = 20;
const TRIES = 3;
const PAUSE_MS = 1000;
const MANNERS = { what: 'GitHub', remedy: 'Run the job again.' };

/** Writes the comment or renews it. A comment that fails is no fault of the run, so it never throws for GitHub's sake. */
export async function writeComment(comment: StickyComment, host: CommentHost): Promise<Commented> {
  try {
    return await write(comment, host);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { refused: describe(error) };
  }
}

async function write(comment: StickyComment, host: CommentHost): Promise<Commented> {
  const marker = markerOf(comment.subject);
  const body = `${marker}\n${fitted(comment.body, MAX_COMMENT - marker.length - 1)}`;
  for (let tried = 1; ; tried += 1) {
    const before = await find(comment, marker, host);
    if (before === undefined && comment.onlyRenew === true) return 'absent';
    if (before !== undefined && plain(before.body) === plain(body)) return 'unchanged';
    // Not sent twice without a look in between: GitHub may have written what it then could not answer for.
    const answer = await request(comment, before === undefined ? post(comment, body) : patch(before.id, body), host, 1);
    if (answer.status === 200 || answer.status === 201) return before === undefined ? 'created' : 'renewed';
    const passes = answer.status >= 500 || answer.status === 429 || answer.headers.has('retry-after');
    if (!passes || tried >= TRIES) return { refused: refusal(answer, comment.pullRequest) };
    await host.clock.sleep(pauseOf(answer) ?? PAUSE_MS * tried, host.signal);
  }
}

type Call = Pick<Question, 'method' | 'body'> & { readonly path: string };

function post({ pullRequest }: StickyComment, body: string): Call {
  return { method: 'POST', path: `issues/${pullRequest.number}/comments`, body: { body } };
}

function patch(id: number, body: string): Call {
  return { method: 'PATCH', path: `issues/comments/${id}`, body: { body } };
}

async function request({ token }: StickyComment, { path, ...call }: Call, host: CommentHost, attempts: number) {
  const { apiUrl, repository } = host.info;
  const headers = {
    accept: 'application/vnd.github+json',
    authorization: `Bearer ${token}`,
    'x-github-api-version': '2022-11-28',
  };
  return ask({ url: `${apiUrl}/repos/${repository}/${path}`, headers, ...call }, { ...MANNERS, attempts }, host);
}

interface Found {
  readonly id: number;
  readonly body: string;
}

/**
 * The comment with the marker that a program wrote: a person who copies the marker does not have their words replaced.
 * @throws UserError when GitHub does not tell the comments
 */
async function find(comment: StickyComment, marker: string, host: CommentHost): Promise<Found | undefined> {
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const path = `issues/${comment.pullRequest.number}/comments?per_page=${PAGE}&page=${page}`;
    const answer = await request(comment, { path }, host, 3);
    if (answer.status !== 200) throw new UserError(refusal(answer, comment.pullRequest));
    const value = jsonOf(answer);
    const listed: readonly unknown[] = Array.isArray(value) ? value : [];
    for (const one of listed) {
      if (!isObject(one) || !isObject(one['user'])) continue;
      const { id, body, user } = one;
      if (typeof id !== 'number' || typeof body !== 'string' || user['type'] !== 'Bot') continue;
      if (body.startsWith(marker)) return { id, body };
    }
    if (listed.length < PAGE) return undefined;
  }
  return undefined;
}

function markerOf(subject: string): string {
  return `<!-- delivery-actions ${subject.replaceAll(/[^\w./-]+|--+/g, '-')} -->`;
}

function plain(body: string): string {
  return body.replaceAll('\r\n', '\n').trimEnd();
}

function refusal({ status }: Answer, { isFork }: PullRequest): string {
  if (status !== 403 && status !== 404) return `GitHub answered ${status}`;
  if (isFork) return 'the token of a pull request from a fork may not comment';
  return 'the job (and that of the calling workflow) needs `permissions: pull-requests: write`';
}

function pauseOf({ headers }: Answer): number | undefined {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return seconds >= 0 ? Math.min(seconds, 30) * 1000 : undefined;
}

/**
 * Markdown cut to a number of characters, at a line where nothing is open: neither a block of code nor a folded section,
 * which would swallow what comes after.
 */
export function fitted(markdown: string, max: number): string {
  if (markdown.length <= max) return markdown;
  const end = '\n\n*The rest is on the summary page of the run.*';
  let [at, safe, depth] = [0, 0, 0];
  let fence: string | undefined;
  for (const line of markdown.split('\n')) {
    const [, run] = /^(`{3,})/.exec(line) ?? [];
    if (fence === undefined) fence = run;
    else if (line === fence) fence = undefined;
    if (fence === undefined) depth += count(line, '<details>') - count(line, '</details>');
    at += line.length + 1;
    if (at - 1 > max - end.length) break;
    if (fence === undefined && depth === 0 && !line.startsWith('|')) safe = at - 1;
  }
  return `${markdown.slice(0, safe).trimEnd()}${end}`;
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}
