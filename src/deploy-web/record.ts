import type { Clock } from '../action/host.ts';
import type { Kind } from '../site/kind.ts';
import type { Progress } from '../site/publish.ts';
import type { Release } from '../site/release.ts';

/** How a run ended. */
export type Verdict =
  | 'deployed'
  | 'unchanged'
  | 'checked'
  | 'rolled-back'
  | 'removed'
  | 'superseded'
  | 'timed-out'
  | 'failed'
  | 'cancelled';

/** The files of one kind, as the summary's table tells them. */
export interface KindRow {
  readonly kind: Kind;
  readonly files: number;
  /** Files that are new or others than before, and their bytes. */
  readonly changed: number;
  readonly bytes: number;
}

export interface Invalidation {
  readonly id: string;
  readonly paths: readonly string[];
  /** Seconds until every edge had it; undefined while it is not known. */
  seconds?: number;
}

/** What a run has done so far: the one account that every end of it is told from. */
export class WebRecord {
  /** When the run began, in milliseconds since 1970. */
  readonly started: number;
  readonly progress: Progress = { uploaded: 0, bytes: 0, switched: 0 };
  /** How many files have to be switched for visitors to see the new release as a whole. */
  toSwitch = 0;
  /** Whether the pointer says that the new release is served. */
  isServed = false;
  /** The release that is brought in. */
  release: Pick<Release, 'id' | 'commit' | 'content'> | undefined;
  /** The one that was served before. */
  previous: Pick<Release, 'id' | 'commit'> | undefined;
  tool = '';
  rows: readonly KindRow[] = [];
  unchanged = 0;
  /** Releases beside the served one whose files stay, and when the first of them may go, in milliseconds since 1970. */
  kept: { readonly releases: number; readonly until: number | undefined } = { releases: 0, until: undefined };
  deleted = 0;
  invalidation: Invalidation | undefined;
  /** Names of settings in config.json. */
  settings: readonly string[] = [];
  /** What was noticed and does not stop anything. */
  readonly notes: string[] = [];
  /** Whether the page was fetched and is the new one. */
  isSeen = false;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.started = clock.now();
  }

  /** Seconds since the run began. */
  get seconds(): number {
    return (this.#clock.now() - this.started) / 1000;
  }

  /** What visitors get: all of the old release, all of the new one, or some of both. */
  get visible(): 'old' | 'new' | 'mixed' {
    if (this.isServed || (this.toSwitch > 0 && this.progress.switched >= this.toSwitch)) return 'new';
    return this.progress.switched === 0 ? 'old' : 'mixed';
  }
}
