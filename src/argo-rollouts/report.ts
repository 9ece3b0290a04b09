import { itemsAt, numberAt, textAt } from '../kube/fields.ts';
import type { Kube, KubeObject } from '../kube/kube.ts';
import type { RolloutState } from './state.ts';

/** What the controller measured of one metric in one step. */
export interface MetricReport {
  readonly name: string;
  /** The controller's word: `Successful`, `Failed`, `Inconclusive`, `Error`, `Running`. */
  readonly phase: string;
  readonly good: number;
  readonly bad: number;
  /** Prometheus had no one value: none, several, or NaN. */
  readonly empty: number;
  readonly errors: number;
  /** Values in order of time, as the controller keeps them: the last ten. */
  readonly values: readonly number[];
  readonly message: string;
}

/** What became of a release. */
export interface RolloutReport {
  readonly verdict: 'promoted' | 'taken-back' | 'inconclusive' | 'failed' | 'progressing';
  /** One sentence for a person. */
  readonly reason: string;
  readonly metrics: readonly MetricReport[];
}

const VERDICTS = {
  promoted: 'promoted',
  aborted: 'taken-back',
  held: 'inconclusive',
  failed: 'failed',
  progressing: 'progressing',
} as const;

/** The verdict and why, out of the analyses of the release's version. */
export async function reportRollout(kube: Kube, rollout: KubeObject, state: RolloutState): Promise<RolloutReport> {
  const runs = await kube.list({
    apiVersion: rollout.apiVersion,
    kind: 'AnalysisRun',
    ...(rollout.metadata.namespace !== undefined && { namespace: rollout.metadata.namespace }),
    labelSelector: `rollouts-pod-template-hash=${textAt(rollout, 'status', 'currentPodHash')}`,
  });
  const own = runs
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === rollout.metadata.uid))
    .toSorted(
      (a, b) => Number(a.metadata.annotations?.[REVISION]) - Number(b.metadata.annotations?.[REVISION]) || byTime(a, b),
    );
  // Of earlier tries of the same version only the last revision counts.
  const revision = own.at(-1)?.metadata.annotations?.[REVISION];
  const metrics = own
    .filter(({ metadata }) => metadata.annotations?.[REVISION] === revision)
    .flatMap((run) => itemsAt(run, 'status', 'metricResults').map(metricOf));
  return { verdict: VERDICTS[state.phase], reason: reasonOf(state, metrics), metrics };
}

const REVISION = 'rollout.argoproj.io/revision';

function byTime(a: KubeObject, b: KubeObject): number {
  return Date.parse(a.metadata.creationTimestamp ?? '') - Date.parse(b.metadata.creationTimestamp ?? '');
}

function metricOf(result: unknown): MetricReport {
  const values = itemsAt(result, 'measurements').map((one) =>
    Number(textAt(one, 'value').replaceAll(/[[\]]/g, '') || Number.NaN),
  );
  const errors = itemsAt(result, 'measurements').map((one) => textAt(one, 'message'));
  return {
    name: textAt(result, 'name'),
    phase: textAt(result, 'phase'),
    good: numberAt(result, 'successful') ?? 0,
    bad: numberAt(result, 'failed') ?? 0,
    empty: numberAt(result, 'inconclusive') ?? 0,
    errors: numberAt(result, 'error') ?? 0,
    values: values.filter(Number.isFinite),
    message: textAt(result, 'message') || (errors.findLast((text) => text !== '') ?? ''),
  };
}

function reasonOf({ phase, message }: RolloutState, metrics: readonly MetricReport[]): string {
  const worst = (wanted: string): MetricReport | undefined => metrics.findLast((one) => one.phase === wanted);
  const failed = worst('Failed');
  if (failed) {
    return `${failed.name} was out of its bound in ${failed.bad} of ${seen(failed)} measurements, at last ${failed.values.at(-1) ?? 'unknown'}`;
  }
  const error = worst('Error');
  if (error) return `${error.name} could not be measured: ${error.message || 'Prometheus did not answer'}`;
  const empty = worst('Inconclusive');
  if (empty) return `${empty.name} had no value in ${empty.empty} of ${seen(empty)} measurements`;
  if (phase === 'promoted') {
    const all = metrics.reduce((sum, one) => sum + one.good, 0);
    return all > 0 ? `all of ${all} measurements were within their bounds` : 'all steps were gone through';
  }
  return message || `it is ${phase}`;
}

function seen({ good, bad, empty, errors }: MetricReport): number {
  return good + bad + empty + errors;
}
