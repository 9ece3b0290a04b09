import semver from 'semver';
import { checkAll } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import type { BuildPlan } from '../build/toolchain.ts';
import { planImage } from '../image/plan.ts';
import { startCommand } from '../node-image/start.ts';
import { checkNpmLockfile } from '../node/lockfile.ts';
import { type PackageJson, readPackageJson } from '../node/manifest.ts';
import { type PackageManager, detectPackageManager } from '../node/package-manager.ts';
import { type ScriptPlan, planScripts, scriptTask } from '../node/scripts.ts';
import { type NodeVersion, USUAL_NODE, nodeVersion } from '../node/version.ts';
import type { ReadFile } from '../project/project.ts';
import type { NodeInputs } from './inputs.ts';

/** Everything build-node is going to do. */
export interface NodePlan extends BuildPlan {
  readonly manager: PackageManager;
  readonly node: NodeVersion;
}

/** The usual line of Node and those with long-term support before it, the newest first. */
const SUPPORTED_LINES = [0, 2, 4, 6, 8].map((older) => Number(USUAL_NODE) - older);

/**
 * Decides everything out of the inputs and the project's files, which `read` gives.
 * @throws UserError with all problems of both at once
 */
export function planBuild(given: NodeInputs, read: ReadFile, env: Host['env']): NodePlan {
  const [project] = checkAll('the project cannot be built', [() => readPackageJson(read)]);
  const [manager, node, scripts, image] = checkAll('the project cannot be built as it is', [
    () => checkedManager(given, project, read),
    () => nodeVersion(read, given.nodeVersion),
    () => planScripts(project, given.scripts),
    () => planImage(given, read, env, () => startCommand(read, Object.hasOwn(project.scripts, 'build'))),
  ]);
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

function checkedManager(given: NodeInputs, project: PackageJson, read: ReadFile): PackageManager {
  const manager = detectPackageManager(read, given.packageManager);
  if (manager.name === 'npm') checkNpmLockfile(project, read(manager.lockfile) ?? '', manager.lockfile);
  return manager;
}

function decisionsOf(
  { manager, node, image }: Pick<NodePlan, 'manager' | 'node' | 'image'>,
  scripts: ScriptPlan,
): readonly string[] {
  const run = scripts.stages.map((stage) => stage.join(' and ')).join(', then ');
  return [
    `package manager: ${manager.name}${manager.version === undefined ? '' : ` ${manager.version}`}, by ${manager.reason}`,
    `Node: ${node.range}, by ${node.reason}`,
    `scripts: ${run || 'none'}${scripts.absent.length > 0 ? `; package.json has no ${scripts.absent.join(', ')}` : ''}`,
    ...(image === undefined ? [] : [`image: ${image.name}, by ${image.dockerfile ?? 'a generated Dockerfile'}`]),
  ];
}
