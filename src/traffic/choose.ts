import type { Problem } from '../action/errors.ts';
import { type Kube, type KubeObject, type TypeRef, showRef } from '../kube/kube.ts';
import type { PlannedRoute, RouteQuestion } from './kinds.ts';

export interface ChosenRoute {
  readonly route: KubeObject;
  readonly service: KubeObject;
}

interface Choice {
  readonly types: readonly TypeRef[];
  /** What serves this API, for who lacks it: `Gateway API`. */
  readonly api: string;
  readonly leads: (route: KubeObject, service: string) => boolean;
}

/** The one route that leads to the workload's Service; every reason why there is not just one. */
export async function chooseRoute(
  kube: Kube,
  { wish, services }: RouteQuestion,
  { types, api, leads }: Choice,
): Promise<ChosenRoute | { readonly problems: readonly Problem[] }> {
  const served = await Promise.all(types.map(async (type) => kube.resource(type)));
  const type = served.find((one) => one !== undefined);
  const [{ kind, apiVersion } = { kind: '', apiVersion: '' }] = types;
  if (type === undefined)
    return one(
      `the cluster does not serve ${kind} of ${apiVersion}: ${api} is not installed`,
      'Take traffic: replicas, which works everywhere.',
    );
  if (services.length === 0) return { problems: [] };
  const { namespace, route: named } = wish;
  const all = await kube.list({ apiVersion: type.apiVersion, kind: type.kind, namespace });
  const leading = all.flatMap((route) =>
    services.filter(({ metadata }) => leads(route, metadata.name)).map((service) => ({ route, service })),
  );
  const chosen = leading.filter(({ route }) => named === undefined || route.metadata.name === named);
  const names = services.map(showRef).join(' or ');
  const [first, second] = chosen;
  if (first === undefined) {
    const known = [...new Set(leading.map(({ route }) => route.metadata.name))].join(', ');
    if (named === undefined) return one(`no ${kind} of namespace ${namespace} leads to ${names}`);
    const there = all.some(({ metadata }) => metadata.name === named);
    return one(
      there ? `${kind}/${named} does not lead to ${names}` : `there is no ${kind}/${named} in namespace ${namespace}`,
      `Those that lead to it: ${known || 'none'}.`,
    );
  }
  if (second === undefined) return first;
  if (chosen.every(({ route }) => route === first.route))
    return one(
      `${showRef(first.route)} leads to the same pods by several Services: ${chosen.map(({ service }) => service.metadata.name).join(', ')}`,
      'Say which by the input service.',
    );
  return one(
    `several of kind ${kind} lead to ${names}: ${[...new Set(chosen.map(({ route }) => route.metadata.name))].join(', ')}`,
    'Say which by the input route; by the others the canary gets no requests.',
  );
}

function one(message: string, remedy?: string): { readonly problems: readonly Problem[] } {
  return { problems: [{ message, ...(remedy !== undefined && { remedy }) }] };
}

/** A plan of nothing but problems. */
export function unplanned(problems: readonly Problem[]): PlannedRoute {
  return { services: [], objects: [], restore: [], problems, notes: [] };
}
