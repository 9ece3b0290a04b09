import type { Rule } from '../kube/rights.ts';
import type { RoutedKind } from './plan.ts';

type Grant = Omit<Rule, 'namespace'>;

const MAKE = ['get', 'create', 'patch', 'delete'];

/** What every kind does: makes the arms, follows their pods and reads what lies beside them. */
const ARMS: readonly Grant[] = [
  { group: 'apps', resource: 'deployments', verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
  { group: 'apps', resource: 'replicasets', verbs: ['list', 'watch'] },
  { group: '', resource: 'pods', verbs: ['list', 'watch'] },
  { group: '', resource: 'events', verbs: ['list', 'watch'] },
  { group: 'discovery.k8s.io', resource: 'endpointslices', verbs: ['list', 'watch'] },
];

const SERVICES: Grant = { group: '', resource: 'services', verbs: ['get', 'list', 'create', 'patch', 'delete'] };

const BY_KIND: Readonly<Record<RoutedKind, readonly Grant[]>> = {
  replicas: [
    { group: '', resource: 'services', verbs: ['get', 'list'] },
    { group: '', resource: 'pods', verbs: ['patch'] },
    { group: 'apps', resource: 'replicasets', verbs: ['patch'] },
  ],
  'gateway-api': [
    SERVICES,
    { group: 'gateway.networking.k8s.io', resource: 'httproutes', verbs: ['get', 'list', 'patch'] },
  ],
  istio: [
    SERVICES,
    { group: 'networking.istio.io', resource: 'virtualservices', verbs: ['get', 'list', 'patch'] },
    { group: 'networking.istio.io', resource: 'destinationrules', verbs: ['list', ...MAKE] },
  ],
  nginx: [SERVICES, { group: 'networking.k8s.io', resource: 'ingresses', verbs: ['list', ...MAKE] }],
  alb: [
    SERVICES,
    { group: 'networking.k8s.io', resource: 'ingresses', verbs: ['get', 'list', 'patch'] },
    { group: 'elbv2.k8s.aws', resource: 'targetgroupbindings', verbs: ['list'] },
  ],
};

/** What a kind of traffic does in the workload's namespace, and no more: the rules of a Role. */
export function trafficRights(kind: RoutedKind): readonly Grant[] {
  const rules = new Map<string, Grant>();
  for (const grant of [...ARMS, ...BY_KIND[kind]]) {
    const key = `${grant.group}/${grant.resource}`;
    const verbs = [...new Set([...(rules.get(key)?.verbs ?? []), ...grant.verbs])];
    rules.set(key, { ...grant, verbs });
  }
  return [...rules.values()];
}

/** What is looked at for notes alone; a canary works without. */
export const SURROUNDINGS: readonly Grant[] = [
  { group: 'autoscaling', resource: 'horizontalpodautoscalers', verbs: ['list'] },
  { group: 'policy', resource: 'poddisruptionbudgets', verbs: ['list'] },
  { group: 'networking.k8s.io', resource: 'networkpolicies', verbs: ['list'] },
];

/** IAM actions that `alb` needs to verify what the load balancer does. */
export const ALB_ACTIONS: readonly string[] = [
  'elasticloadbalancing:DescribeLoadBalancers',
  'elasticloadbalancing:DescribeListeners',
  'elasticloadbalancing:DescribeRules',
  'elasticloadbalancing:DescribeTargetHealth',
];
