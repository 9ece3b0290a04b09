import type { Problem } from '../action/errors.ts';
import type { Document } from './document.ts';

/** Objects that may be applied at the same time. */
export interface Wave {
  readonly name: string;
  readonly documents: readonly Document[];
}

const GROUPS: readonly (readonly [name: string, kinds: readonly string[]])[] = [
  ['namespaces', ['Namespace']],
  ['custom resource definitions', ['CustomResourceDefinition']],
  ['access', ['ServiceAccount', 'Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding']],
  ['configuration', ['ConfigMap', 'Secret', 'LimitRange', 'ResourceQuota', 'PriorityClass', 'NetworkPolicy']],
  ['storage', ['StorageClass', 'PersistentVolume', 'PersistentVolumeClaim']],
  ['services', ['Service', 'EndpointSlice', 'Endpoints', 'IngressClass']],
  ['others', []],
  [
    'workloads',
    ['Pod', 'ReplicaSet', 'ReplicationController', 'Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob'],
  ],
  [
    'in front of workloads',
    [
      'HorizontalPodAutoscaler',
      'PodDisruptionBudget',
      'Ingress',
      'APIService',
      'MutatingWebhookConfiguration',
      'ValidatingWebhookConfiguration',
    ],
  ],
];

const OTHERS = GROUPS.findIndex(([name]) => name === 'others');

/**
 * The order of a deploy: what others need comes first. Kinds that we do not know (custom resources) go after what they
 * may refer to and before the workloads that may refer to them. Order within a wave is that of the documents.
 */
export function planWaves(documents: readonly Document[]): readonly Wave[] {
  const waves = GROUPS.map(([name]) => ({ name, documents: [] as Document[] }));
  for (const document of documents) waves[waveOf(document.object.kind)]?.documents.push(document);
  return waves.filter((wave) => wave.documents.length > 0);
}

function waveOf(kind: string): number {
  const found = GROUPS.findIndex(([, kinds]) => kinds.includes(kind));
  return found === -1 ? OTHERS : found;
}

/** Answers come in any order; people read from the first file and line on. */
export function inOrder(problems: readonly Problem[], documents: readonly Document[]): readonly Problem[] {
  const position = ({ place }: Problem): number =>
    documents.findIndex(({ file, line }) => file === place?.file && line === place.line);
  return problems.toSorted((a, b) => position(a) - position(b));
}
