import type { Kube, ObjectRef } from '../kube/kube.ts';

/** The ways to give a version a share of the requests. */
export const trafficKinds = ['replicas', 'gateway-api', 'alb', 'istio', 'nginx', 'argo-rollouts'] as const;
export type TrafficKind = (typeof trafficKinds)[number];

/** Percent of the requests; what is left goes to the stable workload. */
export interface Weights {
  readonly canary: number;
  readonly baseline: number;
}

/** A change of one object as data, so that another process (the deadman) can make it too. */
export interface Patch {
  readonly ref: ObjectRef;
  /** A JSON merge patch, or a JSON patch when it is an array. */
  readonly patch: object;
}

/**
 * Sends shares of the traffic to canary and baseline. All knowledge of what was there before stands in the plan that
 * made it, which is plain data and is kept on the cluster; a router made again from it goes on where another stood.
 */
export interface Router {
  /** Makes what has to be there before the first request can be sent to an arm; running it again changes nothing. */
  prepare(kube: Kube, signal: AbortSignal): Promise<void>;
  /** Sends these shares, and returns when they hold (verified where the platform can be asked). */
  shift(kube: Kube, weights: Weights, signal: AbortSignal): Promise<void>;
  /** Takes all traffic back to stable: one patch an object, sent at once, also while a run is cancelled. */
  takeBack(kube: Kube): Promise<void>;
  /** What `takeBack` would patch, for who has only this data; of `replicas` it scales both arms to nothing. */
  readonly restore: readonly Patch[];
  /** Removes what `prepare` made, after the traffic is back. */
  remove(kube: Kube, signal: AbortSignal): Promise<void>;
}
