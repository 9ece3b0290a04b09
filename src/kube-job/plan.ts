import { UserError } from '../action/errors.ts';
import { at, isRecord, itemsAt, textAt } from '../kube/fields.ts';
import { type KubeObject, showRef } from '../kube/kube.ts';
import { podSpecPath } from '../kube/pod-spec.ts';

/** A command that is to run once in the cluster, as a workload's own container would. */
export interface JobWish {
  /** A prefix of the Job's name, such as `tracking-api-migrate`. */
  readonly name: string;
  /** The workload whose image, environment, volumes and service account the command gets. */
  readonly workload: KubeObject;
  /** The container of it that counts; the first without it. */
  readonly container?: string;
  /** Another image than the one that serves: the new version's. */
  readonly image?: string;
  readonly command: readonly string[];
  /** Added to the container's environment. Never for secrets: anyone who may read Jobs reads them. */
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds until the cluster ends it by itself, whatever becomes of the runner. */
  readonly timeout: number;
  /** The run that it belongs to, kept as annotations. */
  readonly origin: Readonly<Record<string, string>>;
}

/** What of a workload's container a command needs as well; probes, ports and hooks are for servers. */
const CONTAINER_FIELDS = [
  'image',
  'imagePullPolicy',
  'env',
  'envFrom',
  'volumeMounts',
  'volumeDevices',
  'workingDir',
  'resources',
] as const;

/** What of its pods decides where they may run, as whom, and what they can reach. */
const POD_FIELDS = [
  'serviceAccountName',
  'imagePullSecrets',
  'volumes',
  'nodeSelector',
  'tolerations',
  'affinity',
  'dnsPolicy',
  'dnsConfig',
  'hostAliases',
  'runtimeClassName',
  'priorityClassName',
] as const;

/** Seconds that a finished Job stays, for whoever looks. */
const KEPT_SECONDS = 3600;

/**
 * A Job that runs a command once, never again, as the workload's container would: its image, environment, volumes and
 * service account, as the same user, with no privilege beyond them. No sidecar comes along, since a
 * Job with one would never end; init containers neither, as they belong to the start of a server.
 * @throws UserError when the workload has no pods, or not that container
 */
export function planJob(wish: JobWish): KubeObject {
  const { workload } = wish;
  const path = podSpecPath(workload.kind);
  const pod = path && at(workload, ...path);
  if (path === undefined || !isRecord(pod)) {
    throw new UserError(`${showRef(workload)} runs no pods`, {
      remedy: 'Name a Deployment, StatefulSet or DaemonSet.',
    });
  }
  const container = containerOf(wish, pod);
  const template = path.slice(0, -1);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: wish.name,
      ...(workload.metadata.namespace !== undefined && { namespace: workload.metadata.namespace }),
      labels: { 'app.kubernetes.io/managed-by': 'delivery-actions' },
      annotations: wish.origin,
    },
    spec: {
      // A migration that failed half way needs somebody who looks, not a second try.
      backoffLimit: 0,
      completions: 1,
      parallelism: 1,
      podReplacementPolicy: 'Failed',
      activeDeadlineSeconds: Math.ceil(wish.timeout / 1000),
      ttlSecondsAfterFinished: KEPT_SECONDS,
      template: {
        metadata: {
          // Without the workload's own labels, by which its Service would send it requests.
          labels: { 'app.kubernetes.io/managed-by': 'delivery-actions' },
          annotations: { ...meshOff(at(workload, ...template, 'metadata', 'annotations')), ...wish.origin },
        },
        spec: {
          ...picked(pod, POD_FIELDS),
          restartPolicy: 'Never',
          enableServiceLinks: false,
          automountServiceAccountToken: at(pod, 'automountServiceAccountToken') === true,
          terminationGracePeriodSeconds: 30,
          securityContext: { seccompProfile: SECCOMP, ...recordAt(pod, 'securityContext') },
          containers: [hardened(container, wish)],
        },
      },
    },
  };
}

const SECCOMP = { type: 'RuntimeDefault' } as const;

function hardened(container: Readonly<Record<string, unknown>>, wish: JobWish): object {
  const own = Object.keys(wish.env);
  const kept = itemsAt(container, 'env').filter((one) => !own.includes(textAt(one, 'name')));
  return {
    ...picked(container, CONTAINER_FIELDS),
    name: 'command',
    ...(wish.image !== undefined && { image: wish.image }),
    command: wish.command,
    env: [...kept, ...Object.entries(wish.env).map(([name, value]) => ({ name, value }))],
    securityContext: {
      ...recordAt(container, 'securityContext'),
      allowPrivilegeEscalation: false,
      privileged: false,
      capabilities: { drop: ['ALL'] },
    },
  };
}

function containerOf({ workload, container }: JobWish, pod: unknown): Readonly<Record<string, unknown>> {
  const all = itemsAt(pod, 'containers').filter(isRecord);
  const found = container === undefined ? all[0] : all.find((one) => one['name'] === container);
  if (found !== undefined) return found;
  throw new UserError(`${showRef(workload)} has no container ${JSON.stringify(container ?? '')}`, {
    remedy: `It has: ${all.map((one) => textAt(one, 'name')).join(', ') || 'none'}.`,
  });
}

/** A mesh's proxy beside the command would keep the Job from ending. */
function meshOff(annotations: unknown): Readonly<Record<string, string>> {
  const names = isRecord(annotations) ? Object.keys(annotations) : [];
  return {
    ...(names.some((name) => name.includes('istio.io/')) && { 'sidecar.istio.io/inject': 'false' }),
    ...(names.some((name) => name.startsWith('linkerd.io/')) && { 'linkerd.io/inject': 'disabled' }),
  };
}

function picked(from: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])));
}

function recordAt(value: unknown, name: string): Readonly<Record<string, unknown>> {
  const found = at(value, name);
  return isRecord(found) ? found : {};
}

/**
 * The name of a run's Job: the same when the same attempt asks again, so that a command is never started twice.
 * @param attempt of the run, from 1
 */
export function jobName(service: string, purpose: string, runId: string, attempt: string): string {
  const end = `-${purpose}-${runId || '0'}-${attempt || '1'}`;
  const start = service
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replace(/^-+/, '');
  // Pods get five characters and a dash more, and a label's value has 63 at most.
  return `${start.slice(0, Math.max(1, 57 - end.length)).replace(/-+$/, '')}${end}`.replace(/^-+/, '');
}
