import path from 'node:path';
import type { Host } from '../action/host.ts';
import { buildAction } from '../build/build.ts';
import type { BringDependencies, Ready, Runtime } from '../build/toolchain.ts';
import { install, runInstallHooks } from '../node/install.ts';
import { provideManager } from '../node/provide-manager.ts';
import { presentNode, provideNode, resolveAlias } from '../node/runtime.ts';
import { dependencyTree } from '../node/tree.ts';
import { type Project, openProject } from '../project/project.ts';
import { inputs } from './inputs.ts';
import { listVersions } from './list-versions.ts';
import { type NodePlan, leaveOut, planBuild } from './plan.ts';
import { nodeRecipe } from './recipe.ts';

type Output = 'node-version' | 'node-versions';

const build = buildAction({
  name: 'build-node',
  inputs,
  ecosystem: 'npm',
  outputs: ['node-version', 'node-versions'] as const,
  plan: planBuild,
  settle: async (plan, given, project, host) =>
    leaveOut({ ...plan, node: await resolveAlias(plan.node, host) }, given, project, host),
  installed: ['node_modules'],
  runtime: async ({ node }, host) => {
    const version = await presentNode(node, host);
    return version === undefined ? undefined : runtimeOf(version);
  },
  prepare,
  needsFiles: ({ publish }) => publish,
  recipe: nodeRecipe,
  async publish({ publish }, project, host) {
    if (!publish) return undefined;
    const { publishNpm } = await import('../publish/npm.ts');
    return publishNpm(project, host);
  },
});

/** The action build-node: what Node brings to the story that src/build tells, or the list of versions alone. */
export const buildNode: typeof build = {
  ...build,
  run: async (given, host) => (given.nodeVersions.length > 0 ? listVersions(given, host) : build.run(given, host)),
};

async function prepare(
  { node, manager }: NodePlan,
  { directory, workspace }: Project,
  host: Host,
  bring: BringDependencies,
): Promise<Ready<Output>> {
  const { version, from } = await provideNode(node, host);
  host.log.info(`Node ${version}, from ${from}`);
  const root = path.join(directory, manager.root);
  const provided = await provideManager(manager, root, version, host);
  host.log.info(
    `${manager.name}${provided.version === undefined ? '' : ` ${provided.version}`}, from ${provided.from}`,
  );
  // The lockfile's own folder: a package of a workspace has that of the workspace's root.
  const whole = openProject(path.relative(workspace, root) || '.', workspace);
  const tree = dependencyTree(manager, { node: version, manager: provided.version ?? '' }, whole);
  const { seconds, restored } = await bring(tree, root, async () => install(manager, root, host));
  if (restored) await runInstallHooks(whole, host);
  return { ...runtimeOf(version), installSeconds: seconds, restored };
}

function runtimeOf(version: string): Runtime<Output> {
  const outputs = { 'node-version': version, 'node-versions': JSON.stringify([version]) };
  return { runtime: `Node ${version}`, outputs };
}
