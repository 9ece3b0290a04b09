import { Cancelled, messageOf } from '../action/errors.ts';
import type { Clock } from '../action/host.ts';
import { type Evidence, diagnose } from '../kube/diagnose.ts';
import { at, itemsAt, numberAt, textAt } from '../kube/fields.ts';
import { type Kube, KubeError, type KubeObject, type ObjectRef, refOf } from '../kube/kube.ts';
import { waitForAll } from '../kube/wait.ts';

/** What came of a Job. */
export interface JobResult {
  readonly verdict: 'succeeded' | 'failed' | 'timed-out';
  readonly seconds: number;
  /** The last lines that the command wrote, oldest first. */
  readonly lines: readonly string[];
  readonly exitCode?: number;
  /** Why it failed, when it did. */
  readonly evidence?: Evidence;
  /** It was there already: a run before this one started it, and this one followed it to its end. */
  readonly resumed: boolean;
}

export interface JobOptions {
  /** Milliseconds to wait; the Job's own deadline ends it in the cluster. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Every line of the command as it comes, unsafe as it is. */
  readonly onLine: (line: string) => void;
  readonly onProgress: (line: string) => void;
}

const KEPT_LINES = 200;
/** After the end, what was written last may take a moment to arrive. */
const LAST_WORDS_MS = 3000;
const RETRY_MS = 500;

/**
 * Starts a Job and follows it to its end, with its log. One of the same name that is there already is followed instead,
 * so that a runner that died can be replaced. When the signal aborts, the Job is deleted with its pod: what the command
 * then does on SIGTERM is its own.
 * @throws KubeError when the cluster refuses; the signal's reason when it aborts
 */
export async function runJob(kube: Kube, job: KubeObject, options: JobOptions): Promise<JobResult> {
  const { clock, signal } = options;
  const began = clock.now();
  const { live, resumed } = await createOrFind(kube, job);
  const ref = refOf(live);
  const stop = new AbortController();
  const lines: string[] = [];
  const onLine = (line: string): void => {
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
    options.onLine(line);
  };
  const following = follow(kube, live, { ...options, onLine, signal: AbortSignal.any([signal, stop.signal]) });
  following.catch(() => undefined);
  const cancel = async (): Promise<never> => {
    await kube.delete(ref, { propagation: 'Foreground' }).catch((error: unknown) => {
      options.onProgress(`the Job could not be deleted: ${messageOf(error)}`);
    });
    throw signal.reason as Error;
  };
  try {
    const wait = await waitForAll(kube, [{ object: live, changedAt: began }], options);
    // The log's stream ends by itself once the container did.
    await Promise.race([following.catch(() => undefined), clock.sleep(LAST_WORDS_MS)]);
    const seconds = (clock.now() - began) / 1000;
    const exitCode = await exitCodeOf(kube, live);
    const result = { seconds, lines, resumed, ...(exitCode !== undefined && { exitCode }) };
    if (wait.failed !== undefined) {
      const evidence = await diagnose(kube, wait.failed, { since: began, clock });
      return { verdict: (await ranOutOfTime(kube, ref)) ? 'timed-out' : 'failed', ...result, evidence };
    }
    return { verdict: wait.timedOut.length > 0 ? 'timed-out' : 'succeeded', ...result };
  } catch (error) {
    if (signal.aborted || error instanceof Cancelled) return await cancel();
    throw error;
  } finally {
    stop.abort();
  }
}

async function createOrFind(kube: Kube, job: KubeObject): Promise<{ live: KubeObject; resumed: boolean }> {
  try {
    return { live: await kube.create(job), resumed: false };
  } catch (error) {
    if (!(error instanceof KubeError && error.status === 409)) throw error;
    const live = await kube.get(refOf(job));
    if (live === undefined) throw error;
    return { live, resumed: true };
  }
}

/** Streams the log of the Job's pod from its first line, taken up again where a connection broke. */
async function follow(
  kube: Kube,
  job: KubeObject,
  { onLine, signal, clock }: Pick<JobOptions, 'onLine' | 'signal' | 'clock'>,
): Promise<void> {
  const namespace = job.metadata.namespace ?? '';
  let since = '';
  while (!signal.aborted) {
    const pod = await podOf(kube, job);
    const state = itemsAt(pod, 'status', 'containerStatuses')[0];
    const began = at(state, 'state', 'running') ?? at(state, 'state', 'terminated');
    if (pod !== undefined && began !== undefined) {
      const heard = since;
      try {
        const log = kube.followLog({ namespace, name: pod.metadata.name }, { container: 'command', since }, signal);
        for await (const { time, line } of log) {
          // The server knows `sinceTime` by the second: what was heard of it comes again.
          if (time <= heard) continue;
          since = time;
          onLine(line);
        }
      } catch (error) {
        if (signal.aborted || (error instanceof KubeError && error.status === 403)) return;
      }
      if (at(state, 'state', 'terminated') !== undefined) return;
    }
    await clock.sleep(RETRY_MS, signal).catch(() => undefined);
  }
}

async function podOf(kube: Kube, job: KubeObject): Promise<KubeObject | undefined> {
  const pods = await kube.list({
    apiVersion: 'v1',
    kind: 'Pod',
    ...(job.metadata.namespace !== undefined && { namespace: job.metadata.namespace }),
    labelSelector: `batch.kubernetes.io/job-name=${job.metadata.name}`,
  });
  return pods[0];
}

async function exitCodeOf(kube: Kube, job: KubeObject): Promise<number | undefined> {
  const pod = await podOf(kube, job).catch(() => undefined);
  return numberAt(itemsAt(pod, 'status', 'containerStatuses')[0], 'state', 'terminated', 'exitCode');
}

/** Whether the Job's own deadline ended it (`activeDeadlineSeconds`). */
async function ranOutOfTime(kube: Kube, ref: ObjectRef): Promise<boolean> {
  const job = await kube.get(ref).catch(() => undefined);
  return itemsAt(job, 'status', 'conditions').some((one) => textAt(one, 'reason') === 'DeadlineExceeded');
}

/** Jobs of this product that run in a namespace now, for those who must not start a second one. */
export async function runningJobs(kube: Kube, namespace: string, purpose: string): Promise<readonly ObjectRef[]> {
  const jobs = await kube.list({
    apiVersion: 'batch/v1',
    kind: 'Job',
    namespace,
    labelSelector: 'app.kubernetes.io/managed-by=delivery-actions',
  });
  return jobs
    .filter((job) => textAt(job, 'metadata', 'annotations', PURPOSE) === purpose)
    .filter(
      (job) =>
        !itemsAt(job, 'status', 'conditions').some(
          (one) => /^(Complete|Failed)$/.test(textAt(one, 'type')) && textAt(one, 'status') === 'True',
        ),
    )
    .map((job) => refOf(job));
}

/** The annotation that says what a Job of this product is for. */
export const PURPOSE = 'delivery-actions/purpose';
