import { type Problem, UserError } from '../action/errors.ts';
import { quote, text } from '../action/fields.ts';

/** What every action takes that speaks to a cluster. */
export const clusterInputs = {
  cluster: text({
    pattern: /[0-9A-Za-z][A-Za-z0-9_-]{0,99}/,
    allowed: 'the name of an EKS cluster: letters, digits, - and _',
  }),
  region: text({ pattern: /[a-z]{2,4}(-[a-z]+)+-\d/, allowed: 'an AWS region such as eu-central-1' }),
  'role-to-assume': text({
    pattern: /arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+/,
    allowed: 'a role ARN such as arn:aws:iam::123456789012:role/deploy',
  }),
  kubeconfig: text({ allowed: 'the path of a kubeconfig file' }),
  context: text({ allowed: 'the name of a context in the kubeconfig' }),
} as const;

/** What of the inputs decides the cluster. */
export interface ClusterInputs {
  readonly cluster: string;
  readonly region: string;
  readonly roleToAssume: string;
  readonly kubeconfig: string;
  readonly context: string;
  /** Of GitHub; where one is given, its variables are what is likely wrong. */
  readonly environment?: string;
}

/** Which cluster to speak to, and how. */
export type Target =
  | { readonly kind: 'eks'; readonly cluster: string; readonly region: string; readonly roleToAssume: string }
  | { readonly kind: 'kubeconfig'; readonly path: string; readonly context: string };

/**
 * Decides the cluster out of the inputs.
 * @throws UserError when neither or both of `cluster` and `kubeconfig` are given, or the region is unknown
 */
export function planTarget(inputs: ClusterInputs, env: Readonly<Record<string, string | undefined>>): Target {
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
function variable(name: string, { environment = '' }: ClusterInputs): string {
  if (environment === '') return '';
  return `. The workflow deploy-eks.yml takes it from the variable ${name}: is the environment ${quote(environment)} spelled as in Settings → Environments, and is the variable set there?`;
}
