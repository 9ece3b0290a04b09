import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Action } from './action.ts';
import { Cancelled, Failed, UserError, messageOf } from './errors.ts';
import { localExec } from './exec.ts';
import type { Clock, Host, RunInfo } from './host.ts';
import { type Spec, parseInputs } from './inputs.ts';
import { type Log, maskCommand, reportProblems, workflowLog } from './log.ts';

/** Loaded when first needed: its HTTP client alone takes longer to start than all else before the first request. */
const toolkit = async () => import('@actions/core');

/** The runner kills the job 10 s after the first signal: an action that has not ended by then ends here, saying so. */
const CANCEL_LIMIT_MS = 7000;
const SUMMARY_LIMIT = 1_000_000;

/** Runs an action in this process: parses the inputs, runs, sets outputs, reports errors and sets the exit code. */
export async function main<S extends Spec, O extends string>(action: Action<S, O>): Promise<void> {
  const log = workflowLog((line) => process.stdout.write(`${line}\n`));
  const cancel = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (cancel.signal.aborted) return;
      log.info(`cancelled (${name}): stopping`);
      cancel.abort(new Cancelled(name));
      setTimeout(() => {
        log.error(`${action.name} could not stop within ${CANCEL_LIMIT_MS / 1000} s and was ended`);
        process.exit(1);
      }, CANCEL_LIMIT_MS).unref();
    });
  }
  const host = createHost(log, cancel.signal);
  try {
    const inputs = parseInputs(action.inputs, { get: inputOf, mask: host.mask });
    await setOutputs(action.outputs, await action.run(inputs, host));
  } catch (error) {
    await setOutputs(action.outputs, error instanceof Failed ? error.outputs : {});
    report(error, host);
    process.exitCode = 1;
  }
  // Whatever a cancelled run still awaits, such as a silent server, must not hold it.
  if (cancel.signal.aborted) process.exit();
}

function report(error: unknown, host: Host): void {
  if (error instanceof UserError) return reportProblems(host.log, error.problems);
  if (error instanceof Cancelled) return host.log.error(messageOf(error));
  host.log.error(
    `unexpected: ${messageOf(error)} (a fault of this action: please report it; re-run with debug logging for the details)`,
  );
  for (let e = error; e instanceof Error; e = e.cause) host.log.debug(e.stack ?? messageOf(e));
}

/** As the runner hands it over: `INPUT_` and the name in capitals. */
function inputOf(name: string): string {
  return process.env[`INPUT_${name.toUpperCase()}`] ?? '';
}

/** For the steps after this one by the runner's file, for this one by its own environment. */
function addPath(folder: string): void {
  const file = process.env['GITHUB_PATH'];
  if (file) appendFileSync(file, `${folder}\n`);
  process.env['PATH'] = [folder, process.env['PATH'] ?? ''].join(path.delimiter);
}

/** Those left out are set too, as empty: a program of the project may have written something in their place. */
async function setOutputs(
  names: readonly string[],
  outputs: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const core = await toolkit();
  for (const name of names) core.setOutput(name, outputs[name] ?? '');
}

function createHost(log: Log, signal: AbortSignal): Host {
  let summaryLeft = SUMMARY_LIMIT;
  return {
    env: process.env,
    info: runInfo(process.env),
    log,
    clock: systemClock,
    exec: localExec(process.env, signal),
    signal,
    mask(secret) {
      for (const part of maskable(secret)) process.stdout.write(`${maskCommand(part)}\n`);
    },
    async idToken(audience) {
      if (!process.env['ACTIONS_ID_TOKEN_REQUEST_URL']) throw missingIdToken();
      return (await toolkit()).getIDToken(audience);
    },
    async summarize(markdown) {
      if (!process.env['GITHUB_STEP_SUMMARY']) return log.info(markdown);
      const shown = Buffer.from(markdown).subarray(0, summaryLeft).toString();
      summaryLeft -= Buffer.byteLength(shown);
      const { summary } = await toolkit();
      await summary.addRaw(shown, true).addEOL().write();
    },
    addPath,
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
    // Such as acme/shop/.github/workflows/deliver.yml@refs/heads/main.
    workflow: /^[^/]+\/[^/]+\/([^@]+)@/.exec(get('GITHUB_WORKFLOW_REF'))?.[1] ?? '',
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
