import path from 'node:path';
import type { Host } from '../action/host.ts';
import { buildAction } from '../build/build.ts';
import type { Ready } from '../build/toolchain.ts';
import type { ImageRecipe } from '../image/recipe.ts';
import { type DockerfilePlan, SETTINGS, generateDockerfile, planDockerfile } from '../node-image/dockerfile.ts';
import { NPMRC, readNpmrc } from '../node-image/npmrc.ts';
import { install } from '../node/install.ts';
import { provideManager } from '../node/provide-manager.ts';
import { provideNode, resolveAlias } from '../node/runtime.ts';
import { fileIn } from '../node/workspace-root.ts';
import { type Project, locationOf } from '../project/project.ts';
import { inputs } from './inputs.ts';
import { listVersions } from './list-versions.ts';
import { type NodePlan, baseOf, planBuild } from './plan.ts';

const build = buildAction({
  name: 'build-node',
  inputs,
  outputs: ['node-version', 'node-versions'] as const,
  plan: (given, project, env) => planBuild(given, project.read, env, locationOf(project)),
  settle: async (plan, host) => ({ ...plan, node: await resolveAlias(plan.node, host) }),
  prepare,
  recipe,
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

async function recipe(plan: NodePlan, _given: unknown, { read }: Project, host: Host): Promise<ImageRecipe> {
  const { manager, node, stages, image } = plan;
  const npmrc = await readNpmrc(read, host);
  const planned = (base: string): DockerfilePlan => planDockerfile(read, { base, manager, npmrc: npmrc !== undefined });
  const installsFirst = image?.dockerfile !== undefined || planned('').sourcesFirst === undefined;
  const installed = ['package.json', fileIn(manager.root, manager.lockfile), ...SETTINGS].map(
    (file) => read(file) ?? '',
  );
  return {
    base: baseOf(node),
    generate: (base) => generateDockerfile(planned(base)),
    ...(installsFirst && { dependencies: installed }),
    ignored: ['**/node_modules', '**/.npmrc', '**/npm-debug.log*'],
    // What .npmrc says decides what is installed, but it is no file of the context: it comes as a secret.
    settings: read('.npmrc') ?? '',
    secrets: new Map(npmrc === undefined ? [] : [[NPMRC, npmrc]]),
    before: JSON.stringify([manager.install, manager.version ?? manager.usual ?? manager.range, node.range, stages]),
  };
}
