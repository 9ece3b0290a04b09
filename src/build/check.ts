import type { Host } from '../action/host.ts';
import type { Spec } from '../action/inputs.ts';
import type { Thresholds } from '../coverage/outcome.ts';
import type { Project } from '../project/project.ts';
import { TestWatch } from './test-watch.ts';
import { runTasks } from '../task/task.ts';
import type { TestSummary } from '../test-report/result.ts';
import type { buildInputs } from './inputs.ts';
import { measureCoverage } from './coverage.ts';
import type { BuildReport } from './report.ts';
import { type Passed, type Reuse, passedBefore } from './reuse.ts';
import { type TestOutcome, tellTests } from './tests.ts';
import type { BuildPlan, Ready, Runtime, Toolchain } from './toolchain.ts';

/** What the checks of a build came to, as its report takes it. */
export type Checked<O extends string> = Pick<BuildReport, 'tasks' | 'failedTests'> &
  Partial<Pick<BuildReport, 'coverage'>> &
  Partial<TestOutcome> &
  Partial<Ready<O>>;

/** What is known of a build before anything runs. */
export interface Known<O extends string> {
  readonly runtime?: Runtime<O>;
  readonly passed: Passed;
}

/** What there is to check. */
export interface Work<P extends BuildPlan> {
  readonly plan: P;
  readonly project: Project;
  readonly reuse: Reuse;
  readonly known: Passed;
  /** Longest time of one task, in milliseconds. */
  readonly timeout: number;
  /** How often a task of tests is run again after it failed. */
  readonly retries: number;
  readonly wanted: Thresholds;
  /** Called as soon as a task has failed, while others still run. */
  readonly onFailure?: () => void;
}

/** Asks which tasks passed before on the same content; to be asked before anything runs. */
export async function lookUp<S extends Spec & typeof buildInputs, P extends BuildPlan, O extends string>(
  toolchain: Toolchain<S, P, O>,
  plan: P,
  directory: string,
  reuse: Reuse,
  wanted: Thresholds,
  host: Host,
): Promise<Known<O>> {
  const runtime = await toolchain.runtime(plan, host);
  const found = await reuse.look(plan.tasks, directory, runtime?.runtime, toolchain.installed);
  const passed = Object.keys(wanted).length > 0 ? withoutTests(found, plan) : found;
  return { ...(runtime && { runtime }), passed };
}

/** Where every task passed before on the same content and its image is there, nothing has to be installed or run. */
export function takeOver<O extends string>(plan: BuildPlan, { runtime, passed }: Known<O>, host: Host): Checked<O> {
  host.log.info('every task passed before on the same content, and its image is there: nothing is installed or run');
  const tasks = plan.tasks.flatMap((task) => {
    const result = passed.known.get(task.name);
    return result === undefined ? [] : [passedBefore(task, result)];
  });
  return { ...runtime, tasks, failedTests: [], ...testsOf(passed) };
}

/** Installs, runs the tasks and reads what the tests said. What passed before and leaves nothing behind is not run. */
export async function check<S extends Spec & typeof buildInputs, P extends BuildPlan, O extends string>(
  toolchain: Toolchain<S, P, O>,
  { plan, project, reuse, known, timeout, retries, wanted, onFailure }: Work<P>,
  host: Host,
): Promise<Checked<O>> {
  const ready = await toolchain.prepare(plan, project, host, reuse.bring);
  const before = new Map(
    plan.tasks.flatMap((task) => {
      const result = task.leavesNothing === true ? known.known.get(task.name) : undefined;
      return result === undefined ? [] : [[task.name, passedBefore(task, result)] as const];
    }),
  );
  for (const [name, { passedBefore: commit }] of before) host.log.info(`${name}: passed before, by commit ${commit}`);
  const began = host.clock.now();
  const left = plan.tasks.filter(({ name }) => !before.has(name));
  const watch = new TestWatch(project, { retries, runtime: ready.runtime }, host);
  const watched = left.map((task) => watch.watch(task));
  const ran = await runTasks(watched, { cwd: project.directory, timeout, ...(onFailure && { onFailure }) }, host);
  const tasks = plan.tasks.flatMap(({ name }) => before.get(name) ?? ran.find((one) => one.name === name) ?? []);
  const read = tellTests(watch.outcome(), project, host);
  known.keep(tasks, read.tests);
  // Tests that passed before wrote no report now, and those that failed wrote one of a part.
  const isWhole = tasks.every((task) => task.status === 'passed' && task.passedBefore === undefined);
  const coverage = await measureCoverage(project, began, isWhole ? wanted : {}, host);
  return { ...ready, tasks, ...testsOf(known, before), ...read, ...(coverage && { coverage }) };
}

/** Tests whose coverage has to reach something run again with what comes after them, since only they tell it. */
function withoutTests(passed: Passed, { tasks }: BuildPlan): Passed {
  const tests = new Set(tasks.filter(({ record }) => record !== undefined).map(({ name }) => name));
  const again = tasks.filter(({ name, after }) => tests.has(name) || after?.some((one) => tests.has(one)));
  const known = new Map(passed.known);
  for (const { name } of again) known.delete(name);
  return { ...passed, known, all: passed.all && again.length === 0 };
}

/** What the tests said then, of the tasks that are not run now. */
function testsOf({ known }: Passed, taken: ReadonlyMap<string, unknown> = known): { readonly tests?: TestSummary } {
  const found = [...known].find(([name, { tests }]) => taken.has(name) && tests !== undefined)?.[1].tests;
  return found === undefined ? {} : { tests: found };
}
