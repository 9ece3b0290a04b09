import semver from 'semver';
import { UserError, checkAll } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import type { BuildPlan } from '../build/toolchain.ts';
import { planImage } from '../image/plan.ts';
import { startCommand } from '../node-image/start.ts';
import { checkNpmLockfile } from '../node/lockfile.ts';
import { type PackageJson, readPackageJson } from '../node/manifest.ts';
import { type PackageManager, detectPackageManager } from '../node/package-manager.ts';
import { type ScriptPlan, planScripts, scriptTask } from '../node/scripts.ts';
import { type NodeVersion, SUPPORTED_LINES, USUAL_NODE, nodeVersion } from '../node/version.ts';
import { fileIn, locationBelow } from '../node/workspace-root.ts';
import type { ReadFile } from '../project/project.ts';
import type { NodeInputs } from './inputs.ts';

/** Everything build-node is going to do. */
export interface NodePlan extends BuildPlan {
  readonly manager: PackageManager;
  readonly node: NodeVersion;
}

/**
 * Decides everything out of the inputs and the project's files, which `read` gives.
 * @param location the project's path in the repository, `''` for its root
 * @throws UserError with all problems of both at once
 */
export function planBuild(given: NodeInputs, read: ReadFile, env: Host['env'], location = ''): NodePlan {
  const [project] = checkAll('the project cannot be built', [() => readPackageJson(read)]);
  const [manager, node, scripts, image] = checkAll('the project cannot be built as it is', [
    () => checkedManager(given, project, read, location),
    () => nodeVersion(read, given.nodeVersion, location),
    () => planScripts(project, given.scripts),
    () => planImage(given, read, env, () => startCommand(read, Object.hasOwn(project.scripts, 'build'))),
  ]);
  if (image !== undefined && image.dockerfile === undefined && manager.root !== '') throw noDockerfile(manager);
  const decided = { manager, node, ...(image && { image }) };
  return {
    ...decided,
    ...(project.name !== undefined && { name: project.name }),
    decisions: decisionsOf(decided, scripts),
    stages: scripts.stages.map((stage) => stage.map((script) => scriptTask(manager.name, script))),
    runner: scriptTask(manager.name, '').command.slice(0, 2).join(' '),
  };
}

/**
 * The base of a generated Dockerfile: the official slim image of the very version that the project names, or of its line
 * where it names a range.
 */
export function baseOf({ range }: NodeVersion): string {
  if (semver.valid(range) !== null) return `node:${semver.clean(range)}-slim`;
  const line = SUPPORTED_LINES.find((one) => semver.satisfies(`${one}.99.99`, range));
  return `node:${line ?? semver.minVersion(range)?.major ?? USUAL_NODE}-slim`;
}

function checkedManager(given: NodeInputs, project: PackageJson, read: ReadFile, location: string): PackageManager {
  const manager = detectPackageManager(read, given.packageManager, location);
  if (manager.name === 'npm') {
    const file = fileIn(manager.root, manager.lockfile);
    checkNpmLockfile(project, read(file) ?? '', file, locationBelow(manager.root, location));
  }
  return manager;
}

function noDockerfile({ root, lockfile }: PackageManager): UserError {
  return new UserError(
    `An image of one package of a workspace needs a Dockerfile of its own: ${fileIn(root, lockfile)} lies outside its folder.`,
    { remedy: 'Add a Dockerfile to the package, or set the input `directory` to the root of the workspace.' },
  );
}

function decisionsOf(
  { manager, node, image }: Pick<NodePlan, 'manager' | 'node' | 'image'>,
  scripts: ScriptPlan,
): readonly string[] {
  const run = scripts.stages.map((stage) => stage.join(' and ')).join(', then ');
  return [
    `package manager: ${managerDecision(manager)}`,
    `Node: ${node.range}, by ${node.reason}`,
    `scripts: ${run || 'none'}${scripts.absent.length > 0 ? `; package.json has no ${scripts.absent.join(', ')}` : ''}`,
    ...(image === undefined ? [] : [`image: ${image.name}, by ${image.dockerfile ?? 'a generated Dockerfile'}`]),
  ];
}

function managerDecision({ name, version, range, reason, root, leftOver }: PackageManager): string {
  const which = version ?? (name === 'npm' && range === '*' ? '' : range);
  return [
    `${name}${which === '' ? '' : ` ${which}`}, by ${reason}`,
    ...(root === '' ? [] : [`installed in ${root}, the root of its workspace`]),
    ...(leftOver.length === 0 ? [] : [`${leftOver.join(', ')} left over and not read`]),
  ].join('; ');
}
