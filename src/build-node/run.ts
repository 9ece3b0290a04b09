import path from 'node:path';
import type { Host } from '../action/host.ts';
import { buildAction } from '../build/build.ts';
import type { Ready } from '../build/toolchain.ts';
import { install } from '../node/install.ts';
import { provideManager } from '../node/provide-manager.ts';
import { provideNode, resolveAlias } from '../node/runtime.ts';
import type { Project } from '../project/project.ts';
import { inputs } from './inputs.ts';
import { listVersions } from './list-versions.ts';
import { type NodePlan, leaveOut, planBuild } from './plan.ts';
import { nodeRecipe } from './recipe.ts';

const build = buildAction({
  name: 'build-node',
  inputs,
  ecosystem: 'npm',
  outputs: ['node-version', 'node-versions'] as const,
  plan: planBuild,
  settle: async (plan, given, project, host) =>
    leaveOut({ ...plan, node: await resolveAlias(plan.node, host) }, given, project, host),
  prepare,
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
  { directory }: Project,
  host: Host,
): Promise<Ready<'node-version' | 'node-versions'>> {
  const { version, from } = await provideNode(node, host);
  host.log.info(`Node ${version}, from ${from}`);
  const root = path.join(directory, manager.root);
  const provided = await provideManager(manager, root, version, host);
  host.log.info(
    `${manager.name}${provided.version === undefined ? '' : ` ${provided.version}`}, from ${provided.from}`,
  );
  const installSeconds = await install(manager, root, host);
  return {
    runtime: `Node ${version}`,
    installSeconds,
    outputs: { 'node-version': version, 'node-versions': JSON.stringify([version]) },
  };
}
