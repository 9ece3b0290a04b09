import { UserError } from '../action/errors.ts';
import { ARMS_MANAGER } from '../arms/manifest.ts';
import { type Kube, KubeError, type KubeObject, type ObjectRef, showRef } from '../kube/kube.ts';

const ATTEMPTS = 5;

/**
 * Changes an object that others write too: what they wrote since it was read is not lost.
 * @param change gives the fields to merge, or undefined where it is right already
 * @returns the object as it is now; undefined when it is gone
 */
export async function rewrite(
  kube: Kube,
  ref: ObjectRef,
  change: (live: KubeObject) => object | undefined,
): Promise<KubeObject | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const live = await kube.get(ref);
    if (live === undefined) return undefined;
    const changed = change(live);
    if (changed === undefined) return live;
    const { resourceVersion } = live.metadata;
    const metadata = { ...('metadata' in changed ? (changed.metadata as object) : {}), resourceVersion };
    try {
      return await kube.patch(ref, { ...changed, metadata }, { fieldManager: ARMS_MANAGER });
    } catch (error) {
      if (!(error instanceof KubeError && error.status === 409) || attempt === ATTEMPTS) throw error;
    }
  }
}

/** The object, where requests are to be sent by it. @throws UserError when it is gone */
export function present(object: KubeObject | undefined, ref: ObjectRef): KubeObject {
  if (object !== undefined) return object;
  throw new UserError(`${showRef(ref)} is gone: someone deleted it while the canary ran`, {
    remedy: 'Put it back, and start the canary again.',
  });
}
