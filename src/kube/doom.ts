import { at, itemsAt, numberAt, textAt } from './fields.ts';
import type { KubeObject } from './kube.ts';
import { missingConfig } from './missing.ts';
import { condition } from './readiness/state.ts';

/** Why a workload cannot come up by waiting. */
export interface Doom {
  readonly kind:
    | 'image-not-found'
    | 'image-denied'
    | 'image-invalid'
    | 'image-pull'
    | 'missing-config'
    | 'container-start'
    | 'crash'
    | 'out-of-memory'
    | 'unschedulable'
    | 'refused'
    | 'deadline'
    | 'failed';
  /** The cluster's own word, such as `ImagePullBackOff`. */
  readonly reason: string;
  /** The cluster's own sentence. */
  readonly message: string;
  readonly pod?: string;
  readonly container?: string;
}

const UNSCHEDULABLE_MS = 30_000;
const CONFIG_MS = 2_000;
const PULL_TRIES = 3;
/** The longest back-off is five minutes, so a container that ended longer ago came up again since. */
const PAST_MS = 600_000;
/** A claim may be made a moment after the pod that wants it. */
const CLAIM_MS = 5_000;
const TRANSIENT =
  /timeout|timed out|deadline exceeded|connection (refused|reset)|no such host|temporary failure|unexpected EOF|too ?many ?requests|\b(429|50[0234])\b/i;

/**
 * Whether a pod of the new version is beyond hope, by its state and its events; `undefined` while it may still come.
 * Failures that pass by themselves (a registry that does not answer) count once they came three times.
 * @param now milliseconds since the epoch
 */
export function doomOf(pod: KubeObject, events: readonly KubeObject[], now: number): Doom | undefined {
  if (pod.metadata.deletionTimestamp !== undefined) return undefined;
  const own = events.filter((event) => at(event, 'involvedObject', 'uid') === pod.metadata.uid);
  const containers = ['initContainerStatuses', 'containerStatuses'].flatMap((list) => itemsAt(pod, 'status', list));
  const found =
    firstOf(containers, (container) => containerDoom(container, pod, own, now)) ??
    mountDoom(pod, own, now) ??
    schedulingDoom(pod, own, now);
  return found === undefined ? undefined : { ...found, pod: pod.metadata.name };
}

function containerDoom(status: unknown, pod: KubeObject, events: readonly KubeObject[], now: number): Doom | undefined {
  if (at(status, 'ready') === true) return undefined;
  const reason = textAt(status, 'state', 'waiting', 'reason');
  const message = textAt(status, 'state', 'waiting', 'message');
  const container = textAt(status, 'name');
  switch (reason) {
    case 'ErrImagePull':
    case 'ImagePullBackOff':
    case 'ErrImageNeverPull':
    case 'RegistryUnavailable':
      return withContainer(pullDoom(reason, message, container, textAt(status, 'image'), events), container);
    case 'InvalidImageName':
      return { kind: 'image-invalid', reason, message, container };
    case 'CreateContainerConfigError':
      if (now - startOf(pod) <= CONFIG_MS && timesOf(events, /./, container) < 2) return undefined;
      return { kind: 'missing-config', reason, message, container };
    case 'CreateContainerError':
    case 'RunContainerError':
      return { kind: 'container-start', reason, message, container };
    default:
      return endDoom(status, reason, message, now);
  }
}

/** How a container ended: once may be a start too early, twice is its habit; too little memory stays too little. */
function endDoom(status: unknown, waiting: string, message: string, now: number): Doom | undefined {
  const container = textAt(status, 'name');
  const [state, last] = [at(status, 'state', 'terminated'), at(status, 'lastState', 'terminated')];
  const ends = [state, last].filter(
    (end) => end !== undefined && end !== null && !(now - Date.parse(textAt(end, 'finishedAt')) > PAST_MS),
  );
  if (ends.some((end) => textAt(end, 'reason') === 'OOMKilled'))
    return { kind: 'out-of-memory', reason: 'OOMKilled', message: 'it used more memory than its limit', container };
  const code = ends.map((end) => numberAt(end, 'exitCode')).find((found) => found !== undefined);
  const text = code === undefined ? message : `exited with code ${code}`;
  if (waiting === 'CrashLoopBackOff') return { kind: 'crash', reason: waiting, message: text, container };
  const bad = ends.filter((end) => (numberAt(end, 'exitCode') ?? 0) !== 0);
  const restarts = numberAt(status, 'restartCount') ?? 0;
  if (bad.length === 2 || (bad.length > 0 && restarts >= 2))
    return { kind: 'crash', reason: 'Error', message: text, container };
  return undefined;
}

/** The back-off's message may hide the registry's answer, so the answer is also looked for in the events. */
function pullDoom(
  reason: string,
  said: string,
  container: string,
  image: string,
  events: readonly KubeObject[],
): Doom | undefined {
  const failures = events.filter(
    (event) => textAt(event, 'message').startsWith('Failed to pull image') && isAbout(event, container),
  );
  const texts = [said, ...failures.map((event) => textAt(event, 'message'))];
  // An image's name may hold any of the words looked for.
  const answers = texts.map((text) => (image === '' ? text : text.replaceAll(image, '…')));
  const answer = (pattern: RegExp): string | undefined => texts[answers.findIndex((text) => pattern.test(text))];
  const transient = answers.some((text) => TRANSIENT.test(text));
  const invalid = answer(/invalid reference|couldn't parse image/i);
  if (invalid !== undefined) return { kind: 'image-invalid', reason, message: invalid };
  const missing = answer(/not found|manifest unknown|name unknown|does not exist|no match for platform/i);
  if (missing !== undefined && !transient) return { kind: 'image-not-found', reason, message: missing };
  const denied = answer(/unauthorized|denied|forbidden|authorization failed|no basic auth|\b40[13]\b/i);
  if (denied !== undefined && !transient) return { kind: 'image-denied', reason, message: denied };
  if (reason === 'ErrImageNeverPull') return { kind: 'image-not-found', reason, message: said };
  if (timesOf(failures, /./, container) < PULL_TRIES) return undefined;
  return { kind: 'image-pull', reason, message: texts[1] ?? said };
}

/** A volume whose Secret, ConfigMap or key is missing keeps all containers of the pod from starting. */
function mountDoom(pod: KubeObject, events: readonly KubeObject[], now: number): Doom | undefined {
  const mounted = itemsAt(pod, 'status', 'containerStatuses').some((status) => at(status, 'ready') === true);
  if (mounted || now - startOf(pod) <= CONFIG_MS) return undefined;
  const failure = events.findLast(
    (event) => textAt(event, 'reason') === 'FailedMount' && missingConfig(textAt(event, 'message')) !== undefined,
  );
  return failure && { kind: 'missing-config', reason: 'FailedMount', message: textAt(failure, 'message') };
}

function schedulingDoom(pod: KubeObject, events: readonly KubeObject[], now: number): Doom | undefined {
  const scheduled = condition(pod, 'PodScheduled');
  if (scheduled?.status !== 'False' || scheduled.reason !== 'Unschedulable') return undefined;
  const since = Date.parse(scheduled.lastTransitionTime || (pod.metadata.creationTimestamp ?? ''));
  const noClaim = /persistentvolumeclaim "[^"]*" not found/.test(scheduled.message);
  if (now - since <= (noClaim ? CLAIM_MS : UNSCHEDULABLE_MS)) return undefined;
  if (events.some((event) => /^(TriggeredScaleUp|Nominated)$/.test(textAt(event, 'reason')))) return undefined;
  return { kind: 'unschedulable', reason: 'Unschedulable', message: scheduled.message };
}

/** How often the events of a container with such a message came, repeats included. */
function timesOf(events: readonly KubeObject[], message: RegExp, container: string): number {
  return events
    .filter((event) => textAt(event, 'reason') === 'Failed' && message.test(textAt(event, 'message')))
    .filter((event) => isAbout(event, container))
    .reduce((sum, event) => sum + (numberAt(event, 'series', 'count') ?? numberAt(event, 'count') ?? 1), 0);
}

function isAbout(event: KubeObject, container: string): boolean {
  const path = textAt(event, 'involvedObject', 'fieldPath');
  return path === '' || path.includes(`{${container}}`);
}

function startOf(pod: KubeObject): number {
  const scheduled = condition(pod, 'PodScheduled')?.lastTransitionTime;
  return Date.parse(scheduled || (pod.metadata.creationTimestamp ?? '')) || 0;
}

function withContainer(doom: Doom | undefined, container: string): Doom | undefined {
  return doom === undefined ? undefined : { ...doom, container };
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
