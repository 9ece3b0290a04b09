import { Failed, messageOf } from '../action/errors.ts';
import { graceAfter } from '../action/grace.ts';
import type { Host } from '../action/host.ts';

/** What a deployment came to, as GitHub names it. */
export type DeploymentState = 'in_progress' | 'success' | 'failure' | 'error' | 'inactive';

/** Tells GitHub how a deploy goes. None of its methods rejects: a report that fails is a warning. */
export interface DeploymentTracker {
  /**
   * Sets the deployment `in_progress`: the one that GitHub itself made for a job with `environment:`, so that there are
   * not two of them, else one of its own.
   */
  start(): Promise<void>;
  /** Sets a state; does nothing when `start` found and made no deployment. GitHub keeps 140 characters of the description. */
  report(state: DeploymentState, description?: string): Promise<void>;
}

export interface TrackerOptions {
  /** `''` or absent: nothing is reported. */
  readonly token?: string;
  readonly environment: string;
  /** Page of the deployed service. */
  readonly url?: string;
}

type TrackerHost = Pick<Host, 'info' | 'log' | 'clock' | 'signal' | 'mask'>;

const ATTEMPTS = 4;
const MAX_WAIT_MS = 30_000;
const TIMEOUT_MS = 15_000;
/** A cancelled run has about 5 s in all to end well. */
const CANCELLED_MS = 3500;

/** A tracker of this run's commit in one environment. */
export function deploymentTracker(host: TrackerHost, options: TrackerOptions): DeploymentTracker {
  const { token, environment, url } = options;
  if (!token) return { start: async () => undefined, report: async () => undefined };
  host.mask(token);
  const { info, log } = host;
  const [owner = '', repo = ''] = info.repository.split('/');
  const end = graceAfter(host.signal, CANCELLED_MS);
  let id: number | undefined;

  const octokit = async () => {
    const { getOctokit } = await import('@actions/github');
    return getOctokit(token, { baseUrl: info.apiUrl });
  };
  const warnOnly = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      log.warning(
        `GitHub was not told ${what}: ${messageOf(error).slice(0, 300)}${statusOf(error) === 403 ? ' (permissions: deployments: write is needed)' : ''}`,
      );
    }
  };
  const report: DeploymentTracker['report'] = (state, description = '') =>
    warnOnly(`that the deployment is ${state}`, async () => {
      if (id === undefined) return;
      const deployment = id;
      const client = await octokit();
      await retrying(host, end, (signal) =>
        client.rest.repos.createDeploymentStatus({
          owner,
          repo,
          deployment_id: deployment,
          state,
          description: description.slice(0, 140),
          log_url: info.runUrl,
          ...(url ? { environment_url: url } : {}),
          request: { signal },
        }),
      );
    });
  /** The newest deployment of this commit and environment, where one of its statuses leads to this run. */
  const ofThisRun = async (signal: AbortSignal): Promise<number | undefined> => {
    if (info.runUrl === '') return undefined;
    const { repos } = (await octokit()).rest;
    const common = { owner, repo, request: { signal } };
    const { data: found } = await repos.listDeployments({ ...common, sha: info.sha, environment, per_page: 1 });
    const [newest] = found;
    if (newest === undefined) return undefined;
    const { data: statuses } = await repos.listDeploymentStatuses({ ...common, deployment_id: newest.id });
    const isOurs = statuses.some(({ log_url: page }) => page === info.runUrl || page?.startsWith(`${info.runUrl}/`));
    return isOurs ? newest.id : undefined;
  };
  const create = async (signal: AbortSignal): Promise<number | undefined> => {
    const { repos } = (await octokit()).rest;
    const wanted = { ref: info.sha, environment, auto_merge: false, required_contexts: [] };
    const { data } = await repos.createDeployment({ owner, repo, ...wanted, request: { signal } });
    return 'id' in data ? data.id : undefined;
  };
  return {
    report,
    async start() {
      await warnOnly('of this deployment', async () => {
        id = await retrying(host, end, async (signal) => (await ofThisRun(signal)) ?? create(signal));
      });
      await report('in_progress');
    },
  };
}

/** Tells GitHub how a deploy ended, whatever way it did, once `deploying` has told it of its start. */
export async function trackedDeployment<T>(
  host: TrackerHost,
  options: TrackerOptions,
  deploying: (tracker: DeploymentTracker) => Promise<T>,
): Promise<T> {
  const { environment, token = '' } = options;
  const tracker = deploymentTracker(host, { ...options, token: environment === '' ? '' : token });
  try {
    const result = await deploying(tracker);
    await tracker.report('success');
    return result;
  } catch (error) {
    const cancelled = error instanceof Failed ? error.outputs['verdict'] === 'cancelled' : host.signal.aborted;
    await tracker.report(cancelled ? 'error' : 'failure', messageOf(error));
    throw error;
  }
}

/**
 * Tries again after 429, 5xx, resets and secondary limits (a 403 with Retry-After), as GitHub's REST guide on rate
 * limits asks. Each attempt has its own time limit; a cancelled run still reports, until `end` aborts.
 */
async function retrying<T>(
  { clock }: TrackerHost,
  end: AbortSignal,
  send: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send(AbortSignal.any([end, AbortSignal.timeout(TIMEOUT_MS)]));
    } catch (error) {
      const status = statusOf(error);
      const after = retryAfter(error);
      const passing =
        status === undefined || status === 429 || status >= 500 || (status === 403 && after !== undefined);
      if (!passing || attempt === ATTEMPTS || end.aborted) throw error;
      await clock.sleep(Math.min(after ?? 500 * 2 ** attempt, MAX_WAIT_MS), end);
    }
  }
}

function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : undefined;
}

/** Milliseconds of the answer's Retry-After, undefined without one. */
function retryAfter(error: unknown): number | undefined {
  const { response } = error as { response?: { headers?: Record<string, unknown> } };
  const seconds = Number(response?.headers?.['retry-after'] ?? NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}
