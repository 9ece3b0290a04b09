import type { Arm } from '../judge/metric.ts';
import { at, isRecord } from '../kube/fields.ts';
import type { KubeObject } from '../kube/kube.ts';

/** Whose canary or baseline a pod is, and which of both: all that an arm's Deployment selects. */
export const WORKLOAD_LABEL = 'delivery-actions/workload';
export const TRACK_LABEL = 'delivery-actions/track';
export const arms: readonly Arm[] = ['canary', 'baseline'];

export type Labels = Readonly<Record<string, string>>;

/** `tracking-api-canary`, of a Deployment or of a Service. */
export function armName(name: string, arm: Arm): string {
  return `${name}-${arm}`;
}

/** The labels that an arm's own pods have and no others. */
export function armLabels(workload: string, arm: Arm): Labels {
  return { [WORKLOAD_LABEL]: workload, [TRACK_LABEL]: arm };
}

/** The labels that the pods of both arms have and no others. */
export function bothArms(workload: string): Labels {
  return { [WORKLOAD_LABEL]: workload };
}

/** Labels as the API takes them for a selector. */
export function selectorText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}

/** The texts of a map of labels at a path; none where there is no map. */
export function labelsAt(value: unknown, ...path: readonly string[]): Labels {
  const found = at(value, ...path);
  if (!isRecord(found)) return {};
  return Object.fromEntries(
    Object.entries(found).flatMap(([name, one]) => (typeof one === 'string' ? [[name, one]] : [])),
  );
}

export function templateLabels(workload: KubeObject): Labels {
  return labelsAt(workload, 'spec', 'template', 'metadata', 'labels');
}

/** Whether all labels of a Service's selector are among these. A Service without a selector selects nothing. */
export function selects(selector: Labels, labels: Labels): boolean {
  const wanted = Object.entries(selector);
  return wanted.length > 0 && wanted.every(([name, value]) => labels[name] === value);
}

interface Expression {
  readonly key?: unknown;
  readonly operator?: unknown;
  readonly values?: unknown;
}

/** Whether a LabelSelector (`matchLabels` and `matchExpressions`) takes these labels; an empty one takes all. */
export function takes(selector: unknown, labels: Labels): boolean {
  const exact = Object.entries(labelsAt(selector, 'matchLabels')).every(([name, value]) => labels[name] === value);
  const expressions = at(selector, 'matchExpressions');
  return exact && (!Array.isArray(expressions) || expressions.every((one) => holds(one as Expression, labels)));
}

function holds({ key, operator, values }: Expression, labels: Labels): boolean {
  const value = labels[String(key)];
  const listed = value !== undefined && Array.isArray(values) && values.includes(value);
  switch (operator) {
    case 'In':
      return listed;
    case 'NotIn':
      return !listed;
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}
