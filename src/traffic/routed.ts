import { applyOwn, removeOwn, scaleArms, sizeOf } from '../arms/arms.ts';
import { type ArmPods, podsByLoad } from '../arms/pods.ts';
import { type Kube, refOf } from '../kube/kube.ts';
import { awaitEndpoints } from './endpoints.ts';
import type { TrafficPlan } from './plan.ts';
import type { Router, Weights } from './router.ts';
import { selectorOf } from './services.ts';
import { SETTLE_MS, type TrafficIo, stablePods } from './traffic-io.ts';

/** How one kind writes its weights. */
export interface RouteWriter {
  /** Before the first weight, once the arms' Services are there. */
  readonly begin?: (kube: Kube, signal: AbortSignal) => Promise<void>;
  /** Before an arm whose pods are ready gets requests. */
  readonly ready?: (kube: Kube, signal: AbortSignal) => Promise<void>;
  /** Writes the weights, and returns when they hold. */
  move(kube: Kube, weights: Weights, signal: AbortSignal): Promise<void>;
  takeBack(kube: Kube): Promise<void>;
  /** Takes the arms out of the route altogether, before what they lead to is removed. */
  end(kube: Kube, signal: AbortSignal): Promise<void>;
}

/**
 * Canary and baseline behind Services of their own, which a route gives weights. An arm has its pods before it has its
 * requests, and has them until the requests are gone.
 */
export function routedRouter(plan: TrafficPlan, io: TrafficIo, writer: RouteWriter): Router {
  const { deployments, objects, workload, restore } = plan;
  const { namespace = '' } = workload;
  const { settleMs = SETTLE_MS } = io;
  const own = [...objects, ...Object.values(deployments)];
  const served = objects
    .filter(({ kind }) => kind === 'Service')
    .map((one) => ({ namespace, service: one.metadata.name, pods: selectorOf(one) }));
  return {
    restore,
    async prepare(kube, signal) {
      signal.throwIfAborted();
      await Promise.all(own.map(async (one) => applyOwn(kube, one)));
      await writer.begin?.(kube, signal);
    },
    async shift(kube, weights, signal) {
      // An autoscaler takes stable pods away while the arms have their requests: what it needs alone stays the measure.
      const wanted = podsByLoad(weights, Math.max(plan.pods, await stablePods(kube, plan)));
      const grown = larger(wanted, await sizeOf(kube, deployments));
      await scaleArms(kube, deployments, grown, io, signal);
      await Promise.all(served.map(async (pods) => awaitEndpoints(kube, pods, signal)));
      if (weights.canary + weights.baseline > 0) await writer.ready?.(kube, signal);
      await writer.move(kube, weights, signal);
      if (grown.canary === wanted.canary && grown.baseline === wanted.baseline) return;
      await io.clock.sleep(settleMs, signal);
      await scaleArms(kube, deployments, wanted, io, signal);
    },
    takeBack: async (kube) => writer.takeBack(kube),
    async remove(kube, signal) {
      await writer.end(kube, signal);
      await io.clock.sleep(settleMs, signal);
      await removeOwn(kube, own.map(refOf), io, signal);
    },
  };
}

function larger(one: ArmPods, other: ArmPods): ArmPods {
  return { canary: Math.max(one.canary, other.canary), baseline: Math.max(one.baseline, other.baseline) };
}
