import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { at, itemsAt, numberAt, textAt } from '../kube/fields.ts';
import { type Kube, type KubeObject, type ObjectRef, showRef } from '../kube/kube.ts';

type Time = Pick<Host, 'clock' | 'signal'>;

/**
 * Takes all traffic back to the version before, by one patch as kubectl-argo-rollouts makes it, and sees to it that the
 * controller has seen it. The Rollout is degraded then, since it still asks for the new version; `undo` of the plan
 * mends that.
 * @param time `signal` ends the watch over the controller, never the patch
 */
export async function abortRollout(kube: Kube, rollout: ObjectRef, time: Time): Promise<void> {
  await kube.patch(rollout, { status: { abort: true } }, { subresource: 'status' });
  await untilSeen(kube, rollout, time, (live) => textAt(live, 'status', 'abortedAt') !== '');
}

/**
 * Gives the new version everything, whatever steps, pauses and analyses are left (`full`), or ends the step or hold that
 * the release is in, by the patches of kubectl-argo-rollouts (cmd/promote/promote.go).
 * @throws UserError when there is no such Rollout
 */
export async function promoteRollout(
  kube: Kube,
  ref: ObjectRef,
  { full, ...time }: { readonly full: boolean } & Time,
): Promise<void> {
  const rollout = await kube.get(ref);
  if (rollout === undefined) throw new UserError(`${showRef(ref)} does not exist`);
  const status = full ? { promoteFull: true } : nextStep(rollout);
  if (!full || !isStable(rollout)) await kube.patch(ref, { status }, { subresource: 'status' });
  if (at(rollout, 'spec', 'paused') === true) await kube.patch(ref, { spec: { paused: false } });
  await untilSeen(kube, ref, time, (live) => {
    const isPaused = itemsAt(live, 'status', 'pauseConditions').length > 0;
    return full ? !isPaused : isPaused || at(live, 'status', 'controllerPause') !== true;
  });
}

function nextStep(rollout: KubeObject): object {
  const count = itemsAt(rollout, 'spec', 'strategy', 'canary', 'steps').length;
  const next = Math.min(count, (numberAt(rollout, 'status', 'currentStepIndex') ?? 0) + 1);
  const isPaused = itemsAt(rollout, 'status', 'pauseConditions').length > 0;
  const inconclusive = textAt(rollout, 'status', 'canary', 'currentStepAnalysisRunStatus', 'status') === 'Inconclusive';
  if (isPaused && inconclusive && at(rollout, 'status', 'controllerPause') === true) {
    return { pauseConditions: null, controllerPause: false, currentStepIndex: next };
  }
  return isPaused ? { pauseConditions: null } : { pauseConditions: null, currentStepIndex: next };
}

function isStable(rollout: KubeObject): boolean {
  return textAt(rollout, 'status', 'currentPodHash') === textAt(rollout, 'status', 'stableRS');
}

const NUDGES = 10;
const NUDGE_MS = 500;
const NUDGE = 'delivery-actions/nudged';

/**
 * A patch that comes while the controller writes the status itself can be lost on it: it puts what it wrote over what it
 * was told of meanwhile, and then waits for the next event (seen with 1.9.1). Any change of the object is one.
 */
async function untilSeen(
  kube: Kube,
  ref: ObjectRef,
  { clock, signal }: Time,
  isSeen: (rollout: KubeObject) => boolean,
): Promise<void> {
  for (let nudge = 0; nudge < NUDGES; nudge += 1) {
    await clock.sleep(NUDGE_MS, signal);
    const live = await kube.get(ref);
    if (live === undefined || isSeen(live)) return;
    await kube.patch(ref, { metadata: { annotations: { [NUDGE]: new Date(clock.now()).toISOString() } } });
  }
  throw new UserError(`the controller of Argo Rollouts does not react to ${showRef(ref)}`, {
    remedy: 'See whether it runs, in namespace argo-rollouts: it acts as soon as it does.',
  });
}
