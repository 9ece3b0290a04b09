import type { KubeObject } from '../kube.ts';
import { at, numberAt, textAt } from '../fields.ts';
import { type Readiness, condition, current, failed, progressing } from './state.ts';

/** What the API server takes for "no deadline": the largest int32. */
const NO_DEADLINE = 2_147_483_647;

export function deploymentReadiness(object: KubeObject): Readiness {
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const count = (name: string): number => numberAt(object, 'status', name) ?? 0;
  const progress = condition(object, 'Progressing');
  if (progress?.reason === 'ProgressDeadlineExceeded') return failed(progress.reason, progress.message);
  const failure = condition(object, 'ReplicaFailure');
  if (failure?.status === 'True') return failed('ReplicaFailure', failure.message);
  const isPaused = at(object, 'spec', 'paused') === true;
  if (isPaused && wanted > 0 && count('updatedReplicas') === 0)
    return failed('Paused', 'it is paused, so no pod of the new version comes: kubectl rollout resume lets it go on');
  if (count('replicas') < wanted) return progressing('LessReplicas', `${count('replicas')}/${wanted} pods created`);
  if (count('updatedReplicas') < wanted)
    return progressing('LessUpdated', `${count('updatedReplicas')}/${wanted} pods of the new version created`);
  if (count('replicas') > count('updatedReplicas'))
    return progressing('ExtraPods', `${count('replicas') - count('updatedReplicas')} old pods still run`);
  if (count('availableReplicas') < count('updatedReplicas'))
    return progressing('LessAvailable', `${count('availableReplicas')}/${wanted} new pods available`);
  if (count('readyReplicas') < wanted)
    return progressing('LessReady', `${count('readyReplicas')}/${wanted} new pods ready`);
  const deadline = numberAt(object, 'spec', 'progressDeadlineSeconds') ?? NO_DEADLINE;
  if (
    !isPaused &&
    deadline !== NO_DEADLINE &&
    !(progress?.status === 'True' && progress.reason === 'NewReplicaSetAvailable')
  )
    return progressing('ReplicaSetNotAvailable', 'the new ReplicaSet is not available yet');
  if (condition(object, 'Available')?.status !== 'True')
    return progressing('DeploymentNotAvailable', 'the Deployment does not call itself available yet');
  return current(`${wanted}/${wanted} new pods ready`);
}

export function statefulSetReadiness(object: KubeObject): Readiness {
  if (textAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete')
    return current('its pods are replaced when they are deleted (OnDelete)');
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const count = (name: string): number => numberAt(object, 'status', name) ?? 0;
  if (count('replicas') < wanted) return progressing('LessReplicas', `${count('replicas')}/${wanted} pods created`);
  if (count('readyReplicas') < wanted)
    return progressing('LessReady', `${count('readyReplicas')}/${wanted} pods ready`);
  if (count('replicas') > wanted) return progressing('ExtraPods', `${count('replicas') - wanted} pods too many`);
  const partition = numberAt(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  if (partition > 0) {
    const due = Math.max(0, wanted - partition);
    if (count('updatedReplicas') < due)
      return progressing('PartitionRollout', `${count('updatedReplicas')}/${due} pods of the partition updated`);
    return current(`${due} pods of the partition updated`);
  }
  const [now, next] = [textAt(object, 'status', 'currentRevision'), textAt(object, 'status', 'updateRevision')];
  if (count('currentReplicas') < wanted && now === next)
    return progressing('LessCurrent', `${count('currentReplicas')}/${wanted} pods of the new version`);
  if (now !== next) return progressing('RevisionMismatch', `${count('updatedReplicas')}/${wanted} new pods created`);
  return current(`${wanted}/${wanted} new pods ready`);
}

export function daemonSetReadiness(object: KubeObject): Readiness {
  if (at(object, 'status', 'observedGeneration') === undefined)
    return progressing('NoObservedGeneration', 'the controller has not seen it yet');
  const wanted = numberAt(object, 'status', 'desiredNumberScheduled');
  if (wanted === undefined) return progressing('NoDesiredNumber', 'the number of nodes is not known yet');
  const count = (name: string): number => numberAt(object, 'status', name) ?? 0;
  const onDelete = textAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete';
  if (count('currentNumberScheduled') < wanted)
    return progressing('LessCurrent', `${count('currentNumberScheduled')}/${wanted} pods created`);
  if (!onDelete && count('updatedNumberScheduled') < wanted)
    return progressing('LessUpdated', `${count('updatedNumberScheduled')}/${wanted} pods of the new version created`);
  if (count('numberAvailable') < wanted)
    return progressing('LessAvailable', `${count('numberAvailable')}/${wanted} pods available`);
  if (count('numberReady') < wanted) return progressing('LessReady', `${count('numberReady')}/${wanted} pods ready`);
  return current(`${wanted}/${wanted} pods ready`);
}

export function replicaSetReadiness(object: KubeObject): Readiness {
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const count = (name: string): number => numberAt(object, 'status', name) ?? 0;
  const failure = condition(object, 'ReplicaFailure');
  if (failure?.status === 'True') return failed('ReplicaFailure', failure.message);
  if (count('fullyLabeledReplicas') < wanted)
    return progressing('LessLabelled', `${count('fullyLabeledReplicas')}/${wanted} pods labelled`);
  if (count('availableReplicas') < wanted)
    return progressing('LessAvailable', `${count('availableReplicas')}/${wanted} pods available`);
  if (count('readyReplicas') < wanted)
    return progressing('LessReady', `${count('readyReplicas')}/${wanted} pods ready`);
  if (count('replicas') > wanted) return progressing('ExtraPods', `${count('replicas') - wanted} pods too many`);
  return current(`${wanted}/${wanted} pods ready`);
}

/** A Job is done when it completed: one that runs may still fail, and a deploy has to know. */
export function jobReadiness(object: KubeObject): Readiness {
  const failure = condition(object, 'Failed') ?? condition(object, 'FailureTarget');
  if (failure?.status === 'True') return failed('JobFailed', failure.message || failure.reason);
  if (condition(object, 'Complete')?.status === 'True') return current('completed');
  if (condition(object, 'Suspended')?.status === 'True') return progressing('Suspended', 'suspended');
  if (textAt(object, 'status', 'startTime') === '') return progressing('JobNotStarted', 'not started yet');
  const wanted = numberAt(object, 'spec', 'completions') ?? 1;
  return progressing('JobRunning', `${numberAt(object, 'status', 'succeeded') ?? 0}/${wanted} completed`);
}
