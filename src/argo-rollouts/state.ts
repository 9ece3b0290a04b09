import { at, isRecord, itemsAt, numberAt, textAt } from '../kube/fields.ts';
import type { KubeObject } from '../kube/kube.ts';

/**
 * `progressing`: the controller works. `held`: it waits for a person, after an inconclusive analysis or at a pause
 * without an end. `promoted`: the new version serves everything. `aborted`: the old one does again. `failed`: it can't go on.
 */
export type RolloutPhase = 'progressing' | 'held' | 'promoted' | 'aborted' | 'failed';

/** How a release stands. */
export interface RolloutState {
  readonly phase: RolloutPhase;
  /** Of the steps that the Rollout has, from 0. */
  readonly step: number;
  readonly steps: number;
  /** Percent that the canary gets by the plan. */
  readonly weight: number;
  readonly analysis: { readonly name: string; readonly status: string; readonly message: string } | undefined;
  /** The controller's own words. */
  readonly message: string;
}

/** Where a release has to have been seen by the controller before its status says anything of it. */
export interface Released {
  /** Generation of the object that `release` patched. */
  readonly generation: number;
  /** That object is the Deployment to which the Rollout refers. */
  readonly byReference: boolean;
}

/** Reads a Rollout's status as kubectl-argo-rollouts does (GetRolloutPhase of utils/rollout/rolloututil.go). */
export function rolloutState(rollout: KubeObject, released: Released): RolloutState {
  const step = numberAt(rollout, 'status', 'currentStepIndex') ?? 0;
  const all = itemsAt(rollout, 'spec', 'strategy', 'canary', 'steps');
  const analysis = at(rollout, 'status', 'canary', 'currentStepAnalysisRunStatus');
  return {
    phase: phaseOf(rollout, released, all[step]),
    step,
    steps: all.length,
    weight: weightOf(rollout, all, step),
    analysis: isRecord(analysis)
      ? { name: textAt(analysis, 'name'), status: textAt(analysis, 'status'), message: textAt(analysis, 'message') }
      : undefined,
    message: textAt(rollout, 'status', 'message'),
  };
}

function phaseOf(rollout: KubeObject, released: Released, step: unknown): RolloutPhase {
  if (isSeen(rollout, { generation: 0, byReference: false }) && isRefused(rollout)) return 'failed';
  if (!isSeen(rollout, released)) return 'progressing';
  const pauses = itemsAt(rollout, 'status', 'pauseConditions');
  // Its pause was just ended, and the controller has not seen that yet.
  if (at(rollout, 'status', 'controllerPause') === true && pauses.length === 0) return 'progressing';
  const phase = textAt(rollout, 'status', 'phase');
  // It was just told to abort.
  if (at(rollout, 'status', 'abort') === true && phase !== 'Degraded') return 'progressing';
  switch (phase) {
    case 'Healthy':
      return isStable(rollout) ? 'promoted' : 'progressing';
    case 'Degraded':
      return at(rollout, 'status', 'abort') === true ? 'aborted' : 'failed';
    case 'Paused': {
      const reasons = pauses.map((one) => textAt(one, 'reason'));
      const endless = isRecord(at(step, 'pause')) && at(step, 'pause', 'duration') === undefined;
      const isHeld = endless || reasons.length === 0 || reasons.some((reason) => reason !== 'CanaryPauseStep');
      return isHeld ? 'held' : 'progressing';
    }
    default:
      return 'progressing';
  }
}

function isSeen(rollout: KubeObject, { generation, byReference }: Released): boolean {
  const seen = Number(textAt(rollout, 'status', 'observedGeneration'));
  if (seen < (rollout.metadata.generation ?? 0)) return false;
  const compared = byReference ? Number(textAt(rollout, 'status', 'workloadObservedGeneration')) : seen;
  return compared >= generation;
}

/** What it refuses it looks at no further, nor at the workload that it refers to. */
function isRefused(rollout: KubeObject): boolean {
  const conditions = itemsAt(rollout, 'status', 'conditions');
  return conditions.some((one) => textAt(one, 'type') === 'InvalidSpec' && textAt(one, 'status') === 'True');
}

function isStable(rollout: KubeObject): boolean {
  const current = textAt(rollout, 'status', 'currentPodHash');
  return current !== '' && current === textAt(rollout, 'status', 'stableRS');
}

function weightOf(rollout: KubeObject, all: readonly unknown[], step: number): number {
  if (isStable(rollout) || at(rollout, 'status', 'abort') === true) return 0;
  const set = all.slice(0, step + 1).flatMap((one) => numberAt(one, 'setWeight') ?? []);
  return step >= all.length && all.length > 0 ? 100 : (set.at(-1) ?? 0);
}

/** One line of progress. */
export function describeState(state: RolloutState): string {
  const { phase, step, steps, weight, analysis, message } = state;
  const where =
    phase === 'progressing' || phase === 'held' ? [`step ${Math.min(step + 1, steps)} of ${steps}`, `${weight} %`] : [];
  const measured = analysis === undefined ? [] : [`analysis ${analysis.status}`];
  return [phase, ...where, ...measured, ...(message === '' ? [] : [message])].join(', ');
}
