import type { Clock } from '../action/host.ts';
import { type Ask, bounded } from './bounded.ts';
import type { Doom } from './doom.ts';
import { type ContainerEvidence, type EventEvidence, type Explanation, type Facts, explain } from './explain.ts';
import { at, itemsAt, numberAt, textAt } from './fields.ts';
import type { Kube, KubeObject, ObjectRef, Selection } from './kube.ts';
import { keysOf, missingConfig, named, variablesOf } from './missing.ts';
import { newPods } from './revision.ts';
import { timeOf } from './workload-doom.ts';

export type { ContainerEvidence, EventEvidence } from './explain.ts';

/** Why a workload failed, with what shows it. All texts are foreign: escape them where they are shown. */
export interface Evidence extends Facts, Explanation {
  readonly ref: ObjectRef;
}

export interface DiagnoseOptions {
  /** When the deploy began, in milliseconds since the epoch: what came before is of no interest. */
  readonly since: number;
  readonly clock: Clock;
  /** Milliseconds for each round of questions; what is not answered by then is left out. */
  readonly budget?: number;
}

const PODS = 2;
const CONTAINERS = 4;
const EVENTS = 20;
const LOG_LINES = 25;
const LINE_LENGTH = 500;

/** Gathers why a workload failed; what may not be read or comes too late is left out. It never rejects. */
export async function diagnose(
  kube: Kube,
  failed: { readonly ref: ObjectRef; readonly cause: Doom },
  options: DiagnoseOptions,
): Promise<Evidence> {
  const { ref, cause } = failed;
  const ask = bounded(options.clock, options.budget ?? 1000);
  const list = (type: Pick<Selection, 'apiVersion' | 'kind'>): Promise<readonly KubeObject[]> =>
    ask(() => kube.list({ ...type, ...(ref.namespace === undefined ? {} : { namespace: ref.namespace }) }), []);
  const [workload, pods, sets, events] = await Promise.all([
    ask(() => kube.get(ref), undefined),
    list({ apiVersion: 'v1', kind: 'Pod' }),
    list({ apiVersion: 'apps/v1', kind: 'ReplicaSet' }),
    list({ apiVersion: 'v1', kind: 'Event' }),
  ]);
  const worst = worstPods(workload === undefined ? [] : newPods(workload, pods, sets), cause);
  const names = new Set([ref.name, ...worst.map((pod) => pod.metadata.name)]);
  const containers = await Promise.all(
    worst
      .flatMap((pod) => statuses(pod).map((status) => ({ pod, status })))
      .slice(0, CONTAINERS)
      .map(({ pod, status }) => containerEvidence(kube, ask, pod, status)),
  );
  const missing = cause.kind === 'missing-config' ? await missingEvidence(ask, kube, workload, cause) : undefined;
  const facts: Facts = {
    cause,
    containers,
    events: eventEvidence(events, names, options.since),
    ...(missing ? { missing } : {}),
  };
  return { ref, ...facts, ...explain(facts) };
}

async function missingEvidence(
  ask: Ask,
  kube: Kube,
  workload: KubeObject | undefined,
  { message }: Doom,
): Promise<Facts['missing']> {
  const found = missingConfig(message);
  if (!found) return undefined;
  const missing = named(found, workload);
  const namespace = workload?.metadata.namespace;
  const source =
    missing.key === undefined || missing.name === '' || namespace === undefined
      ? undefined
      : await ask(() => kube.get({ apiVersion: 'v1', kind: missing.kind, namespace, name: missing.name }), undefined);
  return { ...missing, variables: variablesOf(missing, workload), ...(source ? { keys: keysOf(source) } : {}) };
}

function worstPods(pods: readonly KubeObject[], cause: Doom): readonly KubeObject[] {
  const weight = (pod: KubeObject): number =>
    (pod.metadata.name === cause.pod ? 1000 : 0) +
    Math.max(0, ...statuses(pod).map((status) => numberAt(status, 'restartCount') ?? 0));
  return pods.toSorted((a, b) => weight(b) - weight(a)).slice(0, PODS);
}

/** The containers of a pod that are not in order, init containers first. */
function statuses(pod: KubeObject): readonly unknown[] {
  return ['initContainerStatuses', 'containerStatuses']
    .flatMap((list) => itemsAt(pod, 'status', list))
    .filter((status) => at(status, 'ready') !== true && numberAt(status, 'state', 'terminated', 'exitCode') !== 0);
}

async function containerEvidence(kube: Kube, ask: Ask, pod: KubeObject, status: unknown): Promise<ContainerEvidence> {
  const container = textAt(status, 'name');
  const restarts = numberAt(status, 'restartCount') ?? 0;
  const name = { namespace: pod.metadata.namespace ?? '', name: pod.metadata.name };
  const logs = (previous: boolean): Promise<string> =>
    ask(() => kube.logs(name, { container, previous, tailLines: LOG_LINES }), '');
  const started = at(status, 'state', 'waiting') === undefined || restarts > 0;
  const [log, previousLog] = await Promise.all([started ? logs(false) : '', restarts > 0 ? logs(true) : '']);
  const exitCode =
    numberAt(status, 'state', 'terminated', 'exitCode') ?? numberAt(status, 'lastState', 'terminated', 'exitCode');
  const spec = [...itemsAt(pod, 'spec', 'initContainers'), ...itemsAt(pod, 'spec', 'containers')].find(
    (entry) => at(entry, 'name') === container,
  );
  const memoryLimit = textAt(spec, 'resources', 'limits', 'memory');
  return {
    pod: pod.metadata.name,
    container,
    state: describeState(status),
    restarts,
    log: lastLines(log),
    previousLog: lastLines(previousLog),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(memoryLimit === '' ? {} : { memoryLimit }),
  };
}

function describeState(status: unknown): string {
  const waiting = textAt(status, 'state', 'waiting', 'reason');
  if (waiting !== '') return `waiting: ${waiting}`;
  const ended = at(status, 'state', 'terminated');
  if (ended !== undefined) return `terminated: ${textAt(ended, 'reason')}`;
  return at(status, 'state', 'running') === undefined ? 'unknown' : 'running, not ready';
}

/** The kubelet answers with these words, as if they were the log, when it no longer or not yet has one. */
const NO_LOG = /^(failed to try resolving symlinks in path|unable to retrieve container logs for) /;

function lastLines(log: string): readonly string[] {
  return log
    .split('\n')
    .filter((line) => line.trim() !== '' && !NO_LOG.test(line))
    .slice(-LOG_LINES)
    .map((line) => line.slice(0, LINE_LENGTH));
}

function eventEvidence(
  events: readonly KubeObject[],
  names: ReadonlySet<string>,
  since: number,
): readonly EventEvidence[] {
  return events
    .filter((event) => names.has(textAt(event, 'involvedObject', 'name')) && timeOf(event) >= since - 1000)
    .toSorted((a, b) => timeOf(a) - timeOf(b) || 0)
    .slice(-EVENTS)
    .map((event) => ({
      object: `${textAt(event, 'involvedObject', 'kind')}/${textAt(event, 'involvedObject', 'name')}`,
      type: textAt(event, 'type'),
      reason: textAt(event, 'reason'),
      message: textAt(event, 'message').slice(0, 1000),
      count: numberAt(event, 'series', 'count') ?? numberAt(event, 'count') ?? 1,
    }));
}
