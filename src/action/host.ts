import type { Exec } from './exec.ts';
import type { Log } from './log.ts';
import type { Markdown } from './markdown.ts';

/** Time, so that tests can hold it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Rests `ms` milliseconds; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** What the runner says of the run, from `GITHUB_*` and `RUNNER_*`; `''` where it says nothing. */
export interface RunInfo {
  readonly workspace: string;
  readonly temp: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly sha: string;
  readonly ref: string;
  readonly refName: string;
  readonly eventName: string;
  readonly actor: string;
  readonly runId: string;
  readonly runAttempt: string;
  readonly job: string;
  /** Path of the workflow's file in the repository, of the caller where one workflow calls another. */
  readonly workflow: string;
  /** The page of this run. */
  readonly runUrl: string;
  readonly serverUrl: string;
  readonly apiUrl: string;
  /** Path of the event's JSON file. */
  readonly eventPath: string;
}

/** Everything an action may use of the machine it runs on. Nothing else reads globals. */
export interface Host {
  /** The process environment, for AWS and proxy settings; GitHub's own facts stand in `info`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly info: RunInfo;
  readonly log: Log;
  readonly clock: Clock;
  readonly exec: Exec;
  /** Aborts with {@link Cancelled} when the runner cancels the job. */
  readonly signal: AbortSignal;
  /** Hides a value in all logs from now on. */
  readonly mask: (secret: string) => void;
  /** An OIDC token of this job. @throws UserError when the job lacks `id-token: write` */
  idToken(audience: string): Promise<string>;
  /** Adds to the run's summary page; cut at GitHub's limit of 1 MiB. */
  summarize(markdown: Markdown): Promise<void>;
  /** Puts a folder first on PATH, for this step and those after it. */
  addPath(folder: string): void;
}
