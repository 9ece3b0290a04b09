import type { KubeObject } from '../kube.ts';
import { itemsAt, textAt } from '../fields.ts';
import { type Readiness, condition, current, failed, progressing } from './state.ts';

/** How long the scheduler may look for a place before that counts as failed: an autoscaler is heard of by then. */
const UNSCHEDULABLE_MS = 15_000;
const HOPELESS = /^(CrashLoopBackOff|ImagePullBackOff|InvalidImageName|CreateContainerConfigError|RunContainerError)$/;

export function podReadiness(object: KubeObject, now: number): Readiness {
  const phase = textAt(object, 'status', 'phase');
  if (phase === 'Succeeded') return current('completed');
  if (phase === 'Failed')
    return failed(
      textAt(object, 'status', 'reason') || 'PodFailed',
      textAt(object, 'status', 'message') || 'it failed',
    );
  const containers = ['initContainerStatuses', 'containerStatuses'].flatMap((list) => itemsAt(object, 'status', list));
  for (const container of containers) {
    const reason = textAt(container, 'state', 'waiting', 'reason');
    if (HOPELESS.test(reason))
      return failed(
        reason === 'CrashLoopBackOff' ? 'ContainerCrashLooping' : reason,
        textAt(container, 'state', 'waiting', 'message') || reason,
      );
  }
  if (condition(object, 'Ready')?.status === 'True') return current('ready');
  const scheduled = condition(object, 'PodScheduled');
  if (scheduled?.status === 'False' && scheduled.reason === 'Unschedulable') {
    const since = Date.parse(scheduled.lastTransitionTime || (object.metadata.creationTimestamp ?? ''));
    if (!(now - since < UNSCHEDULABLE_MS)) return failed('PodUnschedulable', scheduled.message);
    return progressing('PodNotScheduled', scheduled.message);
  }
  if (phase === '') return progressing('PodNotObserved', 'not seen by a node yet');
  if (phase === 'Running') return progressing('PodRunningNotReady', 'runs but is not ready');
  return progressing('PodPending', 'waits for its containers');
}
