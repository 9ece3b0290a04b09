import path from 'node:path';
import { availableParallelism } from 'node:os';
import type { Host } from '../action/host.ts';

/** A named program with its arguments, such as the script `test`. */
export interface Task {
  /** Unique among the tasks of a run. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Tasks that must have passed before; names of no task of the run do not count. */
  readonly after?: readonly string[];
  /** Where it runs, absolute or relative to the folder of the run. */
  readonly cwd?: string;
  /** Where it holds tests: what is added for a run on a runtime (such as `Node 24.11.0`) that records into a folder. */
  readonly record?: (folder: string, runtime: string) => Addition;
  /** Does more than to run the command once, such as to run it again; the seconds are those of all runs. */
  readonly around?: (once: RunOnce) => Promise<TaskResult>;
  /** Nothing that it writes is needed later, so it need not run again on what it passed on before. */
  readonly leavesNothing?: boolean;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What one run of a task is given besides what the task says. */
export interface Addition {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the command of a task once; `output` is the last of what it wrote. */
export type RunOnce = (addition?: Addition) => Promise<{ readonly result: TaskResult; readonly output: string }>;

/** What came of a task. */
export interface TaskResult {
  readonly name: string;
  readonly status: 'passed' | 'failed' | 'not run';
  readonly seconds: number;
  /** The last lines it wrote, unsafe as they are; empty unless it failed. */
  readonly tail: string;
  /** It failed because it was ended for taking too long; what hung may stand in its last lines. */
  readonly timedOut?: true;
  /** Why it was not run, as a phrase. */
  readonly reason?: string;
  /** The commit by which it passed on the same content, where it was not run again. */
  readonly passedBefore?: string;
}

/** How tasks are run. */
export interface TaskOptions {
  /** Folder of the run, absolute. */
  readonly cwd: string;
  /** Milliseconds after which a task is ended with its children. */
  readonly timeout?: number;
  /** How many run at the same time: the cores of this machine unless told, at least 2, as most tasks wait a lot. */
  readonly parallel?: number;
  /** Called as soon as a task has failed, while others still run. */
  readonly onFailure?: () => void;
}

type TaskHost = Pick<Host, 'exec' | 'log' | 'clock'>;

const TAIL_LINES = 20;
/** What a crash writes after its reason, such as the stack of a heap that is full, is longer than a tail. */
const KEPT_LINES = 200;
const MAX_LINE = 2000;
const HEARTBEAT_MS = 30_000;

/**
 * Runs tasks, each once those before it have passed, as many at the same time as the machine has cores. A failure stops
 * what comes after it; all else still runs, so that one run tells every fault. A task that nothing can run beside shows
 * its lines as they come; several show theirs one after the other, each when it ends.
 * @returns the results in the order of the tasks
 * @throws UserError where a program does not exist, once those that run have ended; RangeError where tasks wait for each other
 */
export async function runTasks(
  tasks: readonly Task[],
  options: TaskOptions,
  host: TaskHost,
): Promise<readonly TaskResult[]> {
  const names = new Set(tasks.map(({ name }) => name));
  const before = new Map(tasks.map(({ name, after = [] }) => [name, after.filter((one) => names.has(one))]));
  const results = new Map<string, TaskResult>();
  const running = new Map<string, Promise<void>>();
  const faults: unknown[] = [];
  const parallel = options.parallel ?? Math.max(2, availableParallelism());
  const started = host.clock.now();
  const beat = setInterval(() => {
    const seconds = Math.round((host.clock.now() - started) / 1000);
    host.log.info(`still running after ${seconds} s: ${[...running.keys()].join(', ')}`);
  }, HEARTBEAT_MS);

  const waiting = (): readonly Task[] => tasks.filter(({ name }) => !results.has(name) && !running.has(name));
  const isReady = ({ name }: Task): boolean => before.get(name)?.every((one) => results.has(one)) === true;
  /** Whether all that still waits comes after this task, so that nothing will run beside it. */
  const standsAlone = (task: Task): boolean =>
    running.size === 0 && waiting().every((one) => one === task || comesAfter(one.name, task.name, before));

  const begin = (task: Task): void => {
    const live = standsAlone(task);
    const ended = (live ? alone(task, options, host) : beside(task, options, host)).then(
      (result) => void results.set(task.name, result),
      (error: unknown) => {
        faults.push(error);
        results.set(task.name, notRun(task.name, 'it could not be started'));
      },
    );
    running.set(
      task.name,
      ended.finally(() => {
        running.delete(task.name);
        if (results.get(task.name)?.status === 'failed') options.onFailure?.();
      }),
    );
  };

  try {
    while (results.size < tasks.length) {
      const ready = waiting().filter(isReady);
      for (const task of ready) {
        const broken = before.get(task.name)?.find((one) => results.get(one)?.status !== 'passed');
        if (broken !== undefined) results.set(task.name, notRun(task.name, reasonOf(broken, results)));
        // One that cannot even start, or a cancel, ends the run, but not before those under way have ended.
        else if (running.size < parallel && faults.length === 0) begin(task);
      }
      if (running.size > 0) await Promise.race(running.values());
      else if (faults.length > 0) throw faults[0];
      else if (ready.length === 0 && results.size < tasks.length) {
        throw new RangeError(
          `tasks wait for each other: ${waiting()
            .map(({ name }) => name)
            .join(', ')}`,
        );
      }
    }
    if (faults.length > 0) throw faults[0];
    return tasks.flatMap(({ name }) => results.get(name) ?? []);
  } finally {
    clearInterval(beat);
  }
}

function comesAfter(name: string, first: string, before: ReadonlyMap<string, readonly string[]>): boolean {
  return before.get(name)?.some((one) => one === first || comesAfter(one, first, before)) === true;
}

function reasonOf(broken: string, results: ReadonlyMap<string, TaskResult>): string {
  const { status, reason } = results.get(broken) ?? {};
  return status === 'not run' && reason !== undefined ? reason : `${broken} failed`;
}

async function beside(task: Task, options: TaskOptions, host: TaskHost): Promise<TaskResult> {
  host.log.info(`${task.name}: started`);
  const lines: string[] = [];
  const result = await perform(task, options, host, (line) => void lines.push(line));
  await host.log.group(outcome(result), async () => {
    for (const line of lines) host.log.info(line);
  });
  return result;
}

async function alone(task: Task, options: TaskOptions, host: TaskHost): Promise<TaskResult> {
  const result = await host.log.group(task.name, async () =>
    perform(task, options, host, (line) => host.log.info(line)),
  );
  host.log.info(outcome(result));
  return result;
}

function outcome({ name, status, seconds, timedOut }: TaskResult): string {
  return `${name}: ${timedOut === true ? 'ended for taking too long,' : status} after ${seconds.toFixed(1)} s`;
}

async function perform(
  task: Task,
  options: TaskOptions,
  { exec }: TaskHost,
  show: (line: string) => void,
): Promise<TaskResult> {
  const { name, cwd = '.', env } = task;
  const [program, ...args] = task.command;
  const once: RunOnce = async (addition = {}) => {
    // As they came: what a tool wrote to stdout is often the reason for the last words on stderr.
    const last: string[] = [];
    const onLine = (line: string): void => {
      show(line);
      if (line.trim() !== '') last.push(line.slice(0, MAX_LINE));
      if (last.length > KEPT_LINES) last.shift();
    };
    const { exitCode, took, timedOut } = await exec.run(program, [...args, ...(addition.args ?? [])], {
      cwd: path.resolve(options.cwd, cwd),
      onLine,
      ...((env ?? addition.env) && { env: { ...env, ...addition.env } }),
      ...(options.timeout !== undefined && { timeout: options.timeout }),
    });
    const [seconds, output] = [took / 1000, last.join('\n')];
    if (exitCode === 0 && timedOut !== true) {
      return { result: { name, status: 'passed', seconds, tail: '' }, output };
    }
    const tail = last.slice(-TAIL_LINES).join('\n');
    return { result: { name, status: 'failed', seconds, tail, ...(timedOut === true && { timedOut }) }, output };
  };
  return task.around === undefined ? (await once()).result : task.around(once);
}

function notRun(name: string, reason: string): TaskResult {
  return { name, status: 'not run', seconds: 0, tail: '', reason };
}
