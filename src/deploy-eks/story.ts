import { Failed } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { bounded } from '../kube/bounded.ts';
import { type Kube, type KubeObject, refOf, showRef } from '../kube/kube.ts';
import { type PodCounts, countPods } from '../kube/serving.ts';
import { ORIGIN } from '../kube/tree.ts';
import { imagesOf } from '../manifests/images.ts';
import type { Document } from '../kube/document.ts';
import type { DeployInputs } from './inputs.ts';
import { type Ending, type Rollback, deployedObject, outcomeOf } from './outcome.ts';
import { type DeployRecord, keyOf } from './record.ts';
import { type DeployReport, type Failure, type Verdict, isWorkload, oneLine, summary } from './report.ts';

type Outputs = Record<'deployed' | 'verdict' | 'url', string>;

const COUNT_MS = 1000;
const MAX_COUNTED = 20;

/** Ends the story of one deploy: counts what serves, writes the summary and makes the outputs. */
export class Story {
  readonly #given: DeployInputs;
  readonly #host: Host;
  readonly #record: DeployRecord;
  readonly #images: readonly string[];
  /** Set once the cluster is reached. */
  kube?: Kube;

  constructor(given: DeployInputs, host: Host, record: DeployRecord, documents: readonly Document[]) {
    this.#given = given;
    this.#host = host;
    this.#record = record;
    this.#images = [...new Set(documents.flatMap(({ object }) => imagesOf(object)))];
  }

  /** Everything serves. */
  async served(): Promise<Outputs> {
    const changed = this.#record.applied.some(({ change }) => change !== 'unchanged');
    const verdict = changed ? 'deployed' : 'unchanged';
    await this.#write({ verdict, ending: 'serving' });
    return this.#outputs(verdict);
  }

  /** Something does not serve; `rollback` says what came of putting it back, if that was tried. @throws Failed always */
  async failed(failure: Failure, rollback?: Rollback): Promise<never> {
    const verdict = rollback && this.#hasPutBack(rollback) ? 'rolled-back' : 'failed';
    await this.#write({ verdict, ending: verdict, failure, ...(rollback ? { rollback } : {}) });
    throw new Failed(oneLine({ verdict, failure }), this.#outputs(verdict), {
      ...(failure.whatToDo === '' ? {} : { remedy: failure.whatToDo }),
      ...(failure.place ? { place: failure.place } : {}),
    });
  }

  /** The run was cancelled. @throws Failed always, with what was applied */
  async cancelled(): Promise<never> {
    const { applied } = this.#record;
    const whatToDo = this.#afterCancelling();
    await this.#write({ verdict: 'cancelled', ending: 'cancelled', whatToDo });
    const names = applied.slice(0, 10).map(({ object }) => showRef(object));
    const what =
      applied.length === 0
        ? 'nothing was changed'
        : `${applied.length} of ${this.#record.documents.length} objects were applied (${names.join(', ')}${applied.length > 10 ? ', …' : ''}) and stay`;
    throw new Failed(`cancelled: ${what}`, this.#outputs('cancelled'), { remedy: whatToDo });
  }

  #afterCancelling(): string {
    const changed = this.#record.applied.filter(({ change }) => change !== 'unchanged');
    if (changed.length === 0) return 'Run the job again when it is to be deployed.';
    const again = 'Run the job again to finish: what is applied already stays and is not done twice.';
    const undo = changed.find(
      ({ object, before }) => before && /^(Deployment|StatefulSet|DaemonSet)$/.test(object.kind),
    );
    if (!undo) return again;
    const { kind, metadata } = undo.object;
    const previous = this.#previousCommit();
    const commit = previous === '' ? 'commit before this one' : `previous commit ${previous.slice(0, 7)}`;
    return `${again} To go back instead, run the deploy of the ${commit}, or: kubectl rollout undo ${kind.toLowerCase()}/${metadata.name} -n ${metadata.namespace}`;
  }

  #outputs(verdict: Verdict): Outputs {
    const objects = this.#record.applied.map((item) => deployedObject(item, this.#record.secondsToServe(item.object)));
    const url = verdict === 'deployed' || verdict === 'unchanged' ? this.#given.environmentUrl : '';
    return { verdict, deployed: JSON.stringify(objects), url };
  }

  async #write(
    told: Pick<DeployReport, 'verdict' | 'failure' | 'whatToDo'> & {
      readonly ending: Ending['verdict'];
      readonly rollback?: Rollback;
    },
  ): Promise<void> {
    const { ending: verdict, rollback, ...rest } = told;
    const { applied, seconds, moments } = this.#record;
    const ending: Ending = {
      verdict,
      pods: await this.#countPods(),
      secondsToServe: ({ object }) => this.#record.secondsToServe(object),
      ...(rollback ? { rollback } : {}),
    };
    const report: DeployReport = {
      ...rest,
      seconds,
      moments,
      environment: this.#given.environment,
      url: this.#given.environmentUrl,
      info: this.#host.info,
      images: this.#images,
      outcomes: applied.map((item) => outcomeOf(item, ending)),
      notApplied: this.#notApplied(verdict === 'cancelled'),
      previous: this.#previousCommit(),
      restored: rollback !== undefined && this.#isAsBefore(rollback, rest.failure),
    };
    await this.#host.summarize(summary(report));
  }

  async #countPods(): Promise<ReadonlyMap<string, PodCounts>> {
    const { kube } = this;
    const counts = new Map<string, PodCounts>();
    if (!kube) return counts;
    const ask = bounded(this.#host.clock, COUNT_MS);
    const refs = this.#record.applied.map(({ object }) => refOf(object)).slice(0, 1000);
    await Promise.all(
      refs
        .filter(isWorkload)
        .slice(0, MAX_COUNTED)
        .map(async (ref) => {
          const found = await countPods(kube, ref, ask);
          if (found) counts.set(keyOf(ref), found);
        }),
    );
    return counts;
  }

  #notApplied(cancelled: boolean): readonly string[] {
    const { unanswered, untouched } = this.#record;
    const fate = cancelled ? 'was asked for, but the answer was not awaited: it may be applied' : 'was refused';
    return [
      ...unanswered.map(({ object }) => `${showRef(object)} ${fate}`),
      ...untouched.map(({ object }) => `${showRef(object)} was not reached`),
    ];
  }

  /** Whether anything that this deploy changed is as it was: otherwise the failed version still is what is there. */
  #hasPutBack({ restored }: Rollback): boolean {
    const keys = new Set(restored.map(keyOf));
    return this.#record.applied.some(({ object, change }) => change !== 'unchanged' && keys.has(keyOf(refOf(object))));
  }

  #isAsBefore({ left, failed, wait }: Rollback, failure: Failure | undefined): boolean {
    const { ref } = failure ?? {};
    const isNew = this.#record.applied.some(
      ({ object, before }) => ref && keyOf(refOf(object)) === keyOf(ref) && before === undefined,
    );
    const serves = wait !== undefined && !wait.failed && wait.timedOut.length === 0;
    return !isNew && left.length === 0 && failed.length === 0 && serves;
  }

  /** The commit that the first workload came from before, as the last deploy noted it; `''` when none did. */
  #previousCommit(): string {
    const before = this.#record.applied.flatMap(({ before }) => (before && isWorkload(before) ? [before] : []))[0];
    return before ? commitOf(before) : '';
  }
}

function commitOf({ metadata }: KubeObject): string {
  const commit = metadata.annotations?.[`${ORIGIN}commit`] ?? '';
  return /^[0-9a-f]{7,64}$/.test(commit) ? commit : '';
}
