import type { Arm } from '../judge/metric.ts';

/** Numbers of pods of both arms. */
export type ArmPods = Readonly<Record<Arm, number>>;

/** Percent of the requests; what is left is the stable workload's. */
type Shares = Readonly<Record<Arm, number>>;

/**
 * Pods behind one Service are asked equally often, so shares are numbers of pods beside the `stable` ones, which stay
 * as many as they are. An arm has a pod at least when it is to have a share, and as many as stable at most: for half of
 * all requests and more there is no number of pods, and a third beside an equal baseline is what more pods come to.
 */
export function podsByShare({ canary, baseline }: Shares, stable: number): ArmPods {
  const rest = Math.max(0, 100 - canary - baseline);
  const most = Math.max(canary, baseline);
  const perPercent = Math.min(rest > 0 ? stable / rest : Number.POSITIVE_INFINITY, most > 0 ? stable / most : 0);
  const podsOf = (weight: number): number => (weight > 0 ? Math.max(1, Math.round(weight * perPercent)) : 0);
  return { canary: podsOf(canary), baseline: podsOf(baseline) };
}

/** Pods that carry a share of what `all` pods carry, each a pod at least when it is to have a share. */
export function podsByLoad({ canary, baseline }: Shares, all: number): ArmPods {
  // Less than a thousandth over a whole number is an error of the division.
  const podsOf = (weight: number): number => (weight > 0 ? Math.max(1, Math.ceil((weight * all) / 100 - 1e-6)) : 0);
  return { canary: podsOf(canary), baseline: podsOf(baseline) };
}

/** The shares that numbers of pods come to, in percent. */
export function sharesOf({ canary, baseline }: ArmPods, stable: number): Shares {
  const all = canary + baseline + stable;
  if (all === 0) return { canary: 0, baseline: 0 };
  return { canary: (100 * canary) / all, baseline: (100 * baseline) / all };
}
