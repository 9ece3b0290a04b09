import type { Host } from '../action/host.ts';
import { type Markdown, link, md, paragraphs, raw } from '../action/markdown.ts';
import { writeComment } from '../github/comments.ts';
import { pullRequestOf, readEvent } from '../github/event.ts';
import type { MigrateInputs } from './inputs.ts';
import type { CheckOutcome } from './outcome.ts';

/**
 * Keeps one comment on the pull request in step with the summary. Where there is nothing to say, none is begun; one that
 * an earlier commit got is renewed all the same.
 */
export async function tellPullRequest(
  summary: Markdown,
  outcome: CheckOutcome,
  { githubToken: token, directory }: Pick<MigrateInputs, 'githubToken' | 'directory'>,
  host: Pick<Host, 'info' | 'log' | 'clock' | 'signal'>,
): Promise<void> {
  const pullRequest = pullRequestOf(host.info.eventName, await readEvent(host.info));
  if (pullRequest === undefined || token === '') return;
  const isQuiet = outcome.checked.every(({ migrations, findings }) => migrations.length + findings.length === 0);
  const subject = directory === '.' ? 'migrate-db' : `migrate-db ${directory}`;
  const body = paragraphs(summary, origin(host.info));
  const comment = { token, pullRequest, subject, body, ...(isQuiet && { onlyRenew: true }) };
  const written = await writeComment(comment, host);
  if (typeof written === 'string') return host.log.debug(`the comment on the pull request: ${written}`);
  const text = `the pull request got no comment: ${written.refused}; the summary page of the run says the same`;
  if (pullRequest.isFork) host.log.info(text);
  else host.log.warning(text);
}

function origin({ sha, runUrl }: Host['info']): Markdown | '' {
  return runUrl === '' ? '' : md`${sha === '' ? '' : `commit ${sha.slice(0, 7)} · `}${raw(link('the run', runUrl))}`;
}
