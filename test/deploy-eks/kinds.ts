import type { KubeObject } from '../../src/kube/kube.ts';

const pods = {
  metadata: { labels: { app: 'all' } },
  spec: { containers: [{ name: 'all', image: 'registry.example/all' }] },
};
const selector = { matchLabels: { app: 'all' } };
const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'all' };
const backend = { service: { name: 'all', port: { number: 80 } } };

function named(apiVersion: string, kind: string, rest: object): KubeObject {
  return { apiVersion, kind, metadata: { name: 'all' }, ...rest };
}

/** One object of each kind that the README's Role is written for, by the kind's plural. */
export const objects: Readonly<Record<string, KubeObject>> = {
  deployments: named('apps/v1', 'Deployment', { spec: { selector, template: pods } }),
  statefulsets: named('apps/v1', 'StatefulSet', { spec: { serviceName: 'all', selector, template: pods } }),
  daemonsets: named('apps/v1', 'DaemonSet', { spec: { selector, template: pods } }),
  services: named('v1', 'Service', { spec: { selector: { app: 'all' }, ports: [{ port: 80 }] } }),
  configmaps: named('v1', 'ConfigMap', { data: {} }),
  ingresses: named('networking.k8s.io/v1', 'Ingress', { spec: { defaultBackend: backend } }),
  jobs: named('batch/v1', 'Job', { spec: { template: { spec: { ...pods.spec, restartPolicy: 'Never' } } } }),
  horizontalpodautoscalers: named('autoscaling/v2', 'HorizontalPodAutoscaler', {
    spec: { scaleTargetRef: target, maxReplicas: 2 },
  }),
  poddisruptionbudgets: named('policy/v1', 'PodDisruptionBudget', { spec: { selector, minAvailable: 1 } }),
};

/** API group of the evidence that a failed deploy is explained by. */
export const evidence: Readonly<Record<string, string>> = {
  pods: '',
  'pods/log': '',
  events: '',
  replicasets: 'apps',
};

export function groupOf({ apiVersion }: KubeObject): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
}
