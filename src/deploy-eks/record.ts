import type { Clock } from '../action/host.ts';
import type { Applied } from '../kube/apply.ts';
import { type KubeObject, type ObjectRef, refOf } from '../kube/kube.ts';
import type { Document } from '../kube/document.ts';

/** A moment of a deploy; `seconds` since it began. */
export interface Moment {
  readonly seconds: number;
  readonly what: string;
}

/** What a deploy has done so far: the one account that every end of it is told from, a cancelled one too. */
export class DeployRecord {
  /** When the deploy began, in milliseconds since 1970. */
  readonly started: number;
  readonly moments: Moment[] = [];
  readonly applied: Applied[] = [];
  /** What is to be applied, once the cluster found it good. */
  documents: readonly Document[] = [];
  readonly #asked = new Set<Document>();
  readonly #served = new Map<string, number>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.started = clock.now();
  }

  /** Seconds since the deploy began. */
  get seconds(): number {
    return (this.#clock.now() - this.started) / 1000;
  }

  mark(what: string): void {
    this.moments.push({ seconds: this.seconds, what });
  }

  asked(document: Document): void {
    this.#asked.add(document);
  }

  served(ref: ObjectRef, seconds: number): void {
    this.#served.set(keyOf(ref), seconds);
  }

  /** Seconds from its change until the object served; `undefined` when it was not seen to. */
  secondsToServe(object: KubeObject): number | undefined {
    return this.#served.get(keyOf(refOf(object)));
  }

  /** What the API server was asked to change and gave no answer on. */
  get unanswered(): readonly Document[] {
    const answered = new Set(this.applied.map(({ document }) => document));
    return [...this.#asked].filter((document) => !answered.has(document));
  }

  /** What was not touched. */
  get untouched(): readonly Document[] {
    return this.documents.filter((document) => !this.#asked.has(document));
  }
}

/** One text for each object, to tell them apart. */
export function keyOf({ apiVersion, kind, namespace, name }: ObjectRef): string {
  return [apiVersion, kind, namespace ?? '', name].join(' ');
}
