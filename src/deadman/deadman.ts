import { readFile } from 'node:fs/promises';
import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { type Kube, type KubeObject, type ObjectRef, type Resource, refOf } from '../kube/kube.ts';
import { deadmanMark } from './mark.ts';
import { DEADMAN_MANAGER, type DeadmanWish, deadmanRefs, isSamePlan, planDeadman } from './plan.ts';

export { DEADMAN_ANNOTATION, type DeadmanMark, deadmanMark, finishedMark } from './mark.ts';
export { type DeadmanWish, planDeadman } from './plan.ts';

/** The guard's program: src/deadman, and the same in dist/, where this stands in a folder beside it. */
const GUARD = new URL('../deadman/guard.mjs', import.meta.url);

/** The program that the guard runs. */
export async function guardScript(): Promise<string> {
  return readFile(GUARD, 'utf8');
}

/**
 * Puts the guard into the cluster; one that already runs this plan is left alone, one of another plan gives way.
 * {@link awaitDeadman} then tells whether it watches.
 * @throws UserError when an object to restore is out of the guard's reach
 * @throws KubeError when the server says no, such as to a deployer who may not grant the rights
 */
export async function applyDeadman(kube: Kube, wish: DeadmanWish): Promise<void> {
  const found = await Promise.all(wish.restore.map(async ({ ref }) => kube.resource(ref)));
  const resources = found.filter((one): one is Resource => one !== undefined);
  const objects = planDeadman(wish, { resources, script: await guardScript() });
  for (const object of objects) {
    if (object.kind === 'Job') await clearOther(kube, object);
    await kube.apply(object, { fieldManager: DEADMAN_MANAGER, force: true });
  }
}

/** A Job's pods cannot be changed: another plan is another Job. */
async function clearOther(kube: Kube, wanted: KubeObject): Promise<void> {
  const ref = refOf(wanted);
  const there = await kube.get(ref);
  if (there === undefined || isSamePlan(there, wanted)) return;
  await kube.delete(ref, { propagation: 'Background' });
}

const LOOK_MS = 500;

/**
 * Waits until the guard has said on the Lease that it watches, which shows that its image runs, the API server can be
 * reached from it and its rights suffice. To be awaited before the first traffic moves.
 * @param within milliseconds
 * @throws UserError when it has not by then
 */
export async function awaitDeadman(
  kube: Kube,
  lease: ObjectRef,
  { within, clock, signal }: { readonly within: number } & Pick<Host, 'clock' | 'signal'>,
): Promise<void> {
  const end = clock.now() + within;
  for (;;) {
    const found = await kube.get(lease);
    if (found !== undefined && deadmanMark(found)?.state === 'watching') return;
    if (clock.now() >= end) {
      throw new UserError(`the deadman in the cluster does not watch after ${Math.round(within / 1000)} s`, {
        remedy:
          'See what becomes of its Job (kubectl describe job, kubectl logs): its image has to hold Node 18 or newer, and it has to reach the API server. Or do without deadman.',
      });
    }
    await clock.sleep(LOOK_MS, signal);
  }
}

/** Takes the guard of a workload away; what is gone already is fine. */
export async function removeDeadman(kube: Kube, workload: ObjectRef): Promise<void> {
  for (const ref of deadmanRefs(workload)) await kube.delete(ref, { propagation: 'Background' });
}
