import { setTimeout as sleep } from 'node:timers/promises';
import type { Kube, KubeObject } from '../../src/kube/kube.ts';

interface Wanted {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  /** Schema of `spec`: the few fields that are read and written here. */
  readonly spec: object;
}

const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const text = { type: 'string' };
const whole = { type: 'integer', format: 'int32', minimum: 0, maximum: 1_000_000 };
const listOf = (properties: object): object => ({ type: 'array', items: { type: 'object', properties } });

const kinds: readonly Wanted[] = [
  {
    group: 'gateway.networking.k8s.io',
    version: 'v1',
    kind: 'HTTPRoute',
    plural: 'httproutes',
    spec: {
      parentRefs: { type: 'array', items: anything },
      hostnames: { type: 'array', items: text },
      rules: listOf({
        matches: { type: 'array', items: anything },
        backendRefs: listOf({ name: text, namespace: text, kind: text, group: text, port: whole, weight: whole }),
      }),
    },
  },
  {
    group: 'networking.istio.io',
    version: 'v1',
    kind: 'VirtualService',
    plural: 'virtualservices',
    spec: {
      hosts: { type: 'array', items: text },
      http: listOf({
        match: { type: 'array', items: anything },
        route: listOf({ destination: anything, weight: whole, headers: anything }),
      }),
    },
  },
  {
    group: 'networking.istio.io',
    version: 'v1',
    kind: 'DestinationRule',
    plural: 'destinationrules',
    spec: { host: text, trafficPolicy: anything, subsets: { type: 'array', items: anything } },
  },
  {
    group: 'elbv2.k8s.aws',
    version: 'v1beta1',
    kind: 'TargetGroupBinding',
    plural: 'targetgroupbindings',
    spec: { targetGroupARN: text, targetType: text, serviceRef: anything },
  },
];

/** Brings the kinds of the routers' own APIs to the cluster, each with a schema of what is used of it. */
export async function installKinds(kube: Kube): Promise<void> {
  for (const wanted of kinds) await kube.apply(definition(wanted), { fieldManager: 'lab', force: true });
  for (const { group, version, kind } of kinds) {
    while ((await kube.resource({ apiVersion: `${group}/${version}`, kind })) === undefined) await sleep(200);
  }
}

function definition({ group, version, kind, plural, spec }: Wanted): KubeObject {
  const openAPIV3Schema = {
    type: 'object',
    properties: { spec: { type: 'object', properties: spec }, status: anything },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, annotations: { 'api-approved.kubernetes.io': 'unapproved, of a test' } },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [
        { name: version, served: true, storage: true, subresources: { status: {} }, schema: { openAPIV3Schema } },
      ],
    },
  };
}
