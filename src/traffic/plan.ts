import { randomUUID } from 'node:crypto';
import type { Problem } from '../action/errors.ts';
import type { ArmDeployments } from '../arms/arms.ts';
import { type Labels, arms, templateLabels } from '../arms/labels.ts';
import { ARMS_MANAGER, armDeployment } from '../arms/manifest.ts';
import type { Elb } from '../aws/elb.ts';
import { explainKubeError } from '../kube/errors.ts';
import { numberAt } from '../kube/fields.ts';
import { type Kube, KubeError, type KubeObject, type ObjectRef, refOf, showRef } from '../kube/kube.ts';
import { lackingRights } from '../kube/rights.ts';
import { candidateFaults, findWorkload, takenNames } from './checks.ts';
import { planRoute } from './kinds.ts';
import { trafficRights } from './rights.ts';
import type { Patch, TrafficKind } from './router.ts';
import { findServices, selectedLabels, strangers } from './services.ts';
import { lookAround } from './surroundings.ts';

/** The kinds that a runner shifts itself; the controller of Argo Rollouts shifts those of its own. */
export type RoutedKind = Exclude<TrafficKind, 'argo-rollouts'>;

/** What is to be released, and by which way its requests come. */
export interface TrafficWish {
  readonly kind: RoutedKind;
  /** The Deployment that serves now. */
  readonly workload: KubeObject;
  /** The new Deployment as its manifest says it. */
  readonly candidate: KubeObject;
  readonly namespace: string;
  /** Name of the Service, where several select the pods. */
  readonly service?: string;
  /** Of `alb`: where the load balancer is asked; it is then asked before anything begins. */
  readonly elb?: Elb;
  /** Name of the HTTPRoute, VirtualService or Ingress, where several lead to the Service. */
  readonly route?: string;
}

/** All that is known of a canary's traffic, before it and while it goes on: plain data, kept on the cluster. */
export interface TrafficPlan {
  /** Tells what was made for this canary from leftovers of another. */
  readonly id: string;
  readonly kind: RoutedKind;
  readonly workload: ObjectRef;
  /** Stable pods when it was planned. */
  readonly pods: number;
  /** Names of the Services whose requests are shared out; one, except of `replicas`. */
  readonly services: readonly string[];
  /** What those Services select. */
  readonly selector: Labels;
  readonly deployments: ArmDeployments;
  /** What is made beside the arms: their Services, and copies that lead to them. */
  readonly objects: readonly KubeObject[];
  readonly route?: RoutePlan;
  /** What takes everything back, see Router. */
  readonly restore: readonly Patch[];
}

/** The object that holds the weights. */
export interface RoutePlan {
  readonly ref: ObjectRef;
  /** The part of its spec that is written, as it was; of `alb` with the annotations. */
  readonly original: unknown;
  /** Controllers that had accepted the route, whose word is waited for. */
  readonly controllers?: readonly string[];
}

export interface PlannedTraffic {
  /** None where there are problems. */
  readonly plan?: TrafficPlan;
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

/**
 * Reads the cluster, changes nothing, and tells all problems at once.
 * @throws KubeError when the server gives no answer; the signal's reason when it aborts
 */
export async function planTraffic(wish: TrafficWish, kube: Kube, signal: AbortSignal): Promise<PlannedTraffic> {
  const { namespace, kind } = wish;
  const rules = trafficRights(kind).map((rule) => ({ ...rule, namespace }));
  const denied = await lackingRights(kube, rules);
  signal.throwIfAborted();
  // What may not be read can't be looked at for other problems.
  const blind = rules.filter(({ verbs }) => verbs.includes('list'));
  if (
    denied.length > 0 &&
    (
      await lackingRights(
        kube,
        blind.map((rule) => ({ ...rule, verbs: ['list'] })),
      )
    ).length > 0
  )
    return { problems: denied, notes: [] };
  const found = await findWorkload(kube, wish);
  if (found.live === undefined) return { problems: [...denied, ...found.problems], notes: [] };
  const { live } = found;
  const { services, others, problems: unserved } = await findServices(kube, live, wish.service);
  signal.throwIfAborted();
  const id = randomUUID();
  const served = selectedLabels(services);
  const behindStable = kind === 'replicas';
  const armOf = (arm: 'canary' | 'baseline'): KubeObject =>
    armDeployment({
      arm,
      stable: live,
      from: arm === 'canary' ? wish.candidate : live,
      plan: id,
      served,
      behindStable,
    });
  const deployments: ArmDeployments = { canary: armOf('canary'), baseline: armOf('baseline') };
  const route = await planRoute(kube, { wish, services, id });
  const [foreign, around, existing] = await Promise.all([
    strangers(kube, live, services),
    lookAround(kube, { workload: live, armLabels: templateLabels(deployments.canary), others }),
    takenNames(kube, live, [...Object.values(deployments), ...route.objects]),
  ]);
  signal.throwIfAborted();
  const early = [
    ...denied,
    ...found.problems,
    ...candidateFaults(wish, live, served),
    ...unserved,
    ...route.problems,
    ...(behindStable ? foreign : []),
    ...around.problems,
    ...existing.problems,
  ];
  const problems = [
    ...early,
    ...(denied.length > 0 ? [] : await refusals(kube, [...Object.values(deployments), ...route.objects])),
  ];
  const notes = [...route.notes, ...around.notes, ...existing.notes];
  if (problems.length > 0) return { problems, notes };
  const plan: TrafficPlan = {
    id,
    kind,
    workload: refOf(live),
    pods: numberAt(live, 'spec', 'replicas') ?? 1,
    services: route.services.map(({ metadata }) => metadata.name),
    selector: selectedLabels(route.services),
    deployments,
    objects: route.objects,
    ...(route.route && { route: route.route }),
    restore: behindStable
      ? arms.map((arm) => ({ ref: refOf(deployments[arm]), patch: { spec: { replicas: 0 } } }))
      : route.restore,
  };
  return { plan, problems, notes };
}

/** What the server would refuse, admission included. */
async function refusals(kube: Kube, objects: readonly KubeObject[]): Promise<readonly Problem[]> {
  const all = await Promise.all(
    objects.map(async (object) => {
      try {
        await kube.apply(object, { fieldManager: ARMS_MANAGER, force: true, dryRun: true });
        return [];
      } catch (error) {
        if (!(error instanceof KubeError) || error.reason === 'Unreachable') throw error;
        return explainKubeError(error, { subject: showRef(object) }).problems;
      }
    }),
  );
  return all.flat();
}
