import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../action/errors.ts';
import { at, itemsAt, numberAt, textAt } from '../kube/fields.ts';
import { type Kube, type KubeObject, refOf, showRef } from '../kube/kube.ts';
import { armServices } from './arm-services.ts';
import { chooseRoute, unplanned } from './choose.ts';
import type { PlannedRoute, RouteQuestion } from './kinds.ts';
import type { TrafficPlan } from './plan.ts';
import { present, rewrite } from './rewrite.ts';
import type { RouteWriter } from './routed.ts';
import { type RouteForm, type RouteRule, largestWeight, leadsTo, rulesAt, splitRules, withoutArms } from './split.ts';
import { gitOpsNotes } from './surroundings.ts';
import type { TrafficIo } from './traffic-io.ts';

const HTTP_ROUTE = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute' };
/** A million at most (HTTPBackendRef.weight of the API), and a split multiplies by a thousand. */
const LARGEST = 1000;

/** `backendRefs` of HTTPRoute v1: a ref of no kind is a Service, one of no namespace is in the route's own. */
export function gatewayForm(namespace: string): RouteForm {
  return {
    field: 'backendRefs',
    serviceOf(way) {
      const { kind = 'Service', group = '', namespace: where = namespace, name } = way;
      const isService = kind === 'Service' && (group === '' || group === 'core') && where === namespace;
      return isService && typeof name === 'string' ? name : undefined;
    },
    withService: (way, name) => ({ ...way, name }),
    impliedWeight: () => 1,
  };
}

/** Weights on the backends of every rule that leads to the Service. */
export async function planGateway(kube: Kube, question: RouteQuestion): Promise<PlannedRoute> {
  const { wish, id } = question;
  const form = gatewayForm(wish.namespace);
  const rulesOf = (route: KubeObject): readonly RouteRule[] => rulesAt(route, 'spec', 'rules');
  const leads = (route: KubeObject, name: string): boolean => rulesOf(route).some((rule) => leadsTo(rule, name, form));
  const chosen = await chooseRoute(kube, question, { types: [HTTP_ROUTE], api: 'the Gateway API', leads });
  if ('problems' in chosen) return unplanned(chosen.problems);
  const { route, service } = chosen;
  const { name } = service.metadata;
  const rules = withoutArms(rulesOf(route), name, form);
  const large = largestWeight(rules, name, form);
  if (large > LARGEST)
    return unplanned([
      {
        message: `${showRef(route)} has weights as fine as ${large}, which can't be split further`,
        remedy: `Bring them to ${LARGEST} at most.`,
      },
    ]);
  const controllers = parentsOf(route).filter(isAccepted).map(controllerOf);
  const unseen = `no controller has accepted ${showRef(route)}, so nothing tells whether weights are in force`;
  return {
    services: [service],
    objects: armServices(service, { workload: wish.workload.metadata.name, plan: id }),
    route: { ref: refOf(route), original: rules, controllers },
    restore: [{ ref: refOf(route), patch: { spec: { rules } } }],
    problems: [],
    notes: [...gitOpsNotes(route), ...(controllers.length === 0 ? [unseen] : [])],
  };
}

/** Writes all rules at once, and waits until the controllers that know the route have taken them. */
export function gatewayWriter(plan: TrafficPlan, io: TrafficIo): RouteWriter {
  const { route, services } = plan;
  if (route === undefined) throw new RangeError('the plan has no route');
  const [service = ''] = services;
  const form = gatewayForm(plan.workload.namespace ?? '');
  const original = rulesAt({ rules: route.original }, 'rules');
  const write = async (
    kube: Kube,
    change: (rules: readonly RouteRule[]) => readonly RouteRule[],
  ): Promise<KubeObject | undefined> =>
    rewrite(kube, route.ref, (live) => {
      const rules = change(withoutArms(rulesAt(live, 'spec', 'rules'), service, form, original));
      return isDeepStrictEqual(rules, at(live, 'spec', 'rules')) ? undefined : { spec: { rules } };
    });
  const taken = async (kube: Kube, written: KubeObject | undefined, signal: AbortSignal): Promise<void> => {
    for (let live: KubeObject | undefined = written; ; live = await kube.get(route.ref)) {
      const parents = parentsOf(live).filter((parent) => route.controllers?.includes(controllerOf(parent)) === true);
      const seen = parents.filter((parent) => isSeen(parent, written?.metadata.generation ?? 0));
      const refused = seen.flatMap((parent) => itemsAt(parent, 'conditions')).find(isRefusal);
      if (refused !== undefined) {
        throw new UserError(
          `${showRef(route.ref)} was not taken: ${textAt(refused, 'message') || textAt(refused, 'reason')}`,
          {
            remedy: 'See the conditions of the route (kubectl describe httproute).',
          },
        );
      }
      if (live === undefined || seen.length === parents.length) return;
      await io.clock.sleep(LOOK_MS, signal);
    }
  };
  return {
    async move(kube, weights, signal) {
      signal.throwIfAborted();
      const written = await write(kube, (rules) => splitRules(rules, service, weights, form));
      await taken(kube, present(written, route.ref), signal);
    },
    takeBack: async (kube) => void (await write(kube, (rules) => rules)),
    async end(kube, signal) {
      await taken(kube, await write(kube, (rules) => rules), signal);
    },
  };
}

const LOOK_MS = 200;

function parentsOf(route: KubeObject | undefined): readonly unknown[] {
  return itemsAt(route, 'status', 'parents');
}

function controllerOf(parent: unknown): string {
  return `${textAt(parent, 'controllerName')} ${JSON.stringify(at(parent, 'parentRef'))}`;
}

function isAccepted(parent: unknown): boolean {
  return itemsAt(parent, 'conditions').some((one) => at(one, 'type') === 'Accepted' && at(one, 'status') === 'True');
}

/** Whether a parent's word on this generation has come. */
function isSeen(parent: unknown, generation: number): boolean {
  const conditions = itemsAt(parent, 'conditions').filter((one) => CONDITIONS.has(textAt(one, 'type')));
  return conditions.length > 0 && conditions.every((one) => (numberAt(one, 'observedGeneration') ?? 0) >= generation);
}

function isRefusal(condition: unknown): boolean {
  return CONDITIONS.has(textAt(condition, 'type')) && at(condition, 'status') === 'False';
}

const CONDITIONS = new Set(['Accepted', 'ResolvedRefs']);
