import { UserError } from '../action/errors.ts';
import { sizeOf } from '../arms/arms.ts';
import { armName, arms } from '../arms/labels.ts';
import type { Arm } from '../judge/metric.ts';
import { ARMS_MANAGER } from '../arms/manifest.ts';
import type { Elb, Forward } from '../aws/elb.ts';
import { textAt } from '../kube/fields.ts';
import type { Kube, KubeObject } from '../kube/kube.ts';
import { type AlbRoute, BINDING, actionOf, albForm, annotated, forwardsOf, weighed } from './alb.ts';
import type { TrafficPlan } from './plan.ts';
import { present, rewrite } from './rewrite.ts';
import type { Weights } from './router.ts';
import type { RouteWriter } from './routed.ts';
import { type RouteRule, withoutArms } from './split.ts';
import type { TrafficIo } from './traffic-io.ts';

const LOOK_MS = 1000;

/** Whole percents, as target groups have it; one at least for who is to get requests. */
export function albUnits({ canary, baseline }: Weights): Weights {
  const whole = (percent: number): number => (percent > 0 ? Math.max(1, Math.round(percent)) : 0);
  return { canary: whole(canary), baseline: Math.min(whole(baseline), 100 - whole(canary)) };
}

/**
 * Writes the weights into the Ingress and returns when the load balancer has them. Both target groups are there before
 * the first weight and until the last one is gone: one that is removed too early is answered by 503s.
 */
export function albWriter(plan: TrafficPlan, io: TrafficIo): RouteWriter {
  const { route, services } = plan;
  if (route === undefined) throw new RangeError('the plan has no route');
  if (io.elb === undefined)
    throw new UserError('traffic: alb needs AWS credentials, by which the load balancer is asked what it does', {
      remedy: 'Set role-to-assume and region, or take traffic: replicas.',
    });
  const { elb } = io;
  const [service = ''] = services;
  const { actions, rules, before } = route.original as AlbRoute;
  const place = { service, namespace: plan.workload.namespace ?? '' };

  /** What others changed in an action meanwhile is kept; one that is gone is made again. */
  const write = async (kube: Kube, weights: Weights, more: object = {}): Promise<KubeObject | undefined> =>
    rewrite(kube, route.ref, (live) => {
      const now: Record<string, RouteRule> = {};
      for (const [name, action] of Object.entries(actions)) {
        const [plain = action] = withoutArms([actionOf(live, name) ?? action], service, albForm, [action]);
        now[name] = plain;
      }
      const { canary, baseline } = albUnits(weights);
      return { metadata: { annotations: annotated(weighed(now, service, canary, baseline)) }, ...more };
    });

  /** Looks until it holds twice, as a controller changes one rule after the other. */
  const until = async (holds: () => Promise<boolean>, signal: AbortSignal): Promise<void> => {
    for (let held = 0; ;) {
      signal.throwIfAborted();
      held = (await holds()) ? held + 1 : 0;
      if (held === 2) return;
      await io.clock.sleep(LOOK_MS, signal);
    }
  };
  const inForce = async (kube: Kube, weights: Weights, signal: AbortSignal): Promise<void> =>
    until(async () => {
      const groups = await groupsOf(kube, place);
      const split = (await forwardsOf(elb, await kube.get(route.ref))).filter((rule) => leadsToArm(rule, groups));
      return split.length > 0 && split.every((rule) => isSplit(rule, groups, albUnits(weights)));
    }, signal);

  return {
    async begin(kube, signal) {
      const live = await kube.get(route.ref);
      const isBegun = Object.keys(actions).every((name) => hasArms(actionOf(live, name), service));
      if (isBegun) return;
      // What may not be verified is not begun.
      await forwardsOf(elb, live);
      await write(kube, NOTHING, { spec: { rules } });
      await inForce(kube, NOTHING, signal);
    },
    async ready(kube, signal) {
      const pods = await sizeOf(kube, plan.deployments);
      await until(async () => {
        const groups = await groupsOf(kube, place);
        const healthy = await Promise.all(
          arms
            .filter((arm) => pods[arm] > 0)
            .map(async (arm) => {
              const own = groups.filter((one) => one.arm === arm);
              const all = await Promise.all(own.map(async (one) => isHealthy(elb, one, pods[arm])));
              return all.length > 0 && all.every(Boolean);
            }),
        );
        return healthy.every(Boolean);
      }, signal);
    },
    async move(kube, weights, signal) {
      present(await write(kube, weights), route.ref);
      await inForce(kube, weights, signal);
    },
    takeBack: async (kube) => void (await write(kube, NOTHING)),
    async end(kube, signal) {
      const groups = await groupsOf(kube, place);
      if ((await kube.get(route.ref)) === undefined) return;
      await kube.patch(route.ref, before, { fieldManager: ARMS_MANAGER });
      await until(async () => {
        const all = await forwardsOf(elb, await kube.get(route.ref));
        return all.every((rule) => !leadsToArm(rule, groups));
      }, signal);
    },
  };

  function hasArms(action: RouteRule | undefined, name: string): boolean {
    return action !== undefined && withoutArms([action], name, albForm)[0] !== action;
  }
}

const NOTHING: Weights = { canary: 0, baseline: 0 };

/** A target group of the load balancer and whose pods are in it: the stable ones where it is of no arm. */
interface Group {
  readonly arn: string;
  readonly arm: Arm | undefined;
  readonly byPod: boolean;
}

/** The target groups of the Service and of both arms, as the controller's bindings tell. */
async function groupsOf(
  kube: Kube,
  { service, namespace }: { readonly service: string; readonly namespace: string },
): Promise<readonly Group[]> {
  return (await kube.list({ ...BINDING, namespace })).flatMap((one) => {
    const name = textAt(one, 'spec', 'serviceRef', 'name');
    const arm = arms.find((candidate) => name === armName(service, candidate));
    if (arm === undefined && name !== service) return [];
    return [{ arn: textAt(one, 'spec', 'targetGroupARN'), arm, byPod: textAt(one, 'spec', 'targetType') === 'ip' }];
  });
}

function leadsToArm(rule: readonly Forward[], groups: readonly Group[]): boolean {
  return rule.some(({ targetGroup }) => groups.some(({ arn, arm }) => arn === targetGroup && arm !== undefined));
}

/** Whether of what a rule sends to the Service and its arms, each arm gets its percent. */
function isSplit(rule: readonly Forward[], groups: readonly Group[], weights: Weights): boolean {
  const known = rule.flatMap(({ targetGroup, weight }) => {
    const group = groups.find(({ arn }) => arn === targetGroup);
    return group === undefined ? [] : [{ arm: group.arm, weight }];
  });
  const sumOf = (arm?: Arm): number =>
    known.filter((one) => arm === undefined || one.arm === arm).reduce((sum, { weight }) => sum + weight, 0);
  return arms.every((arm) => Math.abs(sumOf(arm) * 100 - weights[arm] * sumOf()) < sumOf() * 0.01);
}

/** Whether a target group would answer: with pods as targets, all of the arm's. */
async function isHealthy(elb: Elb, { arn, byPod }: Group, pods: number): Promise<boolean> {
  const targets = await elb.health(arn);
  const healthy = targets.filter(({ state }) => state === 'healthy').length;
  return healthy >= (byPod ? pods : 1) && targets.every(({ state }) => state !== 'initial');
}
