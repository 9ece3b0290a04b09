import type { Problem } from '../action/errors.ts';
import { type Labels, TRACK_LABEL, labelsAt, selects, templateLabels } from '../arms/labels.ts';
import { textAt } from '../kube/fields.ts';
import { type Kube, type KubeObject, showRef } from '../kube/kube.ts';
import { isOwnedBy } from '../kube/revision.ts';

export interface FoundServices {
  /** The Services whose requests the workload answers; the one that was named, where one was. */
  readonly services: readonly KubeObject[];
  /** All others of the namespace. */
  readonly others: readonly KubeObject[];
  readonly problems: readonly Problem[];
}

/** The Services that send requests to a workload's pods, and why they can't serve a canary. */
export async function findServices(
  kube: Kube,
  workload: KubeObject,
  named: string | undefined,
): Promise<FoundServices> {
  const { namespace = '' } = workload.metadata;
  const all = await kube.list({ apiVersion: 'v1', kind: 'Service', namespace });
  const labels = templateLabels(workload);
  const selecting = all.filter(
    (service) => textAt(service, 'spec', 'type') !== 'ExternalName' && selects(selectorOf(service), labels),
  );
  const services = named === undefined ? selecting : selecting.filter(({ metadata }) => metadata.name === named);
  const others = all.filter((service) => !services.includes(service));
  if (services.length > 0) return { services, others, problems: [] };
  const known = selecting.map(({ metadata }) => metadata.name).join(', ');
  if (named === undefined) {
    const problem = {
      message: `no Service of namespace ${namespace} selects the pods of ${showRef(workload)}`,
      remedy: `Give a Service the labels of its pods as selector: ${Object.entries(labels)
        .map(([name, value]) => `${name}: ${value}`)
        .join(', ')}.`,
    };
    return { services, others, problems: [problem] };
  }
  return { services, others, problems: [namedFault(named, all, workload, known)] };
}

/** @param known names of those that select the workload's pods */
function namedFault(named: string, all: readonly KubeObject[], workload: KubeObject, known: string): Problem {
  const remedy = known === '' ? undefined : `Those that do: ${known}.`;
  const found = all.find(({ metadata }) => metadata.name === named);
  const subject = `Service/${named}`;
  if (found === undefined) {
    const names = all.map(({ metadata }) => metadata.name).slice(0, 10);
    return {
      message: `there is no ${subject} in namespace ${workload.metadata.namespace ?? ''}`,
      remedy: remedy ?? `There are: ${names.join(', ') || 'none'}.`,
    };
  }
  if (textAt(found, 'spec', 'type') === 'ExternalName')
    return { message: `${subject} is an ExternalName and sends requests to no pods`, ...(remedy && { remedy }) };
  const without = Object.keys(selectorOf(found)).length === 0;
  return {
    message: without
      ? `${subject} has no selector: what it sends requests to is none of this workload's business`
      : `${subject} does not select the pods of ${showRef(workload)}`,
    ...(remedy && { remedy }),
  };
}

export function selectorOf(service: KubeObject): Labels {
  return labelsAt(service, 'spec', 'selector');
}

/** The labels that these Services select, all together. */
export function selectedLabels(services: readonly KubeObject[]): Labels {
  return Object.assign({}, ...services.map(selectorOf)) as Labels;
}

/** Pods that the Services send requests to and that are neither the workload's nor an arm's: shares would be wrong. */
export async function strangers(
  kube: Kube,
  workload: KubeObject,
  services: readonly KubeObject[],
): Promise<readonly Problem[]> {
  const { namespace = '' } = workload.metadata;
  const [pods, sets] = await Promise.all([
    kube.list({ apiVersion: 'v1', kind: 'Pod', namespace }),
    kube.list({ apiVersion: 'apps/v1', kind: 'ReplicaSet', namespace }),
  ]);
  const own = sets.filter((set) => isOwnedBy(set, workload));
  const strange = pods.filter(
    (pod) =>
      services.some((service) => selects(selectorOf(service), labelsAt(pod, 'metadata', 'labels'))) &&
      !own.some((set) => isOwnedBy(pod, set)) &&
      !['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase')) &&
      labelsAt(pod, 'metadata', 'labels')[TRACK_LABEL] === undefined,
  );
  if (strange.length === 0) return [];
  const names = strange.map(({ metadata }) => metadata.name);
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return [
    {
      message: `the selector of ${services.map(showRef).join(', ')} also matches pods that are not of ${showRef(workload)}: ${names.slice(0, 3).join(', ')}${more}`,
      remedy:
        'Give the Service a label that only the pods of this workload have; until then no share of its requests can be told.',
    },
  ];
}
