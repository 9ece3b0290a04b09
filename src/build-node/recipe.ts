import type { Host } from '../action/host.ts';
import type { ImageRecipe } from '../image/recipe.ts';
import { type DockerfilePlan, SETTINGS, generateDockerfile, planDockerfile } from '../node-image/dockerfile.ts';
import { NPMRC, readNpmrc } from '../node-image/npmrc.ts';
import {
  ignoredPackages,
  generateWorkspaceDockerfile,
  planWorkspaceDockerfile,
} from '../node-image/workspace-dockerfile.ts';
import { fileIn } from '../node/workspace-root.ts';
import type { Project } from '../project/project.ts';
import { resolutionsOf } from '../workspace/lockfile.ts';
import { closureOf } from '../workspace/order.ts';
import type { Place } from './place.ts';
import { type NodePlan, baseOf } from './plan.ts';

/** What never belongs into the image of a Node project. */
const IGNORED = ['**/node_modules', '**/.npmrc', '**/npm-debug.log*'];
/** Of the root of a workspace: words for people and settings of tools that no build reads. */
const OF_NO_MATTER = ['.github', '.vscode', '.idea', '.husky', '.changeset', '*.md'];

/** How the image of a Node project is made: of the project alone, or of a package with what it needs of its workspace. */
export async function nodeRecipe(plan: NodePlan, _given: unknown, project: Project, host: Host): Promise<ImageRecipe> {
  const { manager, node, image, place } = plan;
  const read = place?.read ?? project.read;
  const npmrc = await readNpmrc(read, host);
  const shared = {
    base: baseOf(node),
    // What .npmrc says decides what is installed, but it is no file of the context: it comes as a secret.
    settings: read('.npmrc') ?? '',
    secrets: new Map(npmrc === undefined ? [] : [[NPMRC, npmrc]]),
    before: JSON.stringify([
      manager.install,
      manager.version ?? manager.usual ?? manager.range,
      node.range,
      plan.before,
      // Where it lies in no folder that counts.
      place === undefined && manager.root !== '' ? project.read(fileIn(manager.root, manager.lockfile)) : '',
    ]),
  };
  const given = { manager, npmrc: npmrc !== undefined };
  if (place !== undefined && place.inside !== '') return { ...shared, ...ofPackage(plan, place, project, given) };
  const planned = (base: string): DockerfilePlan => planDockerfile(read, { base, ...given });
  const installsFirst = image?.dockerfile !== undefined || planned('').sourcesFirst === undefined;
  const installed = [
    'package.json',
    fileIn(place === undefined ? manager.root : '', manager.lockfile),
    ...SETTINGS,
  ].map((file) => read(file) ?? '');
  return {
    ...shared,
    generate: (base) => generateDockerfile(planned(base)),
    ...(installsFirst && { dependencies: installed }),
    ignored: IGNORED,
  };
}

function ofPackage(
  { image, manager }: NodePlan,
  { workspace, folder, inside, read }: Place,
  project: Project,
  given: Pick<DockerfilePlan, 'manager' | 'npmrc'>,
): Pick<ImageRecipe, 'context' | 'sources' | 'generate' | 'ignored' | 'instead' | 'dependencies'> {
  const planned = (base: string) => planWorkspaceDockerfile(workspace, inside, read, { base, ...given });
  const generate = (base: string): string => generateWorkspaceDockerfile(planned(base));
  const built = [...closureOf(workspace, [inside], 'build')];
  const resolved = resolutionsOf(manager.name, read(manager.lockfile) ?? '');
  // Of a lockfile that can be read, what the root and the package's own closure get; it all where it cannot.
  const locked = resolved && ['', ...built.toSorted()].map((one) => [one, resolved.get(one)]);
  const manifests = built.map((one) => `${one}/package.json`);
  const installed = ['package.json', ...SETTINGS, ...manifests].map((file) => read(file) ?? '');
  const dependencies = [...installed, locked === undefined ? (read(manager.lockfile) ?? '') : JSON.stringify(locked)];
  const ignored = [...ignoredPackages(workspace, inside), ...IGNORED, ...OF_NO_MATTER];
  const instead = locked && new Map([[manager.lockfile, JSON.stringify(locked)]]);
  if (image?.dockerfile !== undefined) {
    const text = project.read(image.dockerfile) ?? '';
    // Written for the root: it names what lies there.
    const ofRoot = text.includes(`${inside}/`) || text.includes(manager.lockfile);
    const context = ofRoot && { context: folder };
    return { ...context, sources: folder, generate, ignored, ...(instead && { instead }), dependencies };
  }
  return {
    context: folder,
    generate,
    ignored: [...ignored, '**/.env', '**/.env.*'],
    ...(instead && { instead }),
    ...(planned('').sourcesFirst === undefined && { dependencies }),
  };
}
