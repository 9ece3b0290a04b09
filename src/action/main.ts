import * as core from '@actions/core';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Action } from './action.ts';
import { Cancelled, Failed, UserError, messageOf } from './errors.ts';
import { localExec } from './exec.ts';
import type { Clock, Host, RunInfo } from './host.ts';
import { type Spec, parseInputs } from './inputs.ts';
import { reportProblems, workflowLog } from './log.ts';

/** The runner kills the job 10 s after the first signal: an action that has not ended by then ends here, saying so. */
const CANCEL_LIMIT_MS = 7000;
const SUMMARY_LIMIT = 1_000_000;

/** Runs an action in this process: parses the inputs, runs, sets outputs, reports errors and sets the exit code. */
export async function main<S extends Spec, O extends string>(action: Action<S, O>): Promise<void> {
  const cancel = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (cancel.signal.aborted) return;
      core.info(`cancelled (${name}): stopping`);
      cancel.abort(new Cancelled(name));
      setTimeout(() => {
        core.error(`${action.name} could not stop within ${CANCEL_LIMIT_MS / 1000} s and was ended`);
        process.exit(1);
      }, CANCEL_LIMIT_MS).unref();
    });
  }
  const host = createHost(cancel.signal);
  try {
    const inputs = parseInputs(action.inputs, { get: (name) => core.getInput(name), mask: host.mask });
    setOutputs(await action.run(inputs, host));
  } catch (error) {
    if (error instanceof Failed) setOutputs(error.outputs);
    report(error, host);
    process.exitCode = 1;
  }
}

function report(error: unknown, host: Host): void {
  if (error instanceof UserError) return reportProblems(host.log, error.problems);
  if (error instanceof Cancelled) return host.log.error(messageOf(error));
  host.log.error(
    `unexpected: ${messageOf(error)} (a fault of this action: please report it; re-run with debug logging for the details)`,
  );
  for (let e = error; e instanceof Error; e = e.cause) host.log.debug(e.stack ?? messageOf(e));
}

function setOutputs(outputs: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(outputs)) if (value !== undefined) core.setOutput(name, value);
}

function createHost(signal: AbortSignal): Host {
  const log = workflowLog((line) => process.stdout.write(`${line}\n`));
  let summaryLeft = SUMMARY_LIMIT;
  return {
    env: process.env,
    info: runInfo(process.env),
    log,
    clock: systemClock,
    exec: localExec(process.env, signal),
    signal,
    mask(secret) {
      for (const part of maskable(secret)) core.setSecret(part);
    },
    async idToken(audience) {
      if (!process.env['ACTIONS_ID_TOKEN_REQUEST_URL']) throw missingIdToken();
      return core.getIDToken(audience);
    },
    async summarize(markdown) {
      if (!process.env['GITHUB_STEP_SUMMARY']) return log.info(markdown);
      const shown = Buffer.from(markdown).subarray(0, summaryLeft).toString();
      summaryLeft -= Buffer.byteLength(shown);
      await core.summary.addRaw(shown, true).addEOL().write();
    },
    addPath: (folder) => core.addPath(folder),
  };
}

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    try {
      await sleep(ms, undefined, signal ? { signal } : {});
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    }
  },
};

function runInfo(env: NodeJS.ProcessEnv): RunInfo {
  const get = (name: string): string => env[name] ?? '';
  const [serverUrl, repository, runId] = [
    get('GITHUB_SERVER_URL') || 'https://github.com',
    get('GITHUB_REPOSITORY'),
    get('GITHUB_RUN_ID'),
  ];
  return {
    workspace: get('GITHUB_WORKSPACE') || process.cwd(),
    temp: get('RUNNER_TEMP') || '/tmp',
    repository,
    sha: get('GITHUB_SHA'),
    ref: get('GITHUB_REF'),
    refName: get('GITHUB_REF_NAME'),
    eventName: get('GITHUB_EVENT_NAME'),
    actor: get('GITHUB_ACTOR'),
    runId,
    runAttempt: get('GITHUB_RUN_ATTEMPT') || '1',
    job: get('GITHUB_JOB'),
    runUrl: repository && runId ? `${serverUrl}/${repository}/actions/runs/${runId}` : '',
    serverUrl,
    apiUrl: get('GITHUB_API_URL') || 'https://api.github.com',
    eventPath: get('GITHUB_EVENT_PATH'),
  };
}

/** The forms in which a secret shows up: whole, line by line, URL-encoded. Parts too short to hide are left out. */
export function maskable(secret: string): readonly string[] {
  const parts = [secret, ...secret.split(/\r?\n/), encodeURIComponent(secret)];
  return [...new Set(parts.map((part) => part.trim()))].filter((part) => part.length >= 4);
}

function missingIdToken(): UserError {
  return new UserError('this job may not ask GitHub for an OIDC token, so no AWS role can be assumed', {
    remedy:
      'add to the job (and to the job of the calling workflow):\n  permissions:\n    id-token: write\n    contents: read',
  });
}
