import type { Host } from '../action/host.ts';
import { buildAction } from '../build/build.ts';
import type { Ready } from '../build/toolchain.ts';
import { install } from '../node/install.ts';
import { provideNode } from '../node/runtime.ts';
import type { Project } from '../project/project.ts';
import { inputs } from './inputs.ts';
import { nodeRecipe } from './recipe.ts';
import { type NodePlan, leaveOut, planBuild } from './plan.ts';

/** The action build-node: what Node brings to the story that src/build tells. */
export const buildNode = buildAction({
  name: 'build-node',
  inputs,
  outputs: ['node-version'] as const,
  plan: planBuild,
  narrow: leaveOut,
  prepare,
  recipe: nodeRecipe,
});

async function prepare(
  { node, manager, place }: NodePlan,
  { directory }: Project,
  host: Host,
): Promise<Ready<'node-version'>> {
  const { version, from } = await provideNode(node, host);
  host.log.info(`Node ${version}, from ${from}`);
  const installSeconds = await install(manager, place?.folder ?? directory, host);
  return { runtime: `Node ${version}`, installSeconds, outputs: { 'node-version': version } };
}
