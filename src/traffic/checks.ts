import type { Problem } from '../action/errors.ts';
import { type Labels, TRACK_LABEL, WORKLOAD_LABEL, templateLabels } from '../arms/labels.ts';
import { at, numberAt } from '../kube/fields.ts';
import { type Kube, type KubeObject, refOf, showRef } from '../kube/kube.ts';
import { distance } from '../kube/near.ts';
import { readiness } from '../kube/readiness/readiness.ts';
import { podSpecPath } from '../kube/pod-spec.ts';
import type { TrafficWish } from './plan.ts';

/** `-baseline` has to fit into the 63 characters of a label's value and of a Service's name. */
const LONGEST_NAME = 63 - '-baseline'.length;

/** The stable Deployment as it is now, and why no canary can start beside it. */
export async function findWorkload(
  kube: Kube,
  { workload, namespace }: TrafficWish,
): Promise<{ readonly live?: KubeObject; readonly problems: readonly Problem[] }> {
  const subject = showRef(workload);
  if (workload.kind !== 'Deployment')
    return { problems: [{ message: `${subject} is no Deployment: only those have canaries of this kind of traffic` }] };
  const live = await kube.get({ ...refOf(workload), namespace });
  if (live === undefined) {
    const all = await kube.list({ apiVersion: 'apps/v1', kind: 'Deployment', namespace });
    const { name } = workload.metadata;
    const names = all
      .map(({ metadata }) => metadata.name)
      .toSorted((a, b) => distance(a, name) - distance(b, name))
      .slice(0, 5);
    return {
      problems: [
        {
          message: `there is no ${subject} in namespace ${namespace}`,
          remedy: `There are: ${names.join(', ') || 'none'}. The first release of a service is a deploy, not a canary.`,
        },
      ],
    };
  }
  return { live, problems: workloadFaults(live) };
}

function workloadFaults(live: KubeObject): readonly Problem[] {
  const subject = showRef(live);
  const { name } = live.metadata;
  const problems: Problem[] = [];
  if (name.length > LONGEST_NAME)
    problems.push({
      message: `the name of ${subject} is longer than ${LONGEST_NAME} characters, which labels and names of the arms need`,
    });
  if (at(live, 'spec', 'paused') === true)
    problems.push({
      message: `${subject} is paused`,
      remedy: `kubectl rollout resume deployment/${name} lets it go on.`,
    });
  if ((numberAt(live, 'spec', 'replicas') ?? 1) === 0)
    problems.push({ message: `${subject} has no pods (spec.replicas is 0), so there is nothing to compare with` });
  const taken = [WORKLOAD_LABEL, TRACK_LABEL].filter((label) => label in templateLabels(live));
  if (taken.length > 0)
    problems.push({
      message: `the pods of ${subject} have the labels ${taken.join(' and ')}, by which an arm's selector would match both sides`,
      remedy: 'Take these labels out of the manifest: they are those of canary and baseline.',
    });
  const { state, message } = readiness(live, Date.now());
  if (state !== 'current' && at(live, 'spec', 'paused') !== true)
    problems.push({
      message: `${subject} does not serve as it should before the canary begins: ${message}`,
      remedy: 'Wait until its rollout is over, or mend or roll it back first.',
    });
  return problems;
}

/** Why the new manifest can't be compared with what runs. */
export function candidateFaults({ candidate }: TrafficWish, live: KubeObject, served: Labels): readonly Problem[] {
  const subject = `the manifest of ${showRef(candidate)}`;
  if (candidate.kind !== live.kind || candidate.metadata.name !== live.metadata.name)
    return [{ message: `${subject} is not that of ${showRef(live)}` }];
  if (at(candidate, ...(podSpecPath('Deployment') ?? []), 'containers') === undefined)
    return [{ message: `${subject} has no containers in spec.template.spec` }];
  const labels = templateLabels(candidate);
  const missing = Object.entries(served).filter(([name, value]) => labels[name] !== value);
  if (missing.length === 0) return [];
  const wanted = missing.map(([name, value]) => `${name}: ${value}`).join(', ');
  return [
    {
      message: `the pods of ${subject} lack the labels that the Service selects (${wanted}): promoted, it would get no requests`,
      remedy: 'Give spec.template.metadata.labels these labels.',
    },
  ];
}

/** What stands already where something is to be made. */
export async function takenNames(
  kube: Kube,
  live: KubeObject,
  wanted: readonly KubeObject[],
): Promise<{ readonly problems: readonly Problem[]; readonly notes: readonly string[] }> {
  const found = await Promise.all(wanted.map(async (one) => kube.get(refOf(one))));
  const problems: Problem[] = [];
  const notes: string[] = [];
  for (const one of found.filter((one) => one !== undefined)) {
    if (one.metadata.labels?.[WORKLOAD_LABEL] === live.metadata.name)
      notes.push(`${showRef(one)} is left of an earlier canary: it is used again`);
    else
      problems.push({
        message: `${showRef(one)} exists and was not made by a canary of ${showRef(live)}`,
        remedy: 'Rename or delete it: the canary needs this name.',
      });
  }
  return { problems, notes };
}
