import type { Problem } from '../action/errors.ts';
import type { Kube, KubeObject } from '../kube/kube.ts';
import type { RoutePlan, RoutedKind, TrafficWish } from './plan.ts';
import type { Patch } from './router.ts';
import { planAlb } from './alb.ts';
import { planGateway } from './gateway-api.ts';
import { planIstio } from './istio.ts';
import { planNginx } from './nginx.ts';
import { planReplicas } from './replicas.ts';

/** What a kind's planner is given. */
export interface RouteQuestion {
  readonly wish: TrafficWish;
  /** The Services that select the workload's pods. */
  readonly services: readonly KubeObject[];
  /** The plan's own name, for what is made. */
  readonly id: string;
}

/** A kind's part of the plan. */
export interface PlannedRoute {
  /** Those whose requests are shared out. */
  readonly services: readonly KubeObject[];
  readonly route?: RoutePlan;
  readonly objects: readonly KubeObject[];
  readonly restore: readonly Patch[];
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

const planners: Readonly<Record<RoutedKind, (kube: Kube, question: RouteQuestion) => Promise<PlannedRoute>>> = {
  replicas: async (_, question) => planReplicas(question),
  'gateway-api': planGateway,
  istio: planIstio,
  nginx: planNginx,
  alb: planAlb,
};

/** Looks for the route that leads to the workload, and plans what it needs. */
export async function planRoute(kube: Kube, question: RouteQuestion): Promise<PlannedRoute> {
  return planners[question.wish.kind](kube, question);
}
