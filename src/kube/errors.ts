import { type Place, type Problem, UserError } from '../action/errors.ts';
import type { KubeError } from './kube.ts';
import { isCertificateFault } from './status.ts';

/** What was being done, for words that help. */
export interface ErrorContext {
  /** Name of the EKS cluster, when it is one. */
  readonly cluster?: string;
  /** ARN of the role that asked. */
  readonly role?: string;
  /** Where the object in question stands. */
  readonly place?: Place;
  /** Words before the server's own, such as `Deployment/api`. */
  readonly subject?: string;
}

/** A request that RBAC turned away. */
export interface Denied {
  readonly verb: string;
  readonly resource: string;
  readonly group: string;
  readonly namespace?: string;
}

/** What a KubeError means for the user and what mends it. */
export function explainKubeError(error: KubeError, context: ErrorContext = {}): UserError {
  const { subject, place } = context;
  const details = { cause: error, ...(place ? { place } : {}) };
  if (error.status === 401) {
    return new UserError(`the cluster does not accept the credentials: ${error.message}`, {
      ...details,
      remedy: accessRemedy(context),
    });
  }
  if (error.reason === 'Unreachable') {
    return new UserError(`the API server can't be reached: ${error.message}`, {
      ...details,
      remedy: isCertificateFault(error)
        ? 'the CA of the cluster or kubeconfig is not the one that signed the certificate'
        : 'check that this runner may reach the endpoint: public access and its CIDR list, or a runner inside the VPC',
    });
  }
  const said = subject ? `${subject}: ${error.message}` : error.message;
  const denied = error.status === 403 ? readDenied(error.message) : undefined;
  if (denied) return new UserError(said, { ...details, remedy: ruleFor(denied) });
  if (error.status === 409) {
    return new UserError(said, {
      ...details,
      remedy: 'another field manager owns these fields: leave them out of the manifest, or take them from that manager',
    });
  }
  return new UserError(said, details);
}

/** Reads verb, resource and namespace from RBAC's sentence (k8s.io/apiserver, responsewriters.ForbiddenMessage). */
export function readDenied(message: string): Denied | undefined {
  const match =
    /cannot (\S+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)"| at the cluster scope)?/.exec(
      message,
    );
  if (!match) return undefined;
  const [, verb = '', resource = '', group = '', namespace] = match;
  return { verb, resource, group, ...(namespace === undefined ? {} : { namespace }) };
}

/** What is said when a kind may not be read, before anything was tried. */
export function missingRight(verbs: readonly string[], wanted: Omit<Denied, 'verb'>): Problem {
  const { group, resource, namespace } = wanted;
  const kind = group === '' ? resource : `${resource}.${group}`;
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace ${namespace}`;
  return {
    message: `RBAC does not let the deployer ${verbs.join(', ')} ${kind} ${where}`,
    remedy: ruleOf(verbs, wanted),
  };
}

function ruleFor(denied: Denied): string {
  // Server-side apply patches what is there and creates what is not.
  return ruleOf(['patch', 'create'].includes(denied.verb) ? ['get', 'create', 'patch'] : [denied.verb], denied);
}

function ruleOf(verbs: readonly string[], { resource, group, namespace }: Omit<Denied, 'verb'>): string {
  return [
    `add this rule to a ${namespace === undefined ? 'ClusterRole' : `Role in namespace ${namespace}`} of the deployer:`,
    `- apiGroups: [${JSON.stringify(group)}]`,
    `  resources: [${JSON.stringify(resource)}]`,
    `  verbs: ${JSON.stringify(verbs)}`,
  ].join('\n');
}

function accessRemedy({ cluster, role }: ErrorContext): string {
  if (cluster === undefined) return 'check the token or client certificate of the kubeconfig';
  const entry = `aws eks create-access-entry --cluster-name ${cluster} --principal-arn ${role ?? '<role ARN>'}`;
  const given = `give the role an access entry: ${entry}, and bind RBAC or an access policy to it`;
  return role === undefined
    ? `set role-to-assume, whose credentials are renewed, if those of the environment have run out; else ${given}`
    : given;
}
