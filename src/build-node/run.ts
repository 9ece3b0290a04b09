import type { Host } from '../action/host.ts';
import { buildAction } from '../build/build.ts';
import type { Ready } from '../build/toolchain.ts';
import type { ImageRecipe } from '../image/recipe.ts';
import { type DockerfilePlan, SETTINGS, generateDockerfile, planDockerfile } from '../node-image/dockerfile.ts';
import { NPMRC, readNpmrc } from '../node-image/npmrc.ts';
import { install } from '../node/install.ts';
import { provideNode } from '../node/runtime.ts';
import type { Project } from '../project/project.ts';
import { inputs } from './inputs.ts';
import { type NodePlan, baseOf, planBuild } from './plan.ts';

/** The action build-node: what Node brings to the story that src/build tells. */
export const buildNode = buildAction({
  name: 'build-node',
  inputs,
  outputs: ['node-version'] as const,
  plan: (given, { read }, env) => planBuild(given, read, env),
  prepare,
  recipe,
});

async function prepare(
  { node, manager }: NodePlan,
  { directory }: Project,
  host: Host,
): Promise<Ready<'node-version'>> {
  const { version, from } = await provideNode(node, host);
  host.log.info(`Node ${version}, from ${from}`);
  const installSeconds = await install(manager, directory, host);
  return { runtime: `Node ${version}`, installSeconds, outputs: { 'node-version': version } };
}

async function recipe(plan: NodePlan, _given: unknown, { read }: Project, host: Host): Promise<ImageRecipe> {
  const { manager, node, stages, image } = plan;
  const npmrc = await readNpmrc(read, host);
  const planned = (base: string): DockerfilePlan => planDockerfile(read, { base, manager, npmrc: npmrc !== undefined });
  const installsFirst = image?.dockerfile !== undefined || planned('').sourcesFirst === undefined;
  const installed = ['package.json', manager.lockfile, ...SETTINGS].map((file) => read(file) ?? '');
  return {
    base: baseOf(node),
    generate: (base) => generateDockerfile(planned(base)),
    ...(installsFirst && { dependencies: installed }),
    ignored: ['**/node_modules', '**/.npmrc', '**/npm-debug.log*'],
    // What .npmrc says decides what is installed, but it is no file of the context: it comes as a secret.
    settings: read('.npmrc') ?? '',
    secrets: new Map(npmrc === undefined ? [] : [[NPMRC, npmrc]]),
    before: JSON.stringify([manager.install, manager.version ?? '', node.range, stages]),
  };
}
