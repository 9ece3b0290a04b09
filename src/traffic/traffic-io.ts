import { UserError } from '../action/errors.ts';
import type { Elb } from '../aws/elb.ts';
import type { ArmsIo } from '../arms/arms.ts';
import { numberAt } from '../kube/fields.ts';
import { type Kube, showRef } from '../kube/kube.ts';
import type { TrafficPlan } from './plan.ts';

/** No API tells when the last proxy follows a change; until then an arm keeps its pods. */
export const SETTLE_MS = 5000;

/** What a router needs besides the cluster. */
export interface TrafficIo extends ArmsIo {
  /** Milliseconds that proxies are given to follow before pods go away; default 5 s. */
  readonly settleMs?: number;
  /** Of `alb`: where the load balancer is asked. */
  readonly elb?: Elb;
}

/** How many pods the stable workload is set to have now. @throws UserError when it is gone */
export async function stablePods(kube: Kube, { workload }: TrafficPlan): Promise<number> {
  const live = await kube.get(workload);
  if (live === undefined) {
    throw new UserError(`${showRef(workload)} is gone: someone deleted it while its canary ran`, {
      remedy: 'Deploy it again, then start the canary again.',
    });
  }
  return numberAt(live, 'spec', 'replicas') ?? 1;
}
