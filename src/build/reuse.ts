import { messageOf } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { background } from '../cache/background.ts';
import { type Keeping, bringDependencies } from '../cache/dependencies.ts';
import { openCache } from '../cache/service.ts';
import { type Circumstances, type KnownResult, findResults, keepResult } from '../task/results.ts';
import { hashSources } from '../task/sources.ts';
import type { Task, TaskResult } from '../task/task.ts';
import type { TestSummary } from '../test-report/result.ts';
import type { BringDependencies } from './toolchain.ts';

/** What a build takes over from earlier ones, and what it keeps for later ones. */
export interface Reuse {
  readonly bring: BringDependencies;
  /**
   * Finds the tasks that passed before on the same sources, with the same runtime. To be asked before anything runs,
   * as what the build writes must not count as its input.
   */
  look(
    tasks: readonly Task[],
    directory: string,
    runtime: string | undefined,
    installed: readonly string[],
  ): Promise<Passed>;
  /** Waits for what is still being kept, for a while. */
  settle(): Promise<void>;
}

/** The tasks that passed before. */
export interface Passed {
  readonly known: ReadonlyMap<string, KnownResult>;
  /** There are tasks, and all of them did. */
  readonly all: boolean;
  /** Keeps what passed now, beside all that follows. */
  keep(results: readonly TaskResult[], tests: TestSummary | undefined): void;
}

/** How long a build that is done waits for its uploads, in milliseconds. */
const SETTLE_MS = 60_000;
const NONE: Passed = { known: new Map(), all: false, keep: () => undefined };

/** What a build may reuse; nothing where the user wants nothing reused, or where the runner has no cache. */
export function openReuse(wanted: boolean, host: Host): Reuse {
  const cache = wanted ? openCache(host) : 'the input cache is false';
  if (typeof cache === 'string') host.log.info(`nothing is taken from GitHub's cache or kept in it: ${cache}`);
  const keeping: Keeping | undefined = typeof cache === 'string' ? undefined : { cache, background: background(host) };
  return {
    bring: async (tree, folder, install) =>
      tree === undefined
        ? { seconds: await install(), restored: false }
        : bringDependencies(tree, folder, keeping, host, install),
    async look(tasks, directory, runtime, installed) {
      if (keeping === undefined || runtime === undefined || tasks.length === 0) return NONE;
      const sources = await hashSources(directory, installed, host);
      if (sources === undefined) return NONE;
      const circumstances = { sources, runtime, env: host.env };
      // Who schedules a build wants to know what has changed around it.
      const isAsked = host.info.eventName !== 'schedule';
      const known = isAsked ? await find(tasks, circumstances, keeping, host) : new Map<string, KnownResult>();
      return {
        known,
        all: tasks.every(({ name }) => known.has(name)),
        keep: (results, tests) => keep(tasks, results, tests, circumstances, keeping, host),
      };
    },
    settle: async () => keeping?.background.settle(SETTLE_MS),
  };
}

/** A task that passed before, as the summary shows it. */
export function passedBefore({ name }: Task, { commit }: KnownResult): TaskResult {
  return { name, status: 'passed', seconds: 0, tail: '', passedBefore: commit };
}

async function find(
  tasks: readonly Task[],
  circumstances: Circumstances,
  { cache }: Keeping,
  host: Host,
): Promise<ReadonlyMap<string, KnownResult>> {
  try {
    return await findResults(tasks, circumstances, cache);
  } catch (error) {
    host.signal.throwIfAborted();
    host.log.info(`what passed before is not known: ${messageOf(error)}`);
    return new Map();
  }
}

function keep(
  tasks: readonly Task[],
  results: readonly TaskResult[],
  tests: TestSummary | undefined,
  circumstances: Circumstances,
  { cache, background: beside }: Keeping,
  host: Host,
): void {
  const passed = new Set(results.filter((one) => one.status === 'passed' && !one.passedBefore).map(({ name }) => name));
  const kept = tasks.filter(({ name }) => passed.has(name));
  if (kept.length === 0) return;
  beside.start(async (signal) => {
    try {
      await Promise.all(
        kept.map(async (task) => {
          const ofTests = /test/i.test(task.name) && tests?.failed === 0 ? tests : undefined;
          await keepResult(task, ofTests, circumstances, cache, signal);
        }),
      );
    } catch (error) {
      host.log.info(`what passed is not kept: ${messageOf(error)}`);
    }
  });
}
