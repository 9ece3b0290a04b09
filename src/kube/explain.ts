import type { Doom } from './doom.ts';
import { type Missing, missingConfig } from './missing.ts';

/** What is known about a container that does not come up. Log lines are foreign text, oldest first. */
export interface ContainerEvidence {
  readonly pod: string;
  readonly container: string;
  /** Such as `waiting: CrashLoopBackOff` or `running, not ready`. */
  readonly state: string;
  readonly exitCode?: number;
  readonly restarts: number;
  readonly memoryLimit?: string;
  readonly log: readonly string[];
  /** Of the run before the last restart. */
  readonly previousLog: readonly string[];
}

/** An event of the pods or the workload; `count` says how often it came. */
export interface EventEvidence {
  readonly object: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
}

/** What explains a failure; everything in it is foreign text and has to be escaped where it is shown. */
export interface Facts {
  readonly cause: Doom;
  readonly containers: readonly ContainerEvidence[];
  readonly events: readonly EventEvidence[];
  /** Which Secret or ConfigMap is not as the pod needs it; `keys` are those it has, where they may be read. */
  readonly missing?: MissingEvidence;
}

/** A missing object or key, with the variables that are read from it. */
export interface MissingEvidence extends Missing {
  readonly keys?: readonly string[];
  readonly variables?: readonly string[];
}

export interface Explanation {
  /** One sentence for a developer who does not know Kubernetes. */
  readonly why: string;
  readonly whatToDo: string;
}

/** Says in plain words why a workload does not come up and what to do about it. */
export function explain(facts: Facts): Explanation {
  const { cause, containers, events } = facts;
  const worst = containers.find(({ pod, container }) => pod === cause.pod && container === cause.container);
  const name = cause.container === undefined ? 'the container' : `the container ${cause.container}`;
  switch (cause.kind) {
    case 'image-not-found':
      return {
        why: `The image of ${name} does not exist: ${cause.message}`,
        whatToDo: 'Check that the build pushed this image, and that its name and tag or digest are right.',
      };
    case 'image-denied':
      return {
        why: `The registry does not let the cluster pull the image of ${name}: ${cause.message}`,
        whatToDo: "Give the nodes' role (or the imagePullSecrets) the right to pull it, and check the image's name.",
      };
    case 'image-invalid':
      return {
        why: `The image name of ${name} is not valid: ${cause.message}`,
        whatToDo: 'Write it as registry/name:tag or registry/name@sha256:digest.',
      };
    case 'image-pull':
      return {
        why: `The image of ${name} could not be pulled: ${cause.message}`,
        whatToDo: 'Check that the registry answers and that the nodes can reach it, then deploy again.',
      };
    case 'missing-config':
      return explainConfig(facts, name);
    case 'out-of-memory':
      return {
        why: `${capital(name)} was killed: it used more memory than its limit${worst?.memoryLimit === undefined ? '' : ` of ${worst.memoryLimit}`}.`,
        whatToDo: 'Raise resources.limits.memory in the manifest, or find what uses the memory.',
      };
    case 'crash':
      return explainCrash(cause, name, worst, events);
    case 'container-start':
      return {
        why: `${capital(name)} could not be started: ${cause.message}`,
        whatToDo: 'Check the command, the working directory and the volumes of the container.',
      };
    case 'unschedulable':
      return noRoom(cause.message);
    case 'refused':
      return {
        why: `The cluster refuses to create the pods: ${cause.message}`,
        whatToDo: /quota/i.test(cause.message)
          ? "Ask for less, or have the namespace's ResourceQuota raised."
          : 'Change the manifest so that the rule named here is kept.',
      };
    case 'deadline':
    case 'failed':
    default:
      return explainRest(cause, containers, events);
  }
}

function explainConfig(facts: Facts, name: string): Explanation {
  const missing: MissingEvidence | undefined = facts.missing ?? missingConfig(facts.cause.message);
  if (!missing) {
    return {
      why: `The configuration of ${name} is not usable: ${facts.cause.message}`,
      whatToDo: 'Correct what is named here in the manifest.',
    };
  }
  const { kind, key, keys, variables = [] } = missing;
  const source = missing.name === '' ? kind : `${kind} ${missing.name}`;
  const reader = variables.length > 0 ? variables.slice(0, 3).join(', ') : 'it';
  if (key === undefined) {
    return {
      why: `${capital(name)} needs the ${source}, which does not exist.`,
      whatToDo: `${variables.length > 0 ? `The pod reads ${reader} from it. ` : ''}Create the ${source} in the namespace before deploying, or correct its name in the manifest.`,
    };
  }
  const there =
    keys === undefined
      ? ''
      : `The ${source} has ${keys.length === 0 ? 'no key' : `the key${keys.length > 1 ? 's' : ''} ${keys.slice(0, 12).join(', ')}`}; the pod reads ${reader} from key ${key}. `;
  return {
    why: `${capital(name)} needs the key ${key}, which the ${source} does not have.`,
    whatToDo: `${there}Add the key ${key} to the ${source}, or correct its name in the manifest.`,
  };
}

function explainCrash(
  cause: Doom,
  name: string,
  worst: ContainerEvidence | undefined,
  events: readonly EventEvidence[],
): Explanation {
  const probe = killedByProbe(events);
  if (probe !== undefined) return probe;
  const exit = worst?.exitCode === undefined ? '' : ` with exit code ${worst.exitCode}`;
  const line = errorLine(worst?.previousLog ?? []) ?? errorLine(worst?.log ?? []);
  return {
    why: `${capital(name)} crashes after it starts${exit}${line === undefined ? '' : `: ${line}`}`,
    whatToDo:
      line === undefined
        ? `It logged nothing that looks like an error; run the image locally with the same settings. (${cause.message})`
        : 'Mend the error that the log of the container shows.',
  };
}

function explainRest(
  cause: Doom,
  containers: readonly ContainerEvidence[],
  events: readonly EventEvidence[],
): Explanation {
  // A Job is said to have failed, and its pods know why.
  const ended = cause.kind === 'failed' ? containers.find(({ exitCode = 0 }) => exitCode !== 0) : undefined;
  if (ended !== undefined) return explainCrash(cause, `the container ${ended.container}`, ended, events);
  const probe = ['Readiness', 'Startup', 'Liveness']
    .map((kind) => probeFailure(events, kind))
    .find((found) => found !== undefined);
  if (probe !== undefined) return probe;
  const unplaced = events.findLast(({ reason }) => reason === 'FailedScheduling');
  if (unplaced !== undefined) return noRoom(unplaced.message);
  return {
    why: `It did not come up: ${cause.message || cause.reason}`,
    whatToDo: 'The events and the log of its pods show how far it came.',
  };
}

function noRoom(message: string): Explanation {
  return { why: `No node has room for the pod: ${message}`, whatToDo: shortage(message) };
}

/** A probe fails while a container crashes too; it is the reason only where the kubelet says that it ended the container. */
function killedByProbe(events: readonly EventEvidence[]): Explanation | undefined {
  const killing = events.findLast(({ reason }) => reason === 'Killing');
  const kind = /failed (liveness|startup) probe/.exec(killing?.message ?? '')?.[1];
  return kind === undefined ? undefined : probeFailure(events, capital(kind));
}

function probeFailure(events: readonly EventEvidence[], kind: string): Explanation | undefined {
  const event = events.findLast(({ reason, message }) => reason === 'Unhealthy' && message.startsWith(kind));
  if (event === undefined) return undefined;
  const status = /statuscode: (\d+)/.exec(event.message)?.[1];
  const url = /https?:\/\/[^/\s"]*:(\d+)(\/[^\s":]*)?/.exec(event.message);
  const where = url === null ? '' : ` at port ${url[1]}, path ${url[2] ?? '/'}`;
  return {
    why: `The ${kind.toLowerCase()} probe fails${where}: ${status === undefined ? event.message : `the service answers with status ${status}`}`,
    whatToDo:
      'Check that the service listens on the port of the probe, on all addresses, and answers its path with 200.',
  };
}

const ERROR = /\b(\w*(error|exception)|fatal|panic|cannot|failed|EADDRINUSE|ECONNREFUSED)\b/i;

/** The first line that looks like an error, shortened. */
export function errorLine(lines: readonly string[]): string | undefined {
  const found =
    lines.find((line) => /^\s*(\w*Error|fatal|panic)\b/i.test(line)) ?? lines.find((line) => ERROR.test(line));
  return found?.trim().slice(0, 300);
}

function shortage(message: string): string {
  const short = [...message.matchAll(/Insufficient ([\w./-]*\w)/g)].map(([, what]) => what);
  if (short.length > 0)
    return `The cluster is short of ${[...new Set(short)].join(' and ')}: ask for less in resources.requests, or add nodes.`;
  if (/taint/.test(message)) return "Add a toleration for the nodes' taint, or nodes without one.";
  if (/affinity|selector/.test(message)) return 'Correct nodeSelector or affinity: no node has these labels.';
  return 'Change what the pod asks for, or add nodes that have it.';
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
