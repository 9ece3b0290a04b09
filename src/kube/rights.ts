import { type Problem, UserError } from '../action/errors.ts';
import type { Document } from './document.ts';
import { type Denied, missingRight } from './errors.ts';
import { at } from './fields.ts';
import { type Kube, KubeError } from './kube.ts';
import { WORKLOADS } from './wait.ts';

type Wanted = Omit<Denied, 'verb'>;

/** What a deploy does to each kind beside applying it, whose refusal the dry run would not show. */
const FOLLOWING = ['get', 'list', 'watch'];

/** Verbs on a resource, whose subresource follows a slash: `pods/log`. */
export type Rule = Wanted & { readonly verbs: readonly string[] };

/** What tells why a workload fails: without it a deploy works, but fails late and has little to show. */
const EVIDENCE: readonly Rule[] = [
  { group: '', resource: 'pods', verbs: ['list', 'watch'] },
  { group: 'apps', resource: 'replicasets', verbs: ['list', 'watch'] },
  { group: '', resource: 'events', verbs: ['list', 'watch'] },
  { group: '', resource: 'pods/log', verbs: ['get'] },
];

/**
 * Asks the server whether the kinds of these documents may be read and watched, so that a deploy that could not be
 * awaited does not begin. Kinds that the server does not know yet are left out.
 * @param documents with their namespaces filled in
 * @returns what is lacking to find out why a workload fails
 * @throws UserError with the rule to add for each kind, at its first document
 */
export async function checkRights(kube: Kube, documents: readonly Document[]): Promise<readonly Problem[]> {
  const first = new Map<string, Document>();
  const namespaces = new Set<string>();
  for (const document of documents) {
    const { apiVersion, kind, metadata } = document.object;
    const key = JSON.stringify([apiVersion, kind, metadata.namespace]);
    if (!first.has(key)) first.set(key, document);
    if (WORKLOADS.has(kind) && metadata.namespace !== undefined) namespaces.add(metadata.namespace);
  }
  const [problems, lacking] = await Promise.all([
    Promise.all([...first.values()].map(async (document) => followingFault(kube, document))),
    Promise.all(
      [...namespaces].flatMap((namespace) =>
        EVIDENCE.map(async ({ verbs, ...wanted }) => faultOf(kube, verbs, { ...wanted, namespace })),
      ),
    ),
  ]);
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length > 0) throw UserError.all(found, 'the deployer may not follow what it would deploy');
  return lacking.filter((problem) => problem !== undefined);
}

/** What the caller may not do of these rules: one problem for each rule that is not met, with the rule to add. */
export async function lackingRights(kube: Kube, rules: readonly Rule[]): Promise<readonly Problem[]> {
  const faults = await Promise.all(rules.map(async ({ verbs, ...wanted }) => faultOf(kube, verbs, wanted)));
  return faults.filter((fault) => fault !== undefined);
}

async function followingFault(kube: Kube, { object, file, line }: Document): Promise<Problem | undefined> {
  const resource = await kube.resource(object);
  if (!resource) return undefined;
  const [group = ''] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : [];
  const { namespace } = object.metadata;
  const where = resource.namespaced && namespace !== undefined ? { namespace } : {};
  const fault = await faultOf(kube, FOLLOWING, { group, resource: resource.plural, ...where });
  return fault && { ...fault, place: { file, line } };
}

async function faultOf(kube: Kube, verbs: readonly string[], wanted: Wanted): Promise<Problem | undefined> {
  const allowed = await Promise.all(verbs.map(async (verb) => mayDo(kube, { ...wanted, verb })));
  const denied = verbs.filter((_, index) => allowed[index] === false);
  return denied.length === 0 ? undefined : missingRight(denied, wanted);
}

/** https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access */
async function mayDo(kube: Kube, { resource: name, ...wanted }: Denied): Promise<boolean> {
  const [resource, subresource] = name.split('/');
  try {
    const review = await kube.create({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      metadata: { name: '' },
      spec: { resourceAttributes: { ...wanted, resource, ...(subresource === undefined ? {} : { subresource }) } },
    });
    return at(review, 'status', 'allowed') === true;
  } catch (error) {
    // Whoever may not even ask finds out by trying.
    if (error instanceof KubeError && error.status !== 401 && error.reason !== 'Unreachable') return true;
    throw error;
  }
}
