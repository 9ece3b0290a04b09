import { applyOwn, removeOwn, scaleArms } from '../arms/arms.ts';
import { podsByShare } from '../arms/pods.ts';
import { bothArms } from '../arms/labels.ts';
import { giveLabels, takeLabels } from '../arms/taken.ts';
import { at, textAt } from '../kube/fields.ts';
import { type Kube, refOf, showRef } from '../kube/kube.ts';
import { awaitEndpoints } from './endpoints.ts';
import type { PlannedRoute, RouteQuestion } from './kinds.ts';
import type { TrafficPlan } from './plan.ts';
import type { Router } from './router.ts';
import { SETTLE_MS, type TrafficIo, stablePods } from './traffic-io.ts';

/** Canary and baseline behind the stable Services: the shares are numbers of pods. */
export function planReplicas({ services }: RouteQuestion): PlannedRoute {
  const notes = services.flatMap((service) => [
    ...(textAt(service, 'spec', 'sessionAffinity') === 'ClientIP'
      ? [
          `${showRef(service)} keeps each client at one pod (sessionAffinity): the shares are of clients, not of requests`,
        ]
      : []),
    ...(textAt(service, 'spec', 'clusterIP') === 'None'
      ? [`${showRef(service)} is headless: its clients choose the pods, and the shares are what they make of it`]
      : []),
    ...(at(service, 'spec', 'publishNotReadyAddresses') === true
      ? [`${showRef(service)} sends requests to pods that are not ready too, so to the arms' from their start`]
      : []),
  ]);
  return { services, objects: [], restore: [], problems: [], notes };
}

/** Shifts by numbers of pods; the stable pods stay as many as they are, however large the arms get. */
export function replicasRouter(plan: TrafficPlan, io: TrafficIo): Router {
  const { deployments, services, workload, selector, restore } = plan;
  const { namespace = '' } = workload;
  const own = Object.values(deployments);
  const keys = Object.keys(selector);
  const { settleMs = SETTLE_MS } = io;

  /** Pods that leave the endpoints before they end lose no request, also where the program does not drain. */
  const takeOut = async (kube: Kube, signal: AbortSignal): Promise<void> => {
    if ((await takeLabels(kube, deployments, keys)) > 0) await io.clock.sleep(settleMs, signal);
  };
  return {
    restore,
    async prepare(kube, signal) {
      signal.throwIfAborted();
      await Promise.all(own.map(async (one) => applyOwn(kube, one)));
    },
    async shift(kube, weights, signal) {
      const pods = podsByShare(weights, await stablePods(kube, plan));
      if (pods.canary + pods.baseline > 0) await giveLabels(kube, deployments, selector);
      else await takeOut(kube, signal);
      await scaleArms(kube, deployments, pods, io, signal);
      const seen = { namespace, pods: bothArms(workload.name) };
      await Promise.all(services.map(async (service) => awaitEndpoints(kube, { ...seen, service }, signal)));
    },
    async takeBack(kube) {
      try {
        await takeLabels(kube, deployments, keys);
      } catch (error) {
        // Evidence is worth less than the requests: without pods there are no endpoints.
        const done = await Promise.allSettled(restore.map(async ({ ref, patch }) => kube.patch(ref, patch)));
        if (done.some(({ status }) => status === 'rejected')) throw error;
      }
    },
    async remove(kube, signal) {
      await takeOut(kube, signal);
      await removeOwn(kube, own.map(refOf), io, signal);
    },
  };
}
