import { createHash } from 'node:crypto';
import { UserError } from '../action/errors.ts';
import { at, itemsAt } from '../kube/fields.ts';
import { type KubeObject, type ObjectRef, type Resource, showRef } from '../kube/kube.ts';
import { collectionPath, segment } from '../kube/path.ts';
import { podSpecPath } from '../kube/pod-spec.ts';
import type { Patch } from '../traffic/router.ts';
import { DEADMAN_ANNOTATION } from './mark.ts';

/** A guard in the cluster that takes a canary back when its Lease is no longer renewed. */
export interface DeadmanWish {
  /** The stable workload; its pods' node selector, tolerations and pull secrets are the guard's too. */
  readonly workload: KubeObject;
  /** Any image with Node 18 or newer. */
  readonly image: string;
  /** The canary's Lease as the server gave it, in the workload's namespace; all of the guard goes with it. */
  readonly lease: KubeObject;
  /** What takes the traffic back; each must come to the same when it is sent twice. */
  readonly restore: readonly Patch[];
  /** Seconds after the Lease's own duration before it acts. */
  readonly graceSeconds: number;
  /** Seconds after which the guard ends whatever happens: longer than the canary may take. */
  readonly deadlineSeconds: number;
}

/** What the plan needs to know besides the wish. */
export interface DeadmanMeans {
  /** How the server serves the kinds of `restore`. */
  readonly resources: readonly Resource[];
  /** The program: see guard.mjs. */
  readonly script: string;
}

/** By this the guard's own writes are told from the runner's. */
export const DEADMAN_MANAGER = 'delivery-actions-deadman';
const PLAN_HASH = 'delivery-actions/plan';
const MOUNT = '/deadman';
const POLL_SECONDS = 5;
const NOBODY = 65_532;

/**
 * The objects of a guard: a service account that may read and mark the one Lease and patch the objects to restore, each
 * by name; the program; and the Job that runs it, as the restricted pod security standard asks. In order of creation.
 * @throws UserError when an object to restore is in another namespace, where the guard has no rights, or of no known kind
 */
export function planDeadman(wish: DeadmanWish, { resources, script }: DeadmanMeans): readonly KubeObject[] {
  const { lease, workload } = wish;
  const { namespace = '' } = lease.metadata;
  const restore = wish.restore.map((one) => ({ ...one, resource: servedAs(one, namespace, resources) }));
  const plan = JSON.stringify({
    lease: { path: `${collectionPath(LEASES, namespace)}/${segment(lease.metadata.name)}`, uid: lease.metadata.uid },
    annotation: DEADMAN_ANNOTATION,
    manager: DEADMAN_MANAGER,
    graceSeconds: wish.graceSeconds,
    pollSeconds: Math.min(POLL_SECONDS, Math.max(1, wish.graceSeconds / 3)),
    restore: restore.map(({ ref, patch, resource }) => ({
      what: showRef(ref),
      path: `${collectionPath(resource, namespace)}/${segment(ref.name)}`,
      contentType: Array.isArray(patch) ? 'application/json-patch+json' : 'application/merge-patch+json',
      patch,
    })),
  });
  const hash = createHash('sha256')
    .update(JSON.stringify([plan, script, wish.image]))
    .digest('hex')
    .slice(0, 32);
  const named = metadataOf(workload.metadata.name, lease, hash);
  const { name } = named;
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: named, automountServiceAccountToken: false },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: named,
      rules: [
        ruleOf(LEASES, lease.metadata.name, ['get', 'patch']),
        ...restore.map(({ ref, resource }) => ruleOf(resource, ref.name, ['patch'])),
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: named,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: named,
      data: { 'guard.mjs': script, 'plan.json': plan },
    },
    jobOf(wish, named),
  ];
}

/** The guard's objects by name, the Job first: without it the others do nothing. */
export function deadmanRefs(workload: ObjectRef): readonly ObjectRef[] {
  const { namespace = '', name } = workload;
  const named = { namespace, name: nameOf(name) };
  return [
    { apiVersion: 'batch/v1', kind: 'Job', ...named },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', ...named },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', ...named },
    { apiVersion: 'v1', kind: 'ServiceAccount', ...named },
    { apiVersion: 'v1', kind: 'ConfigMap', ...named },
  ];
}

/** Whether a Job runs the same plan; another one has to give way. */
export function isSamePlan(one: KubeObject, other: KubeObject): boolean {
  return one.metadata.annotations?.[PLAN_HASH] === other.metadata.annotations?.[PLAN_HASH];
}

const LEASES: Resource = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
  verbs: [],
};

function servedAs({ ref }: Patch, namespace: string, resources: readonly Resource[]): Resource {
  if (ref.namespace !== namespace) {
    throw new UserError(`${showRef(ref)} is in namespace ${ref.namespace ?? ''}, where the deadman has no rights`, {
      remedy: `Move it to namespace ${namespace}, where the workload is, or do without deadman.`,
    });
  }
  const found = resources.find(({ apiVersion, kind }) => apiVersion === ref.apiVersion && kind === ref.kind);
  if (found === undefined) throw new UserError(`the cluster does not serve the kind ${ref.kind} of ${ref.apiVersion}`);
  return found;
}

function ruleOf({ apiVersion, plural }: Resource, name: string, verbs: readonly string[]): object {
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
  return { apiGroups: [group], resources: [plural], resourceNames: [name], verbs };
}

function metadataOf(workload: string, lease: KubeObject, hash: string): KubeObject['metadata'] {
  const { apiVersion, kind, metadata } = lease;
  return {
    name: nameOf(workload),
    ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
    labels: { 'app.kubernetes.io/managed-by': 'delivery-actions' },
    annotations: { [PLAN_HASH]: hash },
    ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '' }],
  };
}

/** A Job's name is the value of a label on its pods: 63 characters at most. */
function nameOf(workload: string): string {
  const name = `${workload}-deadman`;
  if (name.length <= 63) return name;
  const hash = createHash('sha256').update(workload).digest('hex').slice(0, 8);
  return `${workload.slice(0, 45).replace(/[-.]+$/, '')}-${hash}-deadman`;
}

function jobOf({ workload, image, deadlineSeconds }: DeadmanWish, metadata: KubeObject['metadata']): KubeObject {
  const pod = at(workload, ...(podSpecPath(workload.kind) ?? []));
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata,
    spec: {
      activeDeadlineSeconds: Math.ceil(deadlineSeconds),
      // Whatever ends the guard, such as its node going away, another one takes its place.
      backoffLimit: 1000,
      ttlSecondsAfterFinished: 3600,
      template: {
        metadata: {
          // Without the workload's labels, by which its Service would send it requests; and without a mesh's proxy,
          // which would keep the Job from ending.
          labels: { 'app.kubernetes.io/managed-by': 'delivery-actions', 'sidecar.istio.io/inject': 'false' },
          annotations: { 'linkerd.io/inject': 'disabled' },
        },
        spec: {
          ...(isSet(pod, 'nodeSelector') && { nodeSelector: at(pod, 'nodeSelector') }),
          tolerations: itemsAt(pod, 'tolerations'),
          imagePullSecrets: itemsAt(pod, 'imagePullSecrets'),
          serviceAccountName: metadata.name,
          automountServiceAccountToken: true,
          enableServiceLinks: false,
          restartPolicy: 'OnFailure',
          terminationGracePeriodSeconds: 5,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: NOBODY,
            runAsGroup: NOBODY,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [
            {
              name: 'deadman',
              image,
              command: ['node', `${MOUNT}/guard.mjs`, `${MOUNT}/plan.json`],
              env: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt' }],
              resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '128Mi' } },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
              volumeMounts: [{ name: 'guard', mountPath: MOUNT, readOnly: true }],
            },
          ],
          volumes: [{ name: 'guard', configMap: { name: metadata.name } }],
        },
      },
    },
  };
}

function isSet(value: unknown, name: string): boolean {
  return at(value, name) !== undefined;
}
