import { podsByShare, sharesOf } from '../arms/pods.ts';
import type { TrafficPlan } from './plan.ts';
import { replicasRouter } from './replicas.ts';
import type { Router, Weights } from './router.ts';
import type { TrafficIo } from './traffic-io.ts';

export { ArmFault } from '../arms/arms.ts';
export { type PlannedTraffic, type RoutedKind, type TrafficPlan, type TrafficWish, planTraffic } from './plan.ts';
export { ALB_ACTIONS, SURROUNDINGS, trafficRights } from './rights.ts';
export type { TrafficIo } from './traffic-io.ts';

/** The router of a plan, made anew by each run that goes on with the canary. */
export function routerFor(plan: TrafficPlan, io: TrafficIo): Router {
  return replicasRouter(plan, io);
}

/**
 * The shares that weights really come to: `replicas` has whole pods only.
 * @param stable pods of the stable workload; by default as many as when it was planned
 */
export function reachedBy({ kind, pods }: TrafficPlan, weights: Weights, stable = pods): Weights {
  return kind === 'replicas' ? sharesOf(podsByShare(weights, stable), stable) : weights;
}
