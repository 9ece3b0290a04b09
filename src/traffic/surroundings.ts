import { type Labels, selects, takes, templateLabels } from '../arms/labels.ts';
import type { Problem } from '../action/errors.ts';
import { at, itemsAt, textAt } from '../kube/fields.ts';
import { type Kube, KubeError, type KubeObject, type TypeRef, showRef } from '../kube/kube.ts';
import { selectorOf } from './services.ts';

export interface Surroundings {
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

/** What else knows the workload's pods by their labels, and what the arms' pods mean to it. */
export async function lookAround(
  kube: Kube,
  { workload, armLabels, others }: { workload: KubeObject; armLabels: Labels; others: readonly KubeObject[] },
): Promise<Surroundings> {
  const { namespace = '' } = workload.metadata;
  const list = async (type: TypeRef): Promise<readonly KubeObject[]> =>
    kube.list({ ...type, namespace }).catch((error: unknown) => {
      if (error instanceof KubeError && (error.status === 403 || error.status === 404)) return [];
      throw error;
    });
  const [scalers, budgets, policies] = await Promise.all([
    list({ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' }),
    list({ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' }),
    list({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' }),
  ]);
  const labels = templateLabels(workload);
  const notes = [
    ...scalers.filter((one) => scales(one, workload)).map((one) => scalerNote(one, workload, armLabels)),
    ...budgets
      .filter((one) => takes(at(one, 'spec', 'selector'), labels) && takes(at(one, 'spec', 'selector'), armLabels))
      .map((one) => `${showRef(one)} counts the pods of both arms too, so it lets more of the stable ones be evicted`),
    ...policies
      .filter(
        (one) => takes(at(one, 'spec', 'podSelector'), labels) !== takes(at(one, 'spec', 'podSelector'), armLabels),
      )
      .map((one) => `${showRef(one)} is in force for the stable pods but not for the arms, whose labels differ`),
    ...others
      .filter((one) => selects(selectorOf(one), armLabels))
      .map((one) => `${showRef(one)} sends requests to the arms' pods too, by their number and not by the weights`),
    ...imageNotes(workload),
    ...placeNotes(workload),
  ];
  return { problems: strategyFaults(workload), notes };
}

function scales(scaler: KubeObject, workload: KubeObject): boolean {
  const target = (field: string): string => textAt(scaler, 'spec', 'scaleTargetRef', field);
  return target('kind') === workload.kind && target('name') === workload.metadata.name;
}

function scalerNote(scaler: KubeObject, workload: KubeObject, armLabels: Labels): string {
  const counted = takes(at(workload, 'spec', 'selector'), armLabels)
    ? '; it counts the arms too, by their labels, and so keeps rather more pods than fewer'
    : '';
  return `${showRef(scaler)} decides the number of stable pods: at each step the arms follow the number there is then, and no share is moved by it between steps${counted}`;
}

function strategyFaults(workload: KubeObject): readonly Problem[] {
  if (textAt(workload, 'spec', 'strategy', 'type') !== 'Recreate') return [];
  return [
    {
      message: `${showRef(workload)} has the strategy Recreate, which says that two versions must not run at the same time; a canary runs both`,
      remedy: 'Set strategy.type to RollingUpdate if they may, or deploy it with deploy-eks.',
    },
  ];
}

/** A tag may name another image by now than the one that the stable pods have run since they started. */
function imageNotes(workload: KubeObject): readonly string[] {
  return itemsAt(workload, 'spec', 'template', 'spec', 'containers')
    .map((container) => textAt(container, 'image'))
    .filter((image) => !image.includes('@'))
    .map((image) => `the image ${image} of the stable pods has no digest: the baseline runs what its tag names now`);
}

/** What may keep pods beside the stable ones from finding a node. */
function placeNotes(workload: KubeObject): readonly string[] {
  const pod = at(workload, 'spec', 'template', 'spec');
  const apart =
    itemsAt(pod, 'affinity', 'podAntiAffinity', 'requiredDuringSchedulingIgnoredDuringExecution').length > 0;
  const spread = itemsAt(pod, 'topologySpreadConstraints').some(
    (one) => textAt(one, 'whenUnsatisfiable') === 'DoNotSchedule',
  );
  const ports = itemsAt(pod, 'containers').some((container) =>
    itemsAt(container, 'ports').some((port) => at(port, 'hostPort') !== undefined),
  );
  const claims = itemsAt(pod, 'volumes').flatMap(
    (volume) => textAt(volume, 'persistentVolumeClaim', 'claimName') || [],
  );
  return [
    ...(apart || spread || ports || at(pod, 'hostNetwork') === true
      ? [
          'the pods may not share nodes as they like (anti-affinity, spread or host ports): the arms need room on others',
        ]
      : []),
    ...claims.map((claim) => `the arms use the volume ${claim} too, at the same time as the stable pods`),
  ];
}

/** Tools that bring objects to what Git says, by what they leave on them. */
const TOOLS: readonly (readonly [string, RegExp, RegExp])[] = [
  ['Argo CD', /^argocd\.argoproj\.io\/(tracking-id|instance)$/, /^argocd/],
  ['Flux', /^(kustomize|helm)\.toolkit\.fluxcd\.io\/name$/, /^(kustomize|helm)-controller$/],
];

/** Says that a tool also writes this route and would set back its weights. */
export function gitOpsNotes(route: KubeObject): readonly string[] {
  const names = Object.keys({ ...route.metadata.labels, ...route.metadata.annotations });
  const managers = itemsAt(route, 'metadata', 'managedFields').map((one) => textAt(one, 'manager'));
  return TOOLS.filter(
    ([, name, manager]) => names.some((one) => name.test(one)) || managers.some((one) => manager.test(one)),
  ).map(
    ([tool]) =>
      `${showRef(route)} is also written by ${tool}, which sets the weights back at its next sync unless it is told to ignore them`,
  );
}
