import semver from 'semver';
import { UserError, checkAll } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import type { BuildPlan } from '../build/toolchain.ts';
import { type ImagePlan, planImage } from '../image/plan.ts';
import { startCommand } from '../node-image/start.ts';
import { checkNpmLockfile } from '../node/lockfile.ts';
import { type PackageJson, readPackageJson } from '../node/manifest.ts';
import { type ManagerName, type PackageManager, detectPackageManager } from '../node/package-manager.ts';
import { planScripts, scriptTask, showOrder } from '../node/scripts.ts';
import { type NodeVersion, SUPPORTED_LINES, USUAL_NODE, nodeVersion } from '../node/version.ts';
import { fileIn, locationBelow } from '../node/workspace-root.ts';
import { checkPublishable } from '../publish/publishable.ts';
import { type Project, type ReadFile, locationOf } from '../project/project.ts';
import { type Affected, findAffected } from '../workspace/affected.ts';
import { orchestratorOf } from '../workspace/files.ts';
import { planWorkspaceScripts } from '../workspace/scripts.ts';
import type { NodeInputs } from './inputs.ts';
import { type Place, placeOf } from './place.ts';
import { recordTasks } from './record.ts';

/** Everything build-node is going to do. */
export interface NodePlan extends BuildPlan {
  readonly manager: PackageManager;
  readonly node: NodeVersion;
  /** Absent where the project is no part of a workspace. */
  readonly place?: Place;
  /** The scripts as they are where nothing is left out: a Dockerfile of the team's own may copy what they made. */
  readonly before: string;
}

/**
 * Decides everything out of the inputs and the project's files.
 * @throws UserError with all problems of both at once
 */
export function planBuild(given: NodeInputs, project: Project, env: Host['env']): NodePlan {
  const { read } = project;
  const [manifest, place] = checkAll('the project cannot be built', [
    () => readPackageJson(read),
    () => placeOf(project),
  ]);
  const location = locationOf(project);
  const [manager, node, image] = checkAll('the project cannot be built as it is', [
    () => checkedManager(given, manifest, read, location),
    () => nodeVersion(read, given.nodeVersion, location),
    () => planImage(given, read, env, () => startCommand(read, Object.hasOwn(manifest.scripts, 'build'))),
    () => (given.publish ? checkPublishable(read) : undefined),
    // Told together with the others; what comes of it depends on the manager.
    () => scriptsOf({ given, manifest, place, manager: 'npm', image: undefined }),
  ]);
  const alone = place === undefined && manager.root !== '';
  if (image !== undefined && image.dockerfile === undefined && alone) throw noDockerfile(manager);
  const decided = { manager, node, ...(image && { image }), ...(place && { place }) };
  const scripts = scriptsOf({ given, manifest, place, manager: manager.name, image });
  return {
    ...decided,
    locked: {
      lockfile: manager.lockfile,
      root: manager.root,
      ...(manager.root !== '' && { member: locationBelow(manager.root, location) }),
    },
    ...(manifest.name !== undefined && { name: manifest.name }),
    ...scripts,
    tasks: recordTasks(scripts.tasks, manager.name, project.directory),
    decisions: [...decisionsOf(decided), ...scripts.decisions],
    before: JSON.stringify(scripts.tasks.map(({ name, command, after }) => ({ name, command, after }))),
    runner: scriptTask(manager.name, '').command.slice(0, 2).join(' '),
  };
}

/** The plan without the scripts of packages that did not change since they were last found good. */
export async function leaveOut(plan: NodePlan, given: NodeInputs, project: Project, host: Host): Promise<NodePlan> {
  const { place, manager, image } = plan;
  if (!given.affected) return plan;
  if (place === undefined) {
    return { ...plan, skipped: ['Nothing was skipped: `affected` knows packages of a workspace, and this is none.'] };
  }
  const where = { ...place, repository: project.workspace, manager };
  const affected = await findAffected(where, given.githubToken, host);
  const manifest = readPackageJson(project.read);
  const scripts = scriptsOf({ given, manifest, place, manager: manager.name, image, affected });
  const tasks = recordTasks(scripts.tasks, manager.name, project.directory);
  return { ...plan, ...scripts, tasks, decisions: [...decisionsOf(plan), ...scripts.decisions] };
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

interface Scripts extends Pick<NodePlan, 'tasks' | 'decisions' | 'skipped'> {}

function scriptsOf({
  given,
  manifest,
  place,
  manager,
  image,
  affected,
}: {
  readonly given: NodeInputs;
  readonly manifest: PackageJson;
  readonly place: Place | undefined;
  readonly manager: ManagerName;
  readonly image: ImagePlan | undefined;
  readonly affected?: Affected;
}): Scripts {
  if (place === undefined) {
    const { order, absent } = planScripts(manifest, given.scripts);
    const run = showOrder(order);
    const none = absent.length > 0 ? `; package.json has no ${absent.join(', ')}` : '';
    return {
      tasks: [...order].map(([script, after]) => ({ ...scriptTask(manager, script), after })),
      decisions: [`scripts: ${run || 'none'}${none}`],
    };
  }
  const orchestrator = orchestratorOf(place.read);
  const { tasks, decisions, skipped } = planWorkspaceScripts({
    ...place,
    manager,
    named: given.scripts,
    ...(affected && { affected }),
    ...(orchestrator && { orchestrator }),
    keepBuilds: image?.dockerfile !== undefined,
  });
  return { tasks, decisions, skipped };
}

function decisionsOf({
  manager,
  node,
  image,
}: Pick<NodePlan, 'manager' | 'node'> & { readonly image?: ImagePlan }): readonly string[] {
  return [
    `package manager: ${managerDecision(manager)}`,
    `Node: ${node.range}, by ${node.reason}`,
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
