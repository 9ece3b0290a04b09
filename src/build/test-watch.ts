import path from 'node:path';
import type { Host } from '../action/host.ts';
import type { Project } from '../project/project.ts';
import type { Addition, RunOnce, Task, TaskResult } from '../task/task.ts';
import type { OpenFile } from '../test-report/events.ts';
import { findTestReports } from '../test-report/find.ts';
import { mergeAttempts, withoutRepeated } from '../test-report/flaky.ts';
import { type RecordedRun, readRecording, recordingFolder } from '../test-report/recording.ts';
import type { TestResult } from '../test-report/result.ts';
import { type Trouble, crash, hung } from '../test-report/trouble.ts';

/** What the tests of all tasks said. */
export interface WatchedTests {
  /** Undefined where no report tells of a single test. */
  readonly results?: readonly TestResult[];
  /** Tasks that failed and passed when run again, while no report names the test. */
  readonly flakyTasks: readonly string[];
  /** Tasks whose tests hung or whose runner crashed, by name. */
  readonly troubles: ReadonlyMap<string, Trouble>;
  /** Reports that could not be read: a sentence each. */
  readonly unreadable: readonly string[];
}

/** How tests are run. */
export interface WatchOptions {
  /** How often a task of tests is run again after it failed. */
  readonly retries: number;
  /** The runtime of the project with its exact version, such as `Node 24.11.0`. */
  readonly runtime: string;
}

type WatchHost = Pick<Host, 'log' | 'clock' | 'env' | 'info'>;

/** Variables that hold options: what is added stands after what is there. */
const OPTIONS = new Set(['NODE_OPTIONS', 'MOCHA_OPTIONS']);

/** Watches the tasks that hold tests: records what they do, runs them again when they fail, and tells hangs and crashes. */
export class TestWatch {
  readonly #project: Project;
  readonly #options: WatchOptions;
  readonly #host: WatchHost;
  readonly #began: number;
  /** Of the last run of each task, and of those before. */
  readonly #recorded: TestResult[] = [];
  readonly #earlier: TestResult[] = [];
  readonly #unreadable: string[] = [];
  readonly #again = new Map<string, readonly TestResult[]>();
  readonly #troubles = new Map<string, Trouble>();

  constructor(project: Project, options: WatchOptions, host: WatchHost) {
    this.#project = project;
    this.#options = options;
    this.#host = host;
    this.#began = host.clock.now();
  }

  /** The same task, watched; one without tests is given back as it is. */
  watch(task: Task): Task {
    return task.record === undefined ? task : { ...task, around: async (once) => this.#run(task, once) };
  }

  /** What all watched tasks said, once they have ended, with the reports that the project wrote by itself. */
  outcome(): WatchedTests {
    const found = findTestReports(this.#project.directory, this.#began);
    const last = [...this.#recorded, ...withoutRepeated(this.#recorded, found.results)];
    const results = mergeAttempts([this.#earlier, last]);
    const named = new Set(results.filter(({ flaky }) => flaky).map(({ name }) => name));
    const isUnnamed = (failed: readonly TestResult[]): boolean => !failed.some(({ name }) => named.has(name));
    return {
      ...((found.files.length > 0 || results.length > 0) && { results }),
      flakyTasks: [...this.#again].filter(([, failed]) => isUnnamed(failed)).map(([name]) => name),
      troubles: this.#troubles,
      unreadable: [...this.#unreadable, ...found.unreadable],
    };
  }

  async #run(task: Task, once: RunOnce): Promise<TaskResult> {
    const { clock, log } = this.#host;
    const { name } = task;
    const failedBefore: TestResult[] = [];
    let seconds = 0;
    for (let again = 0; ; again += 1) {
      const began = clock.now();
      const { result, output, recorded } = await this.#record(task, once);
      seconds += result.seconds;
      if (result.status === 'passed') {
        if (again > 0) this.#again.set(name, failedBefore);
        this.#recorded.push(...recorded.results);
        return { ...result, seconds };
      }
      if (again >= this.#options.retries || result.timedOut === true) {
        this.#recorded.push(...recorded.results);
        const open = recorded.open.map((file) => this.#fromRoot(file));
        const failed = recorded.results.filter(({ status }) => status === 'failed').length;
        const trouble = result.timedOut ? hung(open, output, result.seconds) : crash(open, output, { failed });
        if (trouble !== undefined) this.#troubles.set(name, trouble);
        return { ...result, seconds };
      }
      const results = [...recorded.results, ...findTestReports(this.#project.directory, began).results];
      failedBefore.push(...results.filter(({ status }) => status === 'failed'));
      this.#earlier.push(...results);
      log.info(`${name} failed and is run again (${again + 1} of at most ${this.#options.retries})`);
    }
  }

  /** A recorder that a runner of another version refuses must not make tests fail: then they run as they are. */
  async #record(
    { record, env }: Task,
    once: RunOnce,
  ): Promise<Awaited<ReturnType<RunOnce>> & { readonly recorded: RecordedRun }> {
    const folder = recordingFolder(this.#host.info.temp);
    const ran = await once(this.#added(record?.(folder, this.#options.runtime) ?? {}, env));
    const recorded = readRecording(folder);
    this.#unreadable.push(...recorded.unreadable);
    const told = recorded.results.length > 0 || recorded.open.length > 0;
    if (told || ran.result.status === 'passed' || ran.result.timedOut === true) return { ...ran, recorded };
    if (!ran.output.includes(path.basename(folder)) && !/--test-reporter|--reporters?\b/.test(ran.output)) {
      return { ...ran, recorded };
    }
    this.#host.log.info('the test runner refuses to record what it does, so it runs without');
    return { ...(await once()), recorded };
  }

  #added({ args = [], env = {} }: Addition, given: Task['env'] = {}): Addition {
    const entries = Object.entries(env).map(([name, value]): [string, string] => {
      const there = OPTIONS.has(name) ? (given[name] ?? this.#host.env[name] ?? '') : '';
      return [name, `${there} ${value}`.trim()];
    });
    return { args, env: Object.fromEntries(entries) };
  }

  #fromRoot({ file, test }: OpenFile): OpenFile {
    const shown = path.relative(this.#project.workspace, path.resolve(this.#project.directory, file));
    return { file: shown.startsWith('..') ? path.basename(file) : shown, ...(test !== undefined && { test }) };
  }
}
