import { randomBytes } from 'node:crypto';
import { loadAll } from 'js-yaml';
import { connect } from '../../src/kube/client.ts';
import { numberAt } from '../../src/kube/fields.ts';
import type { Kube, KubeObject } from '../../src/kube/kube.ts';
import { readKubeconfig } from '../../src/kube/kubeconfig.ts';
import { controlOf } from '../lab/control.ts';
import type { LabFacts } from '../lab/part.ts';
import { environmentVariables } from '../lab/product.ts';
import { codeBlocks } from '../lab/readme.ts';

/** What a delivery needs of the lab. */
export const PARTS = ['registry', 'images', 'cluster', 'github', 'runner', 'aws'] as const;

/** A company that uses the product: what its platform team has set up once. */
export interface Company {
  readonly environments: readonly Environment[];
  /** Variables of the repository and of its environments, as the runner takes them. */
  readonly variables: Readonly<Record<string, string>>;
  readonly kube: Kube;
}

export interface Environment {
  readonly name: string;
  readonly namespace: string;
}

/**
 * Sets up what README.md says that a platform team does once, by the very documents that stand there: a role that
 * builds, a role that deploys, its access entry and its RBAC in a namespace for each environment.
 */
export async function setUpCompany(facts: LabFacts, names: readonly string[]): Promise<Company> {
  const { aws, cluster } = facts;
  if (!aws || !cluster) throw new Error('the lab gave no AWS or no cluster');
  const { server } = await readKubeconfig(cluster.kubeconfig, '');
  const kube = connect({ ...server, proxyEnv: {} });
  const run = randomBytes(3).toString('hex');
  const environments = names.map((name) => ({ name, namespace: `${name}-${run}` }));
  for (const { namespace } of environments) await admit(kube, namespace);

  const role = (name: string): string => `arn:aws:iam::${aws.accountId}:role/${name}`;
  const [build, deploy] = [role('build'), role('deploy')];
  const control = controlOf(aws.control);
  await control.set('users', { [deploy]: { groups: ['deployers'] } });
  await control.set('policy', {
    [build]: policyIn('actions/build-node/README.md', 'ecr:PutImage'),
    [deploy]: named(policyIn('README.md', 'eks:DescribeCluster'), cluster.name),
  });
  return {
    environments,
    kube,
    variables: {
      AWS_REGION: aws.region,
      AWS_BUILD_ROLE: build,
      ...Object.assign(
        {},
        ...environments.map(({ name, namespace }) =>
          environmentVariables(name, { AWS_ROLE: deploy, EKS_CLUSTER: cluster.name, NAMESPACE: namespace }),
        ),
      ),
    },
  };
}

/** Takes back what would be in the way of others who use the lab. */
export async function leaveCompany({ environments, kube }: Company, { aws }: LabFacts): Promise<void> {
  for (const { namespace } of environments) await kube.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
  if (!aws) return;
  for (const setting of ['users', 'policy']) await controlOf(aws.control).set(setting, null);
}

/** The namespace, with the Role and its binding as README.md has them. */
async function admit(kube: Kube, namespace: string): Promise<void> {
  const rules = codeBlocks('README.md', 'yaml').find((block) => block.includes('kind: RoleBinding'));
  if (rules === undefined) throw new Error('README.md shows no RoleBinding');
  const objects = loadAll(rules) as KubeObject[];
  const own: KubeObject[] = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...objects.map((object) => ({ ...object, metadata: { ...object.metadata, namespace } })),
  ];
  for (const object of own) await kube.apply(object, { fieldManager: 'platform-team' });
}

function policyIn(page: string, action: string): unknown {
  const block = codeBlocks(page, 'json').find((text) => text.includes(`"${action}"`));
  if (block === undefined) throw new Error(`${page} shows no policy with ${action}`);
  return JSON.parse(block);
}

/** The policy for this cluster in place of the one of the example. */
function named(policy: unknown, cluster: string): unknown {
  return JSON.parse(JSON.stringify(policy).replaceAll(':cluster/production', `:cluster/${cluster}`));
}

/** Where visitors reach a service of an environment: the NodePort stands in for the load balancer. */
export async function addressOf(
  { kube }: Company,
  { cluster }: LabFacts,
  namespace: string,
  name = 'tracking-api',
): Promise<string> {
  const service = await kube.get({ apiVersion: 'v1', kind: 'Service', namespace, name });
  const port = numberAt(service, 'spec', 'ports', 0, 'nodePort');
  if (port === undefined) throw new Error(`${name} has no NodePort in ${namespace}`);
  return `http://${cluster?.nodeAddress ?? '127.0.0.1'}:${port}`;
}
