import path from 'node:path';
import type { RunResult } from '../action/exec.ts';
import { NETWORK, explainFailure } from './install-errors.ts';
import { type InstallPlan, type Step, planInstall, venvOf } from './install-plan.ts';
import type { ToolName } from './pins.ts';
import type { Interpreter } from './interpreter.ts';
import type { PythonProject } from './project.ts';
import { type Program, type PythonHost, type ToolPlace, UV_ENV, provideTool, toolBin } from './uv.ts';

/** What installs: a project's folder, the interpreter and uv. */
export interface Installation {
  readonly project: PythonProject;
  /** Folder of the project, absolute. */
  readonly directory: string;
  readonly python: Interpreter;
  readonly uv: Program;
}

/** A project's environment with all its packages. */
export interface Installed {
  /** The virtual environment, absolute. */
  readonly venv: string;
  readonly seconds: number;
  /** How strictly versions were held, as a phrase for the log. */
  readonly pinned: string;
}

/** Waits before an installation is tried again that the network broke, milliseconds. */
const RETRY_AFTER_MS = [2000, 10_000];
const STEP_TIMEOUT_MS = 30 * 60_000;

/**
 * Installs into the project's `.venv` exactly what its lockfile says, with what checks need. A step that the network
 * broke is tried again, as each leaves what it has got in a cache.
 * @throws UserError with the remedy for the usual failures, with the last lines that were written for all others
 */
export async function installProject(given: Installation, host: PythonHost): Promise<Installed> {
  const { project, directory, python, uv } = given;
  const started = host.clock.now();
  const plan = planInstall(project, directory, python.path);
  const programs = new Map<string, Program>([['uv', uv]]);
  for (const { program } of plan.steps) {
    if (program !== 'uv' && !programs.has(program)) programs.set(program, await provideTool(program, uv, host));
  }
  for (const step of plan.steps) {
    const program = programs.get(step.program) ?? uv;
    const result = await perform(step, program, plan, directory, host);
    if (result.exitCode !== 0) {
      throw explainFailure({ project, step, written: `${result.stdout}\n${result.stderr}`, exitCode: result.exitCode });
    }
  }
  const seconds = (host.clock.now() - started) / 1000;
  return { venv: venvOf(project, directory), seconds, pinned: plan.pinned };
}

async function perform(
  step: Step,
  program: Program,
  { env }: InstallPlan,
  cwd: string,
  host: PythonHost,
): Promise<RunResult> {
  const options = {
    cwd,
    env: { ...UV_ENV, ...env },
    timeout: STEP_TIMEOUT_MS,
    onLine: (line: string) => host.log.info(line),
  };
  const title = [step.program, ...step.args].join(' ');
  for (let attempt = 0; ; attempt += 1) {
    const result = await host.log.group(title, async () => host.exec.run(program.path, step.args, options));
    const wait = RETRY_AFTER_MS[attempt];
    const broken = result.exitCode !== 0 && NETWORK.test(`${result.stdout}\n${result.stderr}`);
    if (!broken || wait === undefined) return result;
    host.log.info(`the index did not answer; trying again in ${wait / 1000} s`);
    await host.clock.sleep(wait, host.signal);
  }
}

/**
 * What programs of a project run with: its environment first on PATH, as after `activate`, and what is brought for them
 * last, so that a version of the project's own comes first.
 */
export function activated(
  venv: string,
  brings: readonly ToolName[],
  host: ToolPlace,
): Readonly<Record<string, string>> {
  const folders = [path.join(venv, 'bin'), host.env['PATH'] ?? '', ...brings.map((name) => toolBin(name, host))];
  return { VIRTUAL_ENV: venv, PATH: folders.filter((folder) => folder !== '').join(path.delimiter) };
}
