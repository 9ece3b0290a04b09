import { UserError } from '../action/errors.ts';
import type { Clock } from '../action/host.ts';
import type { Arm } from '../judge/metric.ts';
import type { Doom } from '../kube/doom.ts';
import { numberAt } from '../kube/fields.ts';
import { type Kube, KubeError, type KubeObject, type ObjectRef, refOf, showRef } from '../kube/kube.ts';
import { waitForAll } from '../kube/wait.ts';
import { arms } from './labels.ts';
import { ARMS_MANAGER, PLAN_ANNOTATION } from './manifest.ts';
import type { ArmPods } from './pods.ts';

export { TRACK_LABEL, WORKLOAD_LABEL, armLabels, armName, arms } from './labels.ts';
export { ARMS_MANAGER } from './manifest.ts';

/** The Deployments of both arms, as they are made. */
export type ArmDeployments = Readonly<Record<Arm, KubeObject>>;

export interface ArmsIo {
  readonly clock: Clock;
  /** One line whenever an arm got further, such as `Deployment/api-canary: 1/2 new pods ready`. */
  readonly onProgress?: (line: string) => void;
}

/** An arm that is beyond hope: of a canary it is the release's fault, of a baseline the cluster's. */
export class ArmFault extends UserError {
  override readonly name = 'ArmFault';
  readonly arm: Arm;
  readonly doom: Doom;

  constructor(arm: Arm, ref: ObjectRef, doom: Doom) {
    super(`${showRef(ref)} can't start: ${doom.message}`, {
      remedy:
        arm === 'canary'
          ? 'Mend what keeps the new version from starting.'
          : 'The version that serves now does not start anew either: see what has changed in the cluster.',
    });
    this.arm = arm;
    this.doom = doom;
  }
}

/**
 * Makes an object of a canary, or brings what is left of another to what this plan says; what this plan has made already
 * is left as it has become.
 * @throws KubeError when the server says no
 */
export async function applyOwn(kube: Kube, wanted: KubeObject): Promise<void> {
  const plan = planOf(await kube.get(refOf(wanted)));
  if (plan === undefined || plan !== planOf(wanted))
    await kube.apply(wanted, { fieldManager: ARMS_MANAGER, force: true });
}

/** The numbers of pods that the arms are set to. @throws UserError when an arm is gone */
export async function sizeOf(kube: Kube, deployments: ArmDeployments): Promise<ArmPods> {
  const [canary, baseline] = await Promise.all(
    [deployments.canary, deployments.baseline].map(async (one) => {
      const live = await kube.get(refOf(one));
      if (live === undefined) throw gone(refOf(one));
      return numberAt(live, 'spec', 'replicas') ?? 1;
    }),
  );
  return { canary: canary ?? 0, baseline: baseline ?? 0 };
}

/**
 * Sets the arms to these numbers of pods and waits until all of them are ready, as long as `signal` lets.
 * @throws ArmFault when an arm is beyond hope; UserError when it is gone
 */
export async function scaleArms(
  kube: Kube,
  deployments: ArmDeployments,
  pods: ArmPods,
  { clock, onProgress }: ArmsIo,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const applied = await Promise.all(
    arms.map(async (arm) => {
      const changedAt = clock.now();
      const ref = refOf(deployments[arm]);
      const patch = { spec: { replicas: pods[arm] } };
      const object = await kube.patch(ref, patch, { fieldManager: ARMS_MANAGER }).catch((error: unknown) => {
        throw error instanceof KubeError && error.status === 404 ? gone(ref) : error;
      });
      return { changedAt, object };
    }),
  );
  const waiting = { timeout: Number.POSITIVE_INFINITY, clock, signal, ...(onProgress && { onProgress }) };
  const { failed } = await waitForAll(kube, applied, waiting);
  if (failed === undefined) return;
  const arm = failed.ref.name === deployments.canary.metadata.name ? 'canary' : 'baseline';
  throw new ArmFault(arm, failed.ref, failed.cause);
}

function gone(ref: ObjectRef): UserError {
  return new UserError(`${showRef(ref)} is gone: someone deleted it while the canary ran`, {
    remedy: 'Take the canary back, and start it again.',
  });
}

const GONE_LOOK_MS = 200;

/** Deletes objects with all that hangs on them, and waits until they are gone; gone already is fine. */
export async function removeOwn(
  kube: Kube,
  refs: readonly ObjectRef[],
  { clock }: ArmsIo,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(refs.map(async (ref) => deleteKnown(kube, ref)));
  await Promise.all(
    refs.map(async (ref) => {
      while ((await knownOrGone(kube, ref)) !== undefined) await clock.sleep(GONE_LOOK_MS, signal);
    }),
  );
}

async function deleteKnown(kube: Kube, ref: ObjectRef): Promise<void> {
  try {
    await kube.delete(ref, { propagation: 'Foreground' });
  } catch (error) {
    if (!isUnknownKind(error)) throw error;
  }
}

async function knownOrGone(kube: Kube, ref: ObjectRef): Promise<KubeObject | undefined> {
  try {
    return await kube.get(ref);
  } catch (error) {
    if (isUnknownKind(error)) return undefined;
    throw error;
  }
}

function isUnknownKind(error: unknown): boolean {
  return error instanceof KubeError && error.reason === 'UnknownKind';
}

function planOf(object: KubeObject | undefined): string | undefined {
  return object?.metadata.annotations?.[PLAN_ANNOTATION];
}
