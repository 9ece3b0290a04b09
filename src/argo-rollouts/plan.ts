import { UserError } from '../action/errors.ts';
import { at, isRecord, itemsAt, numberAt, textAt } from '../kube/fields.ts';
import { type KubeObject, type ObjectRef, refOf, showRef } from '../kube/kube.ts';
import type { Patch } from '../traffic/router.ts';

/** One step of the canary: this share of the requests, for at least this long. */
export interface RolloutStep {
  /** Percent, above 0 and below 100. */
  readonly weight: number;
  readonly seconds: number;
}

/** A bound that the new version has to keep, asked of Prometheus by the controller. */
export interface RolloutMetric {
  /** Letters, digits and dashes. */
  readonly name: string;
  /** PromQL that gives one value; `{{ selector }}` stands for a pattern of the new version's pods. */
  readonly query: string;
  readonly bad: 'above' | 'below';
  readonly bound: number;
}

/** A release by the controller of Argo Rollouts, which goes on without a runner. */
export interface RolloutWish {
  /** As it is on the cluster: a Deployment that no Rollout refers to yet, or a Rollout. */
  readonly workload: KubeObject;
  /** The Deployment that a Rollout refers to, as it is on the cluster. */
  readonly referred?: KubeObject;
  /** The new image of each container that changes, by its name. */
  readonly images: Readonly<Record<string, string>>;
  readonly steps: readonly RolloutStep[];
  readonly metrics: readonly RolloutMetric[];
  /** Prometheus as the controller reaches it from within the cluster. */
  readonly prometheus: string;
}

/** What is to be done, as data. */
export interface RolloutPlan {
  /** To be applied first; with the version that serves now it changes nothing that serves. */
  readonly objects: readonly KubeObject[];
  /** Then made: the steps of a Rollout that is there already. */
  readonly changes: readonly Patch[];
  readonly rollout: ObjectRef;
  /** The Deployment is handed over: the Rollout has to be healthy before `release`. */
  readonly adopts: boolean;
  /** Gives the new version to the controller. */
  readonly release: Patch;
  /** Gives it the one before again. */
  readonly undo: Patch;
}

const API = 'argoproj.io/v1alpha1';
/** One measurement this often; of a short step there are at least {@link LEAST_COUNT}. */
const INTERVAL_SECONDS = 30;
const LEAST_COUNT = 3;

/**
 * Plans a release by the controller: a Rollout with an analysis in each step, that ends the canary at the first
 * measurement out of bounds, and holds it where Prometheus has nothing to say.
 * @throws UserError for steps, metrics or containers that cannot be
 */
export function planRollout(wish: RolloutWish): RolloutPlan {
  const { workload, referred } = wish;
  const { name, namespace = '' } = workload.metadata;
  checkSteps(wish.steps);
  const isRollout = workload.kind === 'Rollout';
  checkWorkload(wish);
  const rollout: ObjectRef = { apiVersion: API, kind: 'Rollout', namespace, name };
  const strategy = { canary: { steps: stepsOf(wish) } };
  const templates = wish.metrics.length > 0 ? templatesOf(wish) : [];
  const made = { apiVersion: API, kind: 'Rollout', metadata: { name, namespace } };
  return {
    objects: isRollout ? templates : [...templates, { ...made, spec: { ...handover(workload), strategy } }],
    // By a patch, as the Rollout's other fields are somebody else's.
    changes: isRollout ? [{ ref: rollout, patch: { spec: { strategy } } }] : [],
    rollout,
    adopts: !isRollout || isHalfAdopted(workload, referred),
    ...releaseOf(referred ?? workload, wish.images),
  };
}

function checkWorkload({ workload, referred }: RolloutWish): void {
  if (workload.kind === 'Deployment') return;
  if (workload.kind !== 'Rollout') {
    throw new UserError(`${showRef(workload)} cannot be released by Argo Rollouts`, {
      remedy: 'Name a Deployment or a Rollout.',
    });
  }
  if (at(workload, 'spec', 'strategy', 'blueGreen') !== undefined) {
    throw new UserError(`${showRef(workload)} has the strategy blueGreen, which knows no steps`, {
      remedy: 'Give it the strategy canary.',
    });
  }
  if (at(workload, 'spec', 'workloadRef') !== undefined && referred === undefined) {
    throw new UserError(`${showRef(workload)} refers to a workload that is not there`, {
      remedy: 'Deploy that, or mend its workloadRef.',
    });
  }
}

/** A run died while the Deployment was handed over, and it still has pods of its own. */
function isHalfAdopted(rollout: KubeObject, deployment: KubeObject | undefined): boolean {
  const scalesDown = textAt(rollout, 'spec', 'workloadRef', 'scaleDown') === 'onsuccess';
  return scalesDown && (numberAt(deployment, 'spec', 'replicas') ?? 0) > 0;
}

/** A Rollout that takes the pods of a Deployment over; the controller scales that down once the Rollout is healthy. */
function handover(deployment: KubeObject): object {
  const { apiVersion, kind, metadata } = deployment;
  return {
    replicas: numberAt(deployment, 'spec', 'replicas') ?? 1,
    selector: at(deployment, 'spec', 'selector'),
    workloadRef: { apiVersion, kind, name: metadata.name, scaleDown: 'onsuccess' },
  };
}

function checkSteps(steps: readonly RolloutStep[]): void {
  const grows = steps.every(({ weight }, index) => weight > (steps[index - 1]?.weight ?? 0) && weight < 100);
  if (steps.length === 0 || !grows || steps.some(({ seconds }) => !(seconds > 0))) {
    throw new UserError('the steps do not grow from above 0 to below 100 percent, each for some time', {
      remedy: 'Give steps such as 5, 20, 50.',
    });
  }
}

/** Each step's time is its analysis; without metrics it is a pause. */
function stepsOf({ workload, steps, metrics }: RolloutWish): readonly object[] {
  return steps.flatMap(({ weight, seconds }) => {
    const args = [{ name: 'canary-hash', valueFrom: { podTemplateHashValue: 'Latest' } }];
    const templates = [{ templateName: templateName(workload, paceOf(seconds)) }];
    const pause = { duration: `${Math.ceil(seconds)}s` };
    return [{ setWeight: weight }, metrics.length > 0 ? { analysis: { templates, args } } : { pause }];
  });
}

interface Pace {
  readonly count: number;
  /** Seconds. */
  readonly interval: number;
}

function paceOf(seconds: number): Pace {
  const count = Math.max(LEAST_COUNT, Math.ceil(seconds / INTERVAL_SECONDS));
  return { count, interval: Math.max(1, Math.ceil(seconds / count)) };
}

function templateName(workload: KubeObject, { count, interval }: Pace): string {
  return `${workload.metadata.name}-${count}x${interval}s`;
}

/** One for each pace: the controller takes no count that is an argument of a step. */
function templatesOf(wish: RolloutWish): readonly KubeObject[] {
  const paces = new Map(
    wish.steps.map(({ seconds }) => [templateName(wish.workload, paceOf(seconds)), paceOf(seconds)]),
  );
  return [...paces].map(([name, pace]) => analysisTemplate(name, pace, wish));
}

/**
 * A metric passes only where most measurements of a step are good, and none is bad: an empty answer, more than one
 * series and NaN are neither, since the first ones may come before the new pods have been scraped; with half of them the
 * analysis is inconclusive, at which the controller holds the canary. After five errors in a row it takes it back.
 * https://argo-rollouts.readthedocs.io/en/stable/features/analysis/
 */
function analysisTemplate(name: string, pace: Pace, { workload, metrics, prometheus }: RolloutWish): KubeObject {
  const interval = `${pace.interval}s`;
  return {
    apiVersion: API,
    kind: 'AnalysisTemplate',
    metadata: { name, namespace: workload.metadata.namespace ?? '' },
    spec: {
      args: [{ name: 'canary-hash' }],
      metrics: metrics.map((metric) => {
        checkMetric(metric);
        const isOne = 'len(result) == 1 && !isNaN(result[0])';
        const [good, bad] = metric.bad === 'above' ? ['<=', '>'] : ['>=', '<'];
        return {
          name: metric.name,
          initialDelay: interval,
          interval,
          count: pace.count,
          successCondition: `${isOne} && result[0] ${good} ${metric.bound}`,
          failureCondition: `${isOne} && result[0] ${bad} ${metric.bound}`,
          failureLimit: 0,
          inconclusiveLimit: Math.floor((pace.count - 1) / 2),
          consecutiveErrorLimit: 4,
          provider: { prometheus: { address: prometheus, query: queryOf(metric, workload.metadata.name) } },
        };
      }),
    },
  };
}

function checkMetric({ name, query, bound }: RolloutMetric): void {
  const remedy = 'Mend it in the input metrics.';
  if (!/^[A-Za-z0-9][A-Za-z0-9-]*$/.test(name))
    throw new UserError(`the metric ${JSON.stringify(name)} has no name of letters, digits and dashes`, { remedy });
  if (!Number.isFinite(bound)) throw new UserError(`the bound of the metric ${name} is no number`, { remedy });
  if (query.replaceAll(SELECTOR, '').includes('{{')) {
    throw new UserError(`the query of the metric ${name} has a {{ }} that is not {{ selector }}`, { remedy });
  }
}

const SELECTOR = /\{\{\s*selector\s*\}\}/g;

/** The controller names a version's pods after the Rollout and the hash of their template. */
function queryOf({ query }: RolloutMetric, rollout: string): string {
  return query.replaceAll(SELECTOR, `${rollout}-{{args.canary-hash}}-.*`);
}

/** Changes each image where it stands; the test before it keeps it from hitting a container that moved there. */
function releaseOf(source: KubeObject, images: RolloutWish['images']): Pick<RolloutPlan, 'release' | 'undo'> {
  const left = new Set(Object.keys(images));
  const changes = (['initContainers', 'containers'] as const).flatMap((list) =>
    itemsAt(source, 'spec', 'template', 'spec', list).flatMap((container, index) => {
      const name = textAt(container, 'name');
      const image = images[name];
      if (!isRecord(container) || image === undefined) return [];
      left.delete(name);
      return [{ path: `/spec/template/spec/${list}/${index}`, name, image, before: textAt(container, 'image') }];
    }),
  );
  const [missing] = left;
  if (missing !== undefined || changes.length === 0) {
    throw new UserError(`${showRef(source)} has no container ${JSON.stringify(missing ?? '')}`, {
      remedy: 'Name the containers whose image changes as the workload does.',
    });
  }
  const patchTo = (imageOf: (change: (typeof changes)[number]) => string): Patch => ({
    ref: refOf(source),
    patch: changes.flatMap((change) => [
      { op: 'test', path: `${change.path}/name`, value: change.name },
      { op: 'replace', path: `${change.path}/image`, value: imageOf(change) },
    ]),
  });
  return { release: patchTo(({ image }) => image), undo: patchTo(({ before }) => before) };
}
