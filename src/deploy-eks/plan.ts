import { type Problem, UserError } from '../action/errors.ts';
import { quote } from '../action/fields.ts';
import type { RunInfo } from '../action/host.ts';
import type { KubeObject } from '../kube/kube.ts';
import { ORIGIN } from '../kube/tree.ts';
import type { DeployInputs } from './inputs.ts';

/** Which cluster to speak to, and how. */
export type Target =
  | { readonly kind: 'eks'; readonly cluster: string; readonly region: string; readonly roleToAssume: string }
  | { readonly kind: 'kubeconfig'; readonly path: string; readonly context: string };

/**
 * Decides the cluster out of the inputs.
 * @throws UserError when neither or both of `cluster` and `kubeconfig` are given, or the region is unknown
 */
export function planTarget(inputs: DeployInputs, env: Readonly<Record<string, string | undefined>>): Target {
  const problems: Problem[] = [];
  const region = inputs.region || env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || '';
  if (inputs.cluster && inputs.kubeconfig) {
    problems.push({
      message: 'inputs cluster and kubeconfig are both given',
      remedy: 'give cluster for EKS, or kubeconfig for another cluster',
    });
  }
  if (!inputs.cluster && !inputs.kubeconfig) {
    problems.push({
      message: 'input cluster is missing',
      remedy: `give the name of the EKS cluster, or kubeconfig for another cluster${variable('EKS_CLUSTER', inputs)}`,
    });
  }
  if (inputs.cluster && !region) {
    problems.push({
      message: 'input region is missing',
      remedy: `give the AWS region of the cluster, such as eu-central-1${variable('AWS_REGION', inputs)}`,
    });
  }
  if (inputs.context && !inputs.kubeconfig) {
    problems.push({
      message: 'input context is given without kubeconfig',
      remedy: 'give kubeconfig too, or leave context out',
    });
  }
  if (problems.length > 0) throw UserError.all(problems, 'the cluster is not clear');
  if (inputs.kubeconfig) return { kind: 'kubeconfig', path: inputs.kubeconfig, context: inputs.context };
  return { kind: 'eks', cluster: inputs.cluster, region, roleToAssume: inputs.roleToAssume };
}

/** A team that only writes an environment's name never sees the inputs, which a reusable workflow fills in. */
function variable(name: string, { environment }: DeployInputs): string {
  if (environment === '') return '';
  return `. The workflow deploy-eks.yml takes it from the variable ${name}: is the environment ${quote(environment)} spelled as in Settings → Environments, and is the variable set there?`;
}

/** Production refuses images without a digest unless told otherwise. */
export function digestRequired(inputs: DeployInputs): boolean {
  return inputs.requireDigest ?? inputs.environment.toLowerCase() === 'production';
}

/**
 * Notes on an object where it came from. The notes stand on the object itself and never on its pod template, so a new
 * commit alone restarts nothing.
 */
export function withOrigin(object: KubeObject, info: RunInfo): KubeObject {
  const notes = Object.entries({
    commit: info.sha,
    run: info.runUrl,
    actor: info.actor,
    repository: info.repository,
  }).filter(([, value]) => value !== '');
  const annotations = Object.fromEntries(notes.map(([name, value]) => [`${ORIGIN}${name}`, value]));
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...annotations } },
  };
}
