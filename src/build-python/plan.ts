import path from 'node:path';
import { checkAll } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import type { BuildPlan } from '../build/toolchain.ts';
import { planImage } from '../image/plan.ts';
import type { Project } from '../project/project.ts';
import { type CheckPlan, checkTasks, planChecks, runnerOf } from '../python/checks.ts';
import { activated } from '../python/install.ts';
import { venvOf } from '../python/install-plan.ts';
import type { PythonProject } from '../python/project.ts';
import { type PythonRange, pythonRange } from '../python/version.ts';
import { type PythonImageGiven, planPythonImage } from '../python-image/plan.ts';
import { openTree } from '../python-image/tree.ts';
import type { PythonInputs } from './inputs.ts';
import { chosenProject } from './manager.ts';

/** Everything build-python is going to do. */
export interface PythonPlan extends BuildPlan {
  readonly project: PythonProject;
  readonly range: PythonRange;
  readonly checks: CheckPlan;
  /** Build the sdist and the wheel. */
  readonly package: boolean;
}

/** Folder of the project in which the checks write their reports, where they are looked for. */
export const REPORTS = 'test-reports';

/**
 * Decides everything out of the inputs and the project's files.
 * @throws UserError with all problems of both at once
 */
export function planBuild(given: PythonInputs, { directory, workspace, read }: Project, env: Host['env']): PythonPlan {
  const parents = path.relative(workspace, directory).split(path.sep).filter(Boolean).length;
  const [found] = checkAll('the project cannot be built', [() => chosenProject(read, given.packageManager, parents)]);
  const dev = { groups: all(found.dev.groups, given.groups), extras: all(found.dev.extras, given.extras) };
  const project = { ...found, dev };
  const reports = path.join(directory, REPORTS);
  const [range, checks, image] = checkAll('the project cannot be built as it is', [
    () => pythonRange(read, given.pythonVersion),
    () => planChecks(project, read, reports, given.checks),
    () => planImage(given, read, env, () => imageOf(project, directory, { base: '', python: '3' })),
  ]);
  const venv = venvOf(project, directory);
  const place = { env, info: { temp: env['RUNNER_TEMP'] ?? '' } };
  const decided = { project, range, checks, package: given.package || given.publish, ...(image && { image }) };
  return {
    ...decided,
    ...(project.name !== undefined && { name: project.name }),
    ...lockedIn(project, directory),
    decisions: decisionsOf(decided),
    tasks: checkTasks(checks, { venv, reports, env: activated(venv, checks.brings, place) }),
    runner: runnerOf(project.tool),
  };
}

/** Where its packages are locked, as those who read lockfiles of all languages ask. */
function lockedIn({ lockfile, root }: PythonProject, directory: string): Pick<BuildPlan, 'locked'> {
  if (lockfile === undefined) return {};
  const name = path.posix.relative(root, lockfile);
  if (root === '.') return { locked: { lockfile: name, root: '' } };
  return { locked: { lockfile: name, root, member: path.relative(path.resolve(directory, root), directory) } };
}

/** The plan of the project's image upon a base. */
export function imageOf(
  project: PythonProject,
  directory: string,
  given: Pick<PythonImageGiven, 'base' | 'python' | 'secrets'>,
): ReturnType<typeof planPythonImage> {
  const { tool, root, name } = project;
  const lockfile = path.posix.relative(root, project.lockfile ?? 'pyproject.toml');
  return planPythonImage(openTree(path.resolve(directory, root)), {
    ...given,
    installer: { name: tool, lockfile },
    ...(root !== '.' && name !== undefined && { member: name }),
  });
}

/** `3.13` of `3.13.2`. */
export function lineOf(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}

/** The base of a generated Dockerfile: the slim image of the Python that tests run on; its very version where the project names one. */
export function baseOf({ rules }: Pick<PythonRange, 'rules'>, version: string): string {
  const exact = rules.some(({ sets }) =>
    sets.some((set) =>
      set.some(({ operator, prefix, version: { release } }) => operator === '==' && !prefix && release.length > 2),
    ),
  );
  return `python:${exact ? version : lineOf(version)}-slim`;
}

function all(found: readonly string[], named: readonly string[]): readonly string[] {
  return [...new Set([...found, ...named])];
}

function decisionsOf({
  project,
  range,
  checks,
  image,
}: Pick<PythonPlan, 'project' | 'range' | 'checks' | 'image'>): readonly string[] {
  return [
    `package manager: ${project.tool}, by ${project.reason}`,
    `Python: ${range.reason}`,
    ...checks.decisions,
    ...(image === undefined ? [] : [`image: ${image.name}, by ${image.dockerfile ?? 'a generated Dockerfile'}`]),
  ];
}
