import type { Problem } from '../action/errors.ts';
import { bothArms } from '../arms/labels.ts';
import { ARMS_MANAGER } from '../arms/manifest.ts';
import { podsByLoad } from '../arms/pods.ts';
import { at, isRecord, textAt } from '../kube/fields.ts';
import { type Kube, KubeError, type KubeObject, refOf, showRef } from '../kube/kube.ts';
import { ownMetadata, serviceLike } from './arm-services.ts';
import { chooseRoute, unplanned } from './choose.ts';
import { classFaults } from './ingress-class.ts';
import type { PlannedRoute, RouteQuestion } from './kinds.ts';
import type { TrafficPlan } from './plan.ts';
import type { Weights } from './router.ts';
import type { RouteWriter } from './routed.ts';
import { rulesAt } from './split.ts';
import { gitOpsNotes } from './surroundings.ts';

const INGRESS = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' };
const PREFIX = 'nginx.ingress.kubernetes.io/';
const CANARY = `${PREFIX}canary`;
const WEIGHT = `${PREFIX}canary-weight`;
/** What a canary Ingress does not take over from the main one (ingress-nginx, "Canary" of its annotations). */
const OWN_ANNOTATIONS =
  /^nginx\.ingress\.kubernetes\.io\/(load-balance|upstream-hash-by|affinity.*|session-cookie-.*)$/;

/** Whether any path of an Ingress that is no canary itself leads to a Service. */
function leads(ingress: KubeObject, service: string): boolean {
  return !isCanary(ingress) && rulesTo(ingress, service, service).length > 0;
}

function isCanary(ingress: KubeObject): boolean {
  return ingress.metadata.annotations?.[CANARY] === 'true';
}

/** The rules of an Ingress with those paths alone that lead to a Service, led to another one. */
function rulesTo(ingress: KubeObject, service: string, other: string): readonly object[] {
  return rulesAt(ingress, 'spec', 'rules').flatMap((rule) => {
    const paths = rulesAt(rule, 'http', 'paths').filter((one) => textAt(one, 'backend', 'service', 'name') === service);
    if (paths.length === 0) return [];
    const led = paths.map((one) => {
      const backend = at(one, 'backend', 'service');
      return { ...one, backend: { service: { ...(isRecord(backend) ? backend : {}), name: other } } };
    });
    return [{ ...rule, http: { paths: led } }];
  });
}

/**
 * A canary Ingress beside the main one. ingress-nginx knows one canary for a host and path, so both arms stand behind
 * one Service, which asks each of their pods equally often: they share the weight as their pods are shared.
 */
export async function planNginx(kube: Kube, question: RouteQuestion): Promise<PlannedRoute> {
  const { wish, id } = question;
  const { namespace } = wish;
  const chosen = await chooseRoute(kube, question, { types: [INGRESS], api: 'Ingress', leads });
  if ('problems' in chosen) return unplanned(chosen.problems);
  const { route, service } = chosen;
  const workload = wish.workload.metadata.name;
  const name = armsName(service.metadata.name);
  const canary = armsName(route.metadata.name);
  const annotations = Object.fromEntries(
    Object.entries(route.metadata.annotations ?? {}).filter(
      ([key]) => OWN_ANNOTATIONS.test(key) || key === 'kubernetes.io/ingress.class',
    ),
  );
  const own = { workload, plan: id };
  const metadata = ownMetadata(canary, namespace, own);
  const className = textAt(route, 'spec', 'ingressClassName');
  const ingress: KubeObject = {
    ...INGRESS,
    metadata: {
      ...metadata,
      annotations: { ...annotations, ...metadata.annotations, [CANARY]: 'true', [WEIGHT]: '0' },
    },
    spec: {
      ...(className !== '' && { ingressClassName: className }),
      rules: rulesTo(route, service.metadata.name, name),
    },
  };
  return {
    services: [service],
    objects: [serviceLike(service, name, bothArms(workload), own), ingress],
    route: { ref: refOf(ingress), original: null },
    restore: [{ ref: refOf(ingress), patch: { metadata: { annotations: { [WEIGHT]: '0' } } } }],
    problems: [
      ...(await classFaults(kube, route, { controller: 'k8s.io/ingress-nginx', kind: 'nginx' })),
      ...(await otherCanaries(kube, route, canary)),
    ],
    notes: [
      ...gitOpsNotes(route),
      'ingress-nginx takes one canary for a host: both arms share one weight, by the number of their pods',
      'no API tells when nginx has new weights, which takes some seconds',
    ],
  };
}

function armsName(name: string): string {
  return `${name}-arms`;
}

async function otherCanaries(kube: Kube, route: KubeObject, own: string): Promise<readonly Problem[]> {
  const { namespace = '' } = route.metadata;
  const hosts = new Set(rulesAt(route, 'spec', 'rules').map((rule) => textAt(rule, 'host')));
  const all = await kube.list({ ...INGRESS, namespace });
  return all
    .filter((one) => isCanary(one) && one.metadata.name !== own)
    .filter((one) => rulesAt(one, 'spec', 'rules').some((rule) => hosts.has(textAt(rule, 'host'))))
    .map((one) => ({
      message: `${showRef(one)} is a canary for a host of ${showRef(route)} already, and ingress-nginx takes only one`,
      remedy: 'Delete it, or wait until that canary is over.',
    }));
}

/** Percent as the annotation has it: whole ones, and one at least for who is to get requests. */
function weightOf({ canary, baseline }: Weights): number {
  const both = canary + baseline;
  return both > 0 ? Math.min(100, Math.max(1, Math.round(both))) : 0;
}

/** The shares that weights come to beside so many stable pods. */
export function nginxShares(weights: Weights, stable: number): Weights {
  const { canary, baseline } = podsByLoad(weights, stable);
  const all = canary + baseline;
  const weight = weightOf(weights);
  return all === 0
    ? { canary: 0, baseline: 0 }
    : { canary: (weight * canary) / all, baseline: (weight * baseline) / all };
}

/** Writes the one weight of both arms. */
export function nginxWriter(plan: TrafficPlan): RouteWriter {
  const { route } = plan;
  if (route === undefined) throw new RangeError('the plan has no route');
  const weigh = async (kube: Kube, percent: number): Promise<void> => {
    const patch = { metadata: { annotations: { [WEIGHT]: String(percent) } } };
    await kube.patch(route.ref, patch, { fieldManager: ARMS_MANAGER });
  };
  const setToNothing = async (kube: Kube): Promise<void> =>
    weigh(kube, 0).catch((error: unknown) => {
      // What is gone gives nobody requests.
      if (!(error instanceof KubeError && error.status === 404)) throw error;
    });
  return {
    async move(kube, weights, signal) {
      signal.throwIfAborted();
      await weigh(kube, weightOf(weights));
    },
    takeBack: setToNothing,
    end: setToNothing,
  };
}
