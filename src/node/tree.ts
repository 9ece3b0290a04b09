import { readFileSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import type { DependencyTree } from '../cache/dependencies.ts';
import { parseObject } from '../project/json.ts';
import type { Project } from '../project/project.ts';
import { readPackageJson } from './manifest.ts';
import type { ManagerName, PackageManager } from './package-manager.ts';

/** What of package.json decides on the installed packages; most of it stands in the lockfile too. */
const FIELDS = [
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
  'bundleDependencies',
  'dependenciesMeta',
  'overrides',
  'resolutions',
  'workspaces',
  'packageManager',
  'installConfig',
  'pnpm',
  'patchedDependencies',
  'trustedDependencies',
  'allowScripts',
];
const SETTINGS = ['.npmrc', '.yarnrc', '.yarnrc.yml', 'pnpm-workspace.yaml', '.pnpmfile.cjs', 'bunfig.toml'];
const PATCHES = ['patches', '.yarn/patches'];
/**
 * Those whose install makes exactly the lockfile's tree out of an older one, by trying each: npm begins with an empty
 * folder, and bun leaves what the lockfile no longer names.
 */
const RECONCILES: ReadonlySet<ManagerName> = new Set<ManagerName>(['pnpm']);
/** What an install runs of the project itself, in this order: see "Life Cycle Operation Order" of npm's documentation. */
const HOOKS = ['preinstall', 'install', 'postinstall', 'preprepare', 'prepare', 'postprepare'];
const MAX_DEPTH = 4;

/**
 * The dependencies as the install leaves them; undefined where they are more than `node_modules` and all that decides on
 * them is not known, so that they are installed each time: Yarn Plug'n'Play, copies of folders, and packages of a
 * workspace, or of another manager than npm, with scripts of their own at install.
 * @param versions exact versions of what installs and runs them
 * @param project the folder of the lockfile
 */
export function dependencyTree(
  manager: PackageManager,
  versions: { readonly node: string; readonly manager: string },
  project: Project,
): DependencyTree | undefined {
  const { directory, read } = project;
  const lockfile = read(manager.lockfile);
  if (lockfile === undefined) return undefined;
  const isWorkspace = /"workspaces"/.test(read('package.json') ?? '') || read('pnpm-workspace.yaml') !== undefined;
  if (manager.name === 'yarn-berry') return undefined;
  // npm makes links to folders; the others copy what lies there now.
  if (manager.name !== 'npm' && /\bfile:/.test(lockfile)) return undefined;
  if (manager.name !== 'npm' && installHooks(project).length > 0) return undefined;
  if (isWorkspace && membersHaveHooks(directory)) return undefined;
  const json = parseObject(read('package.json') ?? '{}', 'package.json', 'Mend the JSON of package.json.');
  return {
    folder: 'node_modules',
    everywhere: isWorkspace,
    // pnpm refuses a tree whose store lay elsewhere.
    runtime: [versions.node, manager.name, versions.manager, ...(manager.name === 'pnpm' ? [homedir()] : [])],
    content: [
      lockfile,
      JSON.stringify(manager.install),
      JSON.stringify(FIELDS.map((field) => json[field] ?? null)),
      ...SETTINGS.map((file) => read(file) ?? ''),
      ...PATCHES.flatMap((folder) => textsIn(path.join(directory, folder))),
    ],
    reconciles: RECONCILES.has(manager.name),
  };
}

/** The scripts of the project itself that an install runs, and that have to run where nothing is installed too. */
export function installHooks({ read }: Pick<Project, 'read'>): readonly string[] {
  if (/^\s*ignore-scripts\s*=\s*true\s*$/m.test(read('.npmrc') ?? '')) return [];
  const { scripts } = readPackageJson(read);
  return HOOKS.filter((hook) => Object.hasOwn(scripts, hook));
}

/** Whether any package.json below the root has such scripts, be it a package of the workspace or not. */
function membersHaveHooks(directory: string, depth = 0): boolean {
  return readdirSync(directory, { withFileTypes: true }).some((entry) => {
    if (entry.isFile() && entry.name === 'package.json' && depth > 0) {
      const text = readFileSync(path.join(directory, entry.name), 'utf8');
      return HOOKS.some((hook) => text.includes(`"${hook}"`));
    }
    const visited = entry.isDirectory() && entry.name !== 'node_modules' && entry.name !== '.git';
    return visited && depth < MAX_DEPTH && membersHaveHooks(path.join(directory, entry.name), depth + 1);
  });
}

function textsIn(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
    const names = entries.map(({ name }) => name).toSorted();
    return names.flatMap((name) => [name, readFileSync(path.join(folder, name), 'utf8')]);
  } catch {
    return [];
  }
}
