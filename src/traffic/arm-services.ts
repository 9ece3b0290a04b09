import { type Labels, WORKLOAD_LABEL, armLabels, armName, arms } from '../arms/labels.ts';
import { PLAN_ANNOTATION } from '../arms/manifest.ts';
import { at, isRecord, itemsAt, textAt } from '../kube/fields.ts';
import type { KubeObject } from '../kube/kube.ts';

const LIKE_STABLE = new Set(['sessionAffinity', 'sessionAffinityConfig', 'ipFamilies', 'ipFamilyPolicy']);

interface Own {
  readonly workload: string;
  readonly plan: string;
  /** The stable Service is reached by a port of the nodes. */
  readonly byNode?: boolean;
}

/** What objects made for a canary are known by. */
export function ownMetadata(name: string, namespace: string, { workload, plan }: Own): KubeObject['metadata'] {
  return {
    name,
    namespace,
    labels: { 'app.kubernetes.io/managed-by': 'delivery-actions', [WORKLOAD_LABEL]: workload },
    annotations: { [PLAN_ANNOTATION]: plan },
  };
}

/** A Service with the ports of the stable one that sends requests to other pods. */
export function serviceLike(stable: KubeObject, name: string, selector: Labels, own: Own): KubeObject {
  const spec = at(stable, 'spec');
  const same = isRecord(spec) ? Object.entries(spec).filter(([field]) => LIKE_STABLE.has(field)) : [];
  const type = own.byNode === true && textAt(spec, 'type') !== 'ClusterIP' ? 'NodePort' : 'ClusterIP';
  const ports = itemsAt(spec, 'ports')
    .filter(isRecord)
    .map((port) => Object.fromEntries(Object.entries(port).filter(([field]) => field !== 'nodePort')));
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: ownMetadata(name, stable.metadata.namespace ?? '', own),
    spec: {
      ...Object.fromEntries(same),
      type,
      ...(textAt(spec, 'clusterIP') === 'None' && { clusterIP: 'None' }),
      ports,
      selector,
    },
  };
}

/** `<service>-canary` and `<service>-baseline`. */
export function armServices(stable: KubeObject, own: Own): readonly KubeObject[] {
  return arms.map((arm) => serviceLike(stable, armName(stable.metadata.name, arm), armLabels(own.workload, arm), own));
}
