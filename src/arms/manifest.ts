import type { Arm } from '../judge/metric.ts';
import { at, isRecord } from '../kube/fields.ts';
import type { KubeObject } from '../kube/kube.ts';
import { type Labels, armLabels, armName, labelsAt, templateLabels } from './labels.ts';

/** By this the server knows which fields are the canary's. */
export const ARMS_MANAGER = 'delivery-actions-canary';
/** On what was made for a canary: the plan that made it. */
export const PLAN_ANNOTATION = 'delivery-actions/canary';

export interface ArmWish {
  readonly arm: Arm;
  /** The Deployment that serves now. */
  readonly stable: KubeObject;
  /** Whose pods the arm runs: the new version for the canary, the stable one itself for the baseline. */
  readonly from: KubeObject;
  /** The plan's own name, by which leftovers of another are told. */
  readonly plan: string;
  /** The labels that the Services select. */
  readonly served: Labels;
  /** Whether those Services are to send requests to the arm; else it gets Services of its own. */
  readonly behindStable: boolean;
}

/**
 * A Deployment of fresh pods beside the stable one, of no pod at first. It has none of the stable one's own labels and
 * annotations, by which a tool that prunes would take it for its own, and the same strategy and readiness.
 */
export function armDeployment({ arm, stable, from, plan, served, behindStable }: ArmWish): KubeObject {
  const workload = stable.metadata.name;
  const own = armLabels(workload, arm);
  const spec = at(from, 'spec');
  const { replicas: _, paused: _paused, selector: _selector, ...kept } = isRecord(spec) ? spec : {};
  const template = isRecord(kept['template']) ? kept['template'] : {};
  const metadata = isRecord(template['metadata']) ? template['metadata'] : {};
  const { creationTimestamp: _created, ...stays } = metadata;
  const labels = { ...podLabels({ stable, from, served, behindStable, arm }), ...own };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: armName(workload, arm),
      ...(stable.metadata.namespace !== undefined && { namespace: stable.metadata.namespace }),
      labels: { 'app.kubernetes.io/managed-by': 'delivery-actions', ...own },
      annotations: { [PLAN_ANNOTATION]: plan },
    },
    spec: {
      ...kept,
      replicas: 0,
      // Said, so that applying it again lets go on what a take-back stopped.
      paused: false,
      selector: { matchLabels: own },
      template: { ...template, metadata: { ...stays, labels } },
    },
  };
}

/**
 * The labels of the version, less those by which the stable Deployment would know the pods as its own, and, for an arm
 * that is not behind the stable Services, less those by which they would find them.
 */
function podLabels({ stable, from, served, behindStable, arm }: Omit<ArmWish, 'plan'>): Labels {
  const labels = templateLabels(from);
  const distinct = Object.keys(labelsAt(stable, 'spec', 'selector', 'matchLabels'));
  const others = behindStable ? distinct.filter((name) => !(name in served)) : [...distinct, ...Object.keys(served)];
  const changed = others
    .filter((name) => labels[name] !== undefined)
    .map((name) => [name, armValue(labels[name], arm)]);
  return { ...labels, ...Object.fromEntries(changed), ...(behindStable ? served : {}) };
}

/** A label's value has 63 characters at most. */
function armValue(value = '', arm: Arm): string {
  return `${value.slice(0, 63 - arm.length - 1).replace(/[^A-Za-z0-9]+$/, '')}-${arm}`.replace(/^-/, '');
}
