import { isDeepStrictEqual } from 'node:util';
import { armName, arms } from '../arms/labels.ts';
import { at, isRecord, textAt } from '../kube/fields.ts';
import { type Kube, type KubeObject, refOf, showRef } from '../kube/kube.ts';
import { armServices, ownMetadata } from './arm-services.ts';
import { chooseRoute, unplanned } from './choose.ts';
import type { PlannedRoute, RouteQuestion } from './kinds.ts';
import type { TrafficPlan } from './plan.ts';
import { present, rewrite } from './rewrite.ts';
import type { RouteWriter } from './routed.ts';
import { type RouteForm, type RouteRule, leadsTo, rulesAt, splitRules, waysOf, withoutArms } from './split.ts';
import { gitOpsNotes } from './surroundings.ts';

const VIRTUAL_SERVICES = ['v1', 'v1beta1', 'v1alpha3'].map((version) => ({
  apiVersion: `networking.istio.io/${version}`,
  kind: 'VirtualService',
}));

/**
 * `http[].route` of a VirtualService: hosts are `name`, `name.namespace` and longer, weights a proportion (Istio's
 * reference of HTTPRouteDestination).
 */
export function istioForm(namespace: string): RouteForm {
  return {
    field: 'route',
    serviceOf: (way) => serviceOfHost(textAt(way, 'destination', 'host'), namespace),
    withService(way, name) {
      const destination = at(way, 'destination');
      const host = hostOf(textAt(destination, 'host'), name);
      return { ...way, destination: { ...(isRecord(destination) ? destination : {}), host } };
    },
    impliedWeight: (ways) => (ways === 1 ? 1 : 0),
  };
}

function serviceOfHost(host: string, namespace: string): string | undefined {
  const [name, where = namespace, word = 'svc'] = host.split('.');
  return where === namespace && word === 'svc' && name !== '' ? name : undefined;
}

function hostOf(host: string, name: string): string {
  return [name, ...host.split('.').slice(1)].join('.');
}

/** Weights on the destinations of every HTTP route that leads to the Service. */
export async function planIstio(kube: Kube, question: RouteQuestion): Promise<PlannedRoute> {
  const { wish, id } = question;
  const { namespace } = wish;
  const form = istioForm(namespace);
  const rulesOf = (route: KubeObject): readonly RouteRule[] => rulesAt(route, 'spec', 'http');
  const leads = (route: KubeObject, name: string): boolean => rulesOf(route).some((rule) => leadsTo(rule, name, form));
  const chosen = await chooseRoute(kube, question, { types: VIRTUAL_SERVICES, api: 'Istio', leads });
  if ('problems' in chosen) return unplanned(chosen.problems);
  const { route, service } = chosen;
  const { name } = service.metadata;
  const http = withoutArms(rulesOf(route), name, form);
  const subsets = http
    .flatMap((rule) => waysOf(rule, form))
    .filter((way) => form.serviceOf(way) === name)
    .flatMap((way) => textAt(way, 'destination', 'subset') || []);
  if (subsets.length > 0)
    return unplanned([
      {
        message: `${showRef(route)} leads to subsets of ${showRef(service)} (${[...new Set(subsets)].join(', ')}), of which the arms are none`,
        remedy: 'Let it lead to the Service itself (a destination without subset) while canaries run.',
      },
    ]);
  const own = { workload: wish.workload.metadata.name, plan: id };
  const type = { apiVersion: route.apiVersion, kind: 'DestinationRule' };
  const policies = ((await kube.resource(type)) === undefined ? [] : await kube.list({ ...type, namespace }))
    .filter((rule) => serviceOfHost(textAt(rule, 'spec', 'host'), namespace) === name)
    .filter((rule) => at(rule, 'spec', 'trafficPolicy') !== undefined);
  const others = ['tcp', 'tls'].filter((field) => at(route, 'spec', field) !== undefined);
  return {
    services: [service],
    objects: [...armServices(service, own), ...policies.flatMap((policy) => policiesLike(policy, name, own))],
    route: { ref: refOf(route), original: http },
    restore: [{ ref: refOf(route), patch: { spec: { http } } }],
    problems: [],
    notes: [
      ...gitOpsNotes(route),
      'no API tells when the last proxy of the mesh has new weights, which takes some seconds',
      ...others.map((field) => `the ${field} routes of ${showRef(route)} stay with the stable workload`),
    ],
  };
}

/** The arms' hosts are others, for which the traffic policy of the stable one would not hold. */
function policiesLike(
  policy: KubeObject,
  service: string,
  own: { workload: string; plan: string },
): readonly KubeObject[] {
  const { apiVersion, kind, metadata } = policy;
  const spec = at(policy, 'spec');
  const { subsets: _, ...kept } = isRecord(spec) ? spec : {};
  return arms.map((arm) => ({
    apiVersion,
    kind,
    metadata: ownMetadata(armName(metadata.name, arm), metadata.namespace ?? '', own),
    spec: { ...kept, host: hostOf(textAt(spec, 'host'), armName(service, arm)) },
  }));
}

/** Writes the HTTP routes; proxies follow by themselves. */
export function istioWriter(plan: TrafficPlan): RouteWriter {
  const { route, services } = plan;
  if (route === undefined) throw new RangeError('the plan has no route');
  const [service = ''] = services;
  const form = istioForm(plan.workload.namespace ?? '');
  const original = rulesAt({ rules: route.original }, 'rules');
  const write = async (
    kube: Kube,
    change: (rules: readonly RouteRule[]) => readonly RouteRule[],
  ): Promise<KubeObject | undefined> =>
    rewrite(kube, route.ref, (live) => {
      const http = change(withoutArms(rulesAt(live, 'spec', 'http'), service, form, original));
      return isDeepStrictEqual(http, at(live, 'spec', 'http')) ? undefined : { spec: { http } };
    });
  const plain = async (kube: Kube): Promise<void> => void (await write(kube, (rules) => rules));
  return {
    async move(kube, weights, signal) {
      signal.throwIfAborted();
      present(await write(kube, (rules) => splitRules(rules, service, weights, form)), route.ref);
    },
    takeBack: plain,
    end: plain,
  };
}
