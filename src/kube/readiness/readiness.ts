import { numberAt } from '../fields.ts';
import type { KubeObject } from '../kube.ts';
import {
  autoscalerReadiness,
  budgetReadiness,
  claimReadiness,
  definitionReadiness,
  ingressReadiness,
  serviceReadiness,
} from './others.ts';
import { podReadiness } from './pod.ts';
import { type Readiness, condition, current, failed, progressing } from './state.ts';
import {
  daemonSetReadiness,
  deploymentReadiness,
  jobReadiness,
  replicaSetReadiness,
  statefulSetReadiness,
} from './workloads.ts';

export type { Readiness } from './state.ts';

const RULES: Readonly<Record<string, (object: KubeObject, now: number) => Readiness>> = {
  'apps/Deployment': deploymentReadiness,
  'apps/StatefulSet': statefulSetReadiness,
  'apps/DaemonSet': daemonSetReadiness,
  'apps/ReplicaSet': replicaSetReadiness,
  'batch/Job': jobReadiness,
  '/Pod': podReadiness,
  '/Service': serviceReadiness,
  '/PersistentVolumeClaim': claimReadiness,
  'networking.k8s.io/Ingress': ingressReadiness,
  'apiextensions.k8s.io/CustomResourceDefinition': definitionReadiness,
  'autoscaling/HorizontalPodAutoscaler': autoscalerReadiness,
  'policy/PodDisruptionBudget': budgetReadiness,
};

/**
 * Whether an object does what its manifest asks for. The rules follow the conventions that kstatus describes
 * (`status.observedGeneration`, the conditions Ready, Reconciling and Stalled), except where a deploy needs more:
 * a Job has to complete, and a Pod that failed or cannot pull its image is not current.
 * @param now milliseconds since the epoch
 */
export function readiness(object: KubeObject, now: number): Readiness {
  // A Job that completed has done its work, also while it is cleared away.
  const isDone = object.kind === 'Job' && condition(object, 'Complete')?.status === 'True';
  if (object.metadata.deletionTimestamp !== undefined && !isDone)
    return { state: 'terminating', reason: 'Terminating', message: 'being deleted' };
  const observed = numberAt(object, 'status', 'observedGeneration');
  const { generation } = object.metadata;
  if (observed !== undefined && generation !== undefined && observed !== generation)
    return progressing('LatestGenerationNotObserved', 'the controller has not seen the change yet');
  const rule = RULES[`${groupOf(object.apiVersion)}/${object.kind}`];
  return (rule === undefined ? undefined : rule(object, now)) ?? genericReadiness(object);
}

function genericReadiness(object: KubeObject): Readiness {
  const stalled = condition(object, 'Stalled');
  if (stalled?.status === 'True') return failed(stalled.reason || 'Stalled', stalled.message);
  const reconciling = condition(object, 'Reconciling');
  if (reconciling?.status === 'True') return progressing(reconciling.reason || 'Reconciling', reconciling.message);
  const ready = condition(object, 'Ready');
  if (ready !== undefined && ready.status !== 'True') return progressing(ready.reason || 'NotReady', ready.message);
  return current('in place');
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
}
