import { UserError, messageOf } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { readEvent } from '../github/event.ts';
import { greenCommits } from '../github/runs.ts';
import { isObject } from '../project/json.ts';
import type { Git } from './git.ts';

/** The commit that a build compares itself with. */
export interface Base {
  /** Undefined where none is known to be good: then nothing may be left out. */
  readonly commit?: string;
  /** Which one it is, or why there is none, as a phrase. */
  readonly reason: string;
}

/**
 * Finds what was already checked. A pull request is compared with its base, a branch with its last commit for which this
 * workflow succeeded, a branch without one with the default branch's. What a push came after (`before` of its event) is
 * no base: it may have failed, and what it broke would be left out from then on.
 *
 * Of the good commits the newest is taken that is here or can be fetched. It need not be an ancestor, since what counts
 * is which files differ: after a force push it is none.
 */
export async function baseOf(token: string, git: Git, host: Pick<Host, 'info' | 'clock' | 'signal'>): Promise<Base> {
  const event = await readEvent(host.info);
  const named = baseInEvent(event);
  if (named !== undefined) return ofRequest(named, git);
  const { ref, refName } = host.info;
  if (!ref.startsWith('refs/heads/')) return { reason: `${ref || 'this run'} is no branch` };
  try {
    for (const branch of new Set([refName, defaultBranch(event) ?? refName])) {
      for (const commit of await greenCommits(branch, token, host)) {
        if (await git.bring(commit)) return { commit, reason: `the last green commit of ${branch}` };
      }
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const remedy = error.remedy === undefined ? '' : `; ${error.remedy}`;
    return { reason: `the last green commit of ${refName} is not known: ${messageOf(error)}${remedy}` };
  }
  return { reason: `this workflow was not yet green on ${refName}, or no such commit can be fetched` };
}

async function ofRequest(base: string, git: Git): Promise<Base> {
  if (!(await git.bring(base))) return { reason: `the base ${base.slice(0, 7)} of the pull request cannot be fetched` };
  // Without the history between both the base itself is taken: more may differ from it, but nothing less.
  const commit = (await git.mergeBase(base, 'HEAD')) ?? base;
  return { commit, reason: 'the base of the pull request' };
}

function baseInEvent(event: Readonly<Record<string, unknown>>): string | undefined {
  const group = isObject(event['merge_group']) ? event['merge_group']['base_sha'] : undefined;
  const request = isObject(event['pull_request']) ? event['pull_request'] : {};
  const base = isObject(request['base']) ? request['base']['sha'] : undefined;
  return [group, base].find((value) => typeof value === 'string');
}

function defaultBranch({ repository }: Readonly<Record<string, unknown>>): string | undefined {
  const name = isObject(repository) ? repository['default_branch'] : undefined;
  return typeof name === 'string' ? name : undefined;
}
