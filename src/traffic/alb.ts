import { type Problem, UserError } from '../action/errors.ts';
import type { Elb, Forward } from '../aws/elb.ts';
import { at, isRecord, textAt } from '../kube/fields.ts';
import { type Kube, type KubeObject, refOf, showRef } from '../kube/kube.ts';
import { armServices } from './arm-services.ts';
import { chooseRoute, unplanned } from './choose.ts';
import { classFaults } from './ingress-class.ts';
import type { PlannedRoute, RouteQuestion } from './kinds.ts';
import { type RouteForm, type RouteRule, largestWeight, leadsTo, rulesAt, splitRules, withoutArms } from './split.ts';
import { gitOpsNotes } from './surroundings.ts';

export const BINDING = { apiVersion: 'elbv2.k8s.aws/v1beta1', kind: 'TargetGroupBinding' };
const INGRESS = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' };
const ACTIONS = 'alb.ingress.kubernetes.io/actions.';
/** The port's name by which a backend means the action of its name, not a Service. */
const USE_ANNOTATION = 'use-annotation';
/** A target group's weight has 999 at most, and a split multiplies by a hundred. */
const LARGEST = 9;

/** `forwardConfig.targetGroups` of an action (AWS Load Balancer Controller, "Ingress annotations"). */
export const albForm: RouteForm = {
  field: 'targetGroups',
  serviceOf: ({ serviceName }) => (typeof serviceName === 'string' ? serviceName : undefined),
  withService: (way, name) => ({ ...way, serviceName: name }),
  impliedWeight: () => 1,
  keepsArms: true,
};

/** The Ingress as it was, and as it is while arms are there. */
export interface AlbRoute {
  /** What brings everything back, as a merge patch. */
  readonly before: object;
  /** Names of the actions whose weights are written, each with all but its target groups. */
  readonly actions: Readonly<Record<string, RouteRule>>;
  /** The rules, with every way to the Service through such an action. */
  readonly rules: readonly RouteRule[];
}

/** An action of an Ingress with its target groups beside the rest of it; undefined for one that does not forward. */
export function actionOf(ingress: KubeObject | undefined, name: string): RouteRule | undefined {
  try {
    const value: unknown = JSON.parse(ingress?.metadata.annotations?.[ACTIONS + name] ?? '');
    const config = at(value, 'forwardConfig');
    return isRecord(value) && isRecord(config) ? { ...config } : undefined;
  } catch {
    return undefined;
  }
}

/** Annotations that set these actions. */
export function annotated(actions: Readonly<Record<string, RouteRule>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(actions).map(([name, forwardConfig]) => [
      ACTIONS + name,
      JSON.stringify({ type: 'forward', forwardConfig }),
    ]),
  );
}

interface Backend {
  readonly name: string;
  readonly port: unknown;
}

function backends(ingress: KubeObject): readonly Backend[] {
  return rulesAt(ingress, 'spec', 'rules').flatMap((rule) =>
    rulesAt(rule, 'http', 'paths').map((one) => {
      const service = at(one, 'backend', 'service');
      return { name: textAt(service, 'name'), port: at(service, 'port', 'name') ?? at(service, 'port', 'number') };
    }),
  );
}

function leads(ingress: KubeObject, service: string): boolean {
  return backends(ingress).some(({ name, port }) => {
    if (port !== USE_ANNOTATION) return name === service;
    const action = actionOf(ingress, name);
    return action !== undefined && leadsTo(action, service, albForm);
  });
}

/**
 * Forward actions with weights, in the annotation that the AWS Load Balancer Controller reads. Paths that lead straight
 * to the Service lead to an action of its name while the canary lasts.
 */
export async function planAlb(kube: Kube, question: RouteQuestion): Promise<PlannedRoute> {
  const { wish, id } = question;
  if ((await kube.resource(BINDING)) === undefined)
    return unplanned([
      {
        message: `the cluster does not serve ${BINDING.kind} of ${BINDING.apiVersion}: the AWS Load Balancer Controller is not installed`,
        remedy: 'Take traffic: replicas, which works everywhere.',
      },
    ]);
  const chosen = await chooseRoute(kube, question, { types: [INGRESS], api: 'Ingress', leads });
  if ('problems' in chosen) return unplanned(chosen.problems);
  const { route, service } = chosen;
  const { name } = service.metadata;
  const found = actionsTo(route, name);
  const ports = [...new Set(found.direct.map(String))];
  const large = Math.max(0, ...Object.values(found.actions).map((action) => largestWeight([action], name, albForm)));
  const problems = [
    ...(await classFaults(kube, route, { controller: 'ingress.k8s.aws/alb', kind: 'alb' })),
    ...(ports.length > 1
      ? [{ message: `${showRef(route)} leads to several ports of ${showRef(service)}: ${ports.join(', ')}` }]
      : []),
    ...(ports.length > 0 && route.metadata.annotations?.[ACTIONS + name] !== undefined && !(name in found.named)
      ? [
          {
            message: `${showRef(route)} has an action ${name} that is of no use to its paths, where the canary's is to stand`,
          },
        ]
      : []),
    ...(large > LARGEST
      ? [
          {
            message: `the actions of ${showRef(route)} have weights as fine as ${large}, and a target group takes 999 at most`,
            remedy: `Bring them to ${LARGEST} at most.`,
          },
        ]
      : []),
    ...(hostOf(route) === ''
      ? [
          {
            message: `${showRef(route)} has no load balancer yet`,
            remedy: 'See its events: the AWS Load Balancer Controller says there why.',
          },
        ]
      : []),
  ];
  if (problems.length > 0) return unplanned(problems);
  const unanswered = wish.elb === undefined ? [] : await elbFaults(wish.elb, route);
  if (unanswered.length > 0) return unplanned(unanswered);
  const rules = throughAction(rulesAt(route, 'spec', 'rules'), name);
  const before = {
    metadata: {
      annotations: Object.fromEntries(
        Object.keys(found.actions).map((one) => [ACTIONS + one, found.said[one] ?? null]),
      ),
    },
    spec: { rules: rulesAt(route, 'spec', 'rules') },
  };
  const original: AlbRoute = { before, actions: found.actions, rules };
  return {
    services: [service],
    objects: armServices(service, { workload: wish.workload.metadata.name, plan: id, byNode: true }).map((one) =>
      likeStable(one, service),
    ),
    route: { ref: refOf(route), original },
    restore: [
      { ref: refOf(route), patch: { metadata: { annotations: annotated(weighed(found.actions, name, 0, 0)) } } },
    ],
    problems: [],
    notes: gitOpsNotes(route),
  };
}

/** The actions with these percents for the arms. */
export function weighed(
  actions: Readonly<Record<string, RouteRule>>,
  service: string,
  canary: number,
  baseline: number,
): Readonly<Record<string, RouteRule>> {
  return Object.fromEntries(
    Object.entries(actions).map(([name, action]) => [
      name,
      splitRules([action], service, { canary, baseline }, albForm)[0] ?? action,
    ]),
  );
}

/**
 * What each rule of the load balancer of an Ingress forwards to.
 * @throws UserError when there is none of that name, or the role may not ask
 */
export async function forwardsOf(elb: Elb, ingress: KubeObject | undefined): Promise<readonly (readonly Forward[])[]> {
  const host = hostOf(ingress);
  const found = host === '' ? undefined : await elb.find(host);
  if (found === undefined) {
    throw new UserError(`there is no load balancer of the address of the Ingress (${host || 'it has none'})`, {
      remedy: 'Check the input region and the account of the role.',
    });
  }
  return elb.forwards(found);
}

async function elbFaults(elb: Elb, ingress: KubeObject): Promise<readonly Problem[]> {
  try {
    await forwardsOf(elb, ingress);
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.problems;
  }
}

/** DNS name of the load balancer of an Ingress; `''` as long as it has none. */
function hostOf(ingress: KubeObject | undefined): string {
  return textAt(ingress, 'status', 'loadBalancer', 'ingress', '0', 'hostname');
}

/** The actions that lead to a Service, one made for the paths that lead straight to it, and the ports of those. */
function actionsTo(ingress: KubeObject, service: string) {
  const all = backends(ingress);
  const direct = all.filter(({ name, port }) => name === service && port !== USE_ANNOTATION).map(({ port }) => port);
  const named: Record<string, RouteRule> = {};
  const said: Record<string, string | undefined> = {};
  for (const { name } of all.filter(({ port }) => port === USE_ANNOTATION)) {
    const action = actionOf(ingress, name);
    if (action === undefined || !leadsTo(action, service, albForm)) continue;
    const [plain = action] = withoutArms([action], service, albForm);
    named[name] = plain;
    said[name] =
      plain === action ? ingress.metadata.annotations?.[ACTIONS + name] : annotated({ [name]: plain })[ACTIONS + name];
  }
  const own: RouteRule = { targetGroups: [{ serviceName: service, servicePort: direct[0], weight: 1 }] };
  return {
    direct,
    named,
    said,
    actions: direct.length > 0 && !(service in named) ? { ...named, [service]: own } : named,
  };
}

/** The rules with each path that leads straight to a Service led to the action of its name. */
function throughAction(rules: readonly RouteRule[], service: string): readonly RouteRule[] {
  return rules.map((rule) => {
    if (at(rule, 'http') === undefined) return rule;
    const paths = rulesAt(rule, 'http', 'paths').map((one) =>
      textAt(one, 'backend', 'service', 'name') === service
        ? { ...one, backend: { service: { name: service, port: { name: USE_ANNOTATION } } } }
        : one,
    );
    return { ...rule, http: { paths } };
  });
}

/** The health check and target type that annotations of a Service say are the arms' too. */
function likeStable(own: KubeObject, stable: KubeObject): KubeObject {
  const told = Object.entries(stable.metadata.annotations ?? {}).filter(([name]) =>
    name.startsWith('alb.ingress.kubernetes.io/'),
  );
  const annotations = { ...Object.fromEntries(told), ...own.metadata.annotations };
  return { ...own, metadata: { ...own.metadata, annotations } };
}
