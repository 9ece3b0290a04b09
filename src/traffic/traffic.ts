import { podsByShare, sharesOf } from '../arms/pods.ts';
import { albUnits, albWriter } from './alb-writer.ts';
import { gatewayWriter } from './gateway-api.ts';
import { interruptible } from './interruptible.ts';
import { istioWriter } from './istio.ts';
import { nginxShares, nginxWriter } from './nginx.ts';
import type { TrafficPlan } from './plan.ts';
import { replicasRouter } from './replicas.ts';
import { routedRouter } from './routed.ts';
import type { Router, Weights } from './router.ts';
import { unitsOf } from './split.ts';
import type { TrafficIo } from './traffic-io.ts';

export { ArmFault } from '../arms/arms.ts';
export { type PlannedTraffic, type RoutedKind, type TrafficPlan, type TrafficWish, planTraffic } from './plan.ts';
export { ALB_ACTIONS, SURROUNDINGS, trafficRights } from './rights.ts';
export type { TrafficIo } from './traffic-io.ts';

/** The router of a plan, made anew by each run that goes on with the canary. */
export function routerFor(plan: TrafficPlan, io: TrafficIo): Router {
  const { kind } = plan;
  return interruptible(
    kind === 'replicas' ? replicasRouter(plan, io) : routedRouter(plan, io, writers[kind](plan, io)),
  );
}

const writers = {
  'gateway-api': gatewayWriter,
  istio: istioWriter,
  nginx: nginxWriter,
  alb: albWriter,
};

/**
 * The shares that weights really come to: `replicas` has whole pods only.
 * @param stable pods of the stable workload; by default as many as when it was planned
 */
export function reachedBy({ kind, pods }: TrafficPlan, weights: Weights, stable = pods): Weights {
  if (kind === 'replicas') return sharesOf(podsByShare(weights, stable), stable);
  if (kind === 'nginx') return nginxShares(weights, stable);
  const { all, canary, baseline } = unitsOf(kind === 'alb' ? albUnits(weights) : weights);
  return { canary: (100 * canary) / all, baseline: (100 * baseline) / all };
}
