import { availableParallelism } from 'node:os';
import type { Host } from '../action/host.ts';

/** A named program with its arguments, such as the script `test`. */
export interface Task {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Where it runs, absolute; the project's folder where it says nothing. */
  readonly cwd?: string;
  /** Names of tasks that have to succeed before this one starts. */
  readonly after?: readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What came of a task; one whose stage never came is `not run`. */
export interface TaskResult {
  readonly name: string;
  readonly status: 'passed' | 'failed' | 'not run';
  readonly seconds: number;
  /** The last lines it wrote, unsafe as they are; empty unless it failed. */
  readonly tail: string;
}

type TaskHost = Pick<Host, 'exec' | 'log' | 'clock'>;

const TAIL_LINES = 20;
const MAX_LINE = 2000;
const HEARTBEAT_MS = 30_000;
/** Most programs use more than one core; a few of them at once keep the machine busy without drowning it. */
const AT_ONCE = Math.max(4, availableParallelism());

/**
 * Runs stage after stage, the tasks of a stage at the same time, each once those that it names in `after` have
 * succeeded. All of a stage are waited for even when one fails, so
 * that one run tells every fault; then no further stage starts. A task alone shows its lines as they come, several
 * show theirs one after the other, each when it ends.
 */
export async function runStages(
  stages: readonly (readonly Task[])[],
  cwd: string,
  host: TaskHost,
): Promise<readonly TaskResult[]> {
  const results: TaskResult[] = [];
  for (const stage of stages) {
    const broken = results.some(({ status }) => status === 'failed');
    results.push(...(broken ? stage.map(({ name }) => notRun(name)) : await runStage(stage, cwd, host)));
  }
  return results;
}

async function runStage(stage: readonly Task[], cwd: string, host: TaskHost): Promise<readonly TaskResult[]> {
  const [only] = stage;
  if (stage.length === 1 && only !== undefined) return [await alone(only, cwd, host)];
  const waiting = stage.some(({ after = [] }) => after.length > 0) ? ', each once what it needs is built' : '';
  host.log.info(`running at the same time${waiting}: ${stage.map(({ name }) => name).join(', ')}`);
  const running = new Set<string>();
  const ended = new Map<string, Promise<TaskResult>>();
  const free = slots(AT_ONCE);
  const started = host.clock.now();
  const beat = setInterval(() => {
    const seconds = Math.round((host.clock.now() - started) / 1000);
    host.log.info(`still running after ${seconds} s: ${[...running].join(', ')}`);
  }, HEARTBEAT_MS);
  try {
    const start = async (task: Task): Promise<TaskResult> => {
      // Whatever the order of the stage, all have an entry in `ended` by now.
      await Promise.resolve();
      const before = await Promise.all((task.after ?? []).map(async (name) => ended.get(name)));
      if (before.some((one) => one !== undefined && one.status !== 'passed')) return notRun(task.name);
      const lines: string[] = [];
      const result = await free(async () => {
        running.add(task.name);
        return perform(task, cwd, host, (line) => void lines.push(line));
      });
      running.delete(task.name);
      await host.log.group(`${task.name}: ${result.status} after ${result.seconds.toFixed(1)} s`, async () => {
        for (const line of lines) host.log.info(line);
      });
      return result;
    };
    for (const task of stage) ended.set(task.name, start(task));
    const ends = stage.map(({ name }) => ended.get(name) ?? Promise.resolve(notRun(name)));
    // One that can't even start, or a cancel, must not leave the others behind unwatched.
    const settled = await Promise.allSettled(ends);
    return settled.map((end) => {
      if (end.status === 'rejected') throw end.reason;
      return end.value;
    });
  } finally {
    clearInterval(beat);
  }
}

/** Lets at most `many` pieces of work go on; the others wait for their turn. */
function slots(many: number): <T>(work: () => Promise<T>) => Promise<T> {
  let left = many;
  const queue: (() => void)[] = [];
  return async (work) => {
    if (left > 0) left -= 1;
    else await new Promise<void>((resolve) => queue.push(resolve));
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next === undefined) left += 1;
      else next();
    }
  };
}

async function alone(task: Task, cwd: string, host: TaskHost): Promise<TaskResult> {
  const ended = await host.log.group(task.name, async () => perform(task, cwd, host, (line) => host.log.info(line)));
  host.log.info(`${task.name}: ${ended.status} after ${ended.seconds.toFixed(1)} s`);
  return ended;
}

async function perform(
  { name, command: [program, ...args], cwd: own, env }: Task,
  cwd: string,
  { exec }: TaskHost,
  show: (line: string) => void,
): Promise<TaskResult> {
  // As they came: what a tool wrote to stdout is often the reason for the last words on stderr.
  const last: string[] = [];
  const onLine = (line: string): void => {
    show(line);
    if (line.trim() !== '') last.push(line.slice(0, MAX_LINE));
    if (last.length > TAIL_LINES) last.shift();
  };
  const { exitCode, took } = await exec.run(program, args, {
    cwd: own ?? cwd,
    onLine,
    ...(env !== undefined && { env }),
  });
  const failed = exitCode !== 0;
  return { name, status: failed ? 'failed' : 'passed', seconds: took / 1000, tail: failed ? last.join('\n') : '' };
}

function notRun(name: string): TaskResult {
  return { name, status: 'not run', seconds: 0, tail: '' };
}
