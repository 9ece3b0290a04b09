import path from 'node:path';
import { UserError } from '../action/errors.ts';
import type { ManagerName } from '../node/package-manager.ts';
import type { ReadFile } from '../project/project.ts';
import type { Workspace, WorkspacePackage } from '../workspace/graph.ts';
import { closureOf, orderOf } from '../workspace/order.ts';
import {
  type DockerfilePlan,
  INSTALL_SCRIPTS,
  NO_PREPARE,
  SETTINGS,
  baseStage,
  commandOf,
  heading,
  purposeOf,
  run,
  stageWithTools,
  toolsStage,
} from './dockerfile.ts';
import { type StartCommand, startCommand } from './start.ts';

/** What the Dockerfile of one package of a workspace has to do; the build's context is the workspace's root. */
export interface WorkspaceDockerfilePlan extends Pick<DockerfilePlan, 'base' | 'manager' | 'npmrc' | 'installs'> {
  /** Folder of the package, from the root. */
  readonly directory: string;
  readonly name: string;
  /** Folders of all packages that its build needs, itself the last. */
  readonly built: readonly string[];
  /** Of these the ones that are there when it runs. */
  readonly runs: readonly string[];
  /** Of these the ones with a script `build`. */
  readonly builds: readonly string[];
  readonly settings: readonly string[];
  readonly sourcesFirst?: string;
  /** Folders (`''` is the root) whose script `prepare` sets up git hooks, and those where it builds something. */
  readonly hooks: readonly string[];
  readonly prepares: readonly string[];
  readonly start: StartCommand;
}

/** Any other character may mean something to Docker or a shell. */
const PLAIN = /^[\p{L}\p{N}@._/][\p{L}\p{N}@._/+ ~-]*$/u;

/**
 * Plans the image of the package in the folder `directory` of a workspace.
 * @param read gives files from the workspace's root
 * @throws UserError when the package names nothing to start, or a folder has a name that no Dockerfile can hold
 */
export function planWorkspaceDockerfile(
  workspace: Workspace,
  directory: string,
  read: ReadFile,
  given: Pick<DockerfilePlan, 'base' | 'manager' | 'npmrc'>,
): WorkspaceDockerfilePlan {
  const { packages } = workspace;
  const service = packages.get(directory);
  if (service === undefined) throw new RangeError(`${directory} is no package of the workspace`);
  const built = orderOf(workspace, closureOf(workspace, [directory], 'build')).folders;
  const runs = closureOf(workspace, [directory], 'run');
  const all = built.flatMap((folder) => packages.get(folder) ?? []);
  checkNames([...built, service.name]);
  const builds = all.filter((one) => has(one, 'build')).map((one) => one.directory);
  const withRoot = [workspace.root, ...all];
  const preparing = (purpose: 'hooks' | 'build'): readonly string[] =>
    withRoot.filter((one) => purposeOf(one.manifest.scripts['prepare']) === purpose).map((one) => one.directory);
  const sourcesFirst = needsSources(withRoot, workspace, read);
  return {
    ...given,
    directory,
    name: service.name,
    installs: { build: builds.length > 0, run: true },
    built,
    runs: built.filter((folder) => runs.has(folder)),
    builds,
    settings: SETTINGS.filter((file) => read(file) !== undefined),
    ...(sourcesFirst !== undefined && { sourcesFirst }),
    hooks: preparing('hooks'),
    prepares: preparing('build'),
    start: startCommand((file) => read(`${directory}/${file}`), has(service, 'build')),
  };
}

/** The Dockerfile: readable, since teams copy it. */
export function generateWorkspaceDockerfile(plan: WorkspaceDockerfilePlan): string {
  const tools = stageWithTools(plan) === 'tools' ? [toolsStage(plan)] : [];
  const stages = [
    heading(
      plan,
      `# It lies in ${plan.directory}, but its context is the root of the workspace: --file=${word(`${plan.directory}/Dockerfile`)} .`,
    ),
    baseStage(plan),
    ...tools,
    manifestsStage(plan),
    ...(plan.builds.length > 0 ? [buildStage(plan)] : []),
    dependenciesStage(plan),
    lastStage(plan),
  ];
  return stages.map((lines) => `${lines.join('\n')}\n`).join('\n');
}

/** Patterns of an ignore file that leave the package and what it needs, of all packages. */
export function ignoredPackages(workspace: Workspace, directory: string): readonly string[] {
  const built = closureOf(workspace, [directory], 'build');
  const left: string[] = [];
  return [...workspace.packages.keys()].flatMap((folder) => {
    const inside = left.some((other) => folder.startsWith(`${other}/`));
    const pattern = folder.replaceAll(/[\\*?[\]!#]/g, String.raw`\$&`);
    if (built.has(folder)) return inside ? [`!${pattern}`] : [];
    left.push(folder);
    return [pattern];
  });
}

function manifestsStage(plan: WorkspaceDockerfilePlan): readonly string[] {
  const { sourcesFirst, settings, manager, built, hooks } = plan;
  const files = ['package.json', manager.lockfile, ...settings];
  return [
    `# What the install reads: of ${plan.directory} and the packages that it needs, of no other.`,
    `FROM ${stageWithTools(plan)} AS manifests`,
    ...(sourcesFirst === undefined
      ? [copy(files, './'), ...built.map((folder) => copy([`${folder}/package.json`], `${folder}/`))]
      : [`# All sources, as ${sourcesFirst}.`, 'COPY . .']),
    ...hooks.map((folder) => `RUN ${inFolder(folder, NO_PREPARE.slice('RUN '.length))}`),
  ];
}

function buildStage(plan: WorkspaceDockerfilePlan): readonly string[] {
  const program = plan.manager.install[0];
  return [
    '# The build, with development dependencies; none of them goes into the image.',
    'FROM manifests AS build',
    run(plan, ALL[plan.manager.name] ?? plan.manager.install),
    ...(plan.sourcesFirst === undefined ? ['COPY . .'] : []),
    ...plan.builds.map((folder) => `RUN ${inFolder(folder, `${program} run build`)}`),
    'RUN find . -name node_modules -prune -exec rm -rf {} +',
  ];
}

function dependenciesStage(plan: WorkspaceDockerfilePlan): readonly string[] {
  return [
    '# What the service needs when it runs.',
    'FROM manifests AS dependencies',
    // What `prepare` calls is most often a development dependency.
    ...plan.prepares.map((folder) => `RUN ${inFolder(folder, NO_PREPARE.slice('RUN '.length))}`),
    run(plan, [...production(plan), '&&', 'mkdir', '-p', 'node_modules']),
  ];
}

function lastStage(plan: WorkspaceDockerfilePlan): readonly string[] {
  const sources = plan.builds.length > 0 ? '--from=build ' : '';
  const at = (folder: string): string => (sources === '' ? folder : `/app/${folder}`);
  return [
    `# Starts ${plan.start.reason}.`,
    `FROM ${plan.start.argv[0] === 'node' ? 'base' : stageWithTools(plan)}`,
    'ENV NODE_ENV=production',
    copy(['/app/node_modules'], './node_modules', '--from=dependencies '),
    ...plan.runs.flatMap((folder) => [
      copy([`/app/${folder}`], `./${folder}`, '--from=dependencies '),
      copy([at(folder)], `./${folder}`, sources),
    ]),
    `WORKDIR /app/${plan.directory}`,
    '# The user node, as a number: Kubernetes (runAsNonRoot) cannot tell who a name is.',
    'USER 1000:1000',
    commandOf(plan.start),
  ];
}

/** Yarn takes its lockfile for changed where packages are missing, unless it is told to look at those that are there. */
const ALL: Partial<Readonly<Record<ManagerName, readonly string[]>>> = {
  'yarn-berry': ['yarn', 'workspaces', 'focus', '--all'],
};

/** Installs what one package needs to run, of itself and of the packages of the workspace that it needs. */
function production({ manager, directory, name }: WorkspaceDockerfilePlan): readonly string[] {
  const commands: Readonly<Record<ManagerName, readonly string[]>> = {
    npm: ['npm', 'ci', '--omit=dev', '--no-audit', '--no-fund', `--workspace=${directory}`],
    pnpm: ['pnpm', 'install', '--frozen-lockfile', '--prod', `--filter={./${directory}}...`],
    // It knows no choice; but there are only the packages that the image needs.
    'yarn-classic': ['yarn', 'install', '--frozen-lockfile', '--non-interactive', '--production'],
    'yarn-berry': ['yarn', 'workspaces', 'focus', name, '--production'],
    bun: ['bun', 'install', '--frozen-lockfile', '--production', `--filter=${name}`],
  };
  return commands[manager.name].map(word);
}

function needsSources(packages: readonly WorkspacePackage[], workspace: Workspace, read: ReadFile): string | undefined {
  for (const { directory, manifest } of packages) {
    const script = [...INSTALL_SCRIPTS, 'prepare'].find((name) => Object.hasOwn(manifest.scripts, name));
    const hooks = script === 'prepare' && purposeOf(manifest.scripts['prepare']) === 'hooks';
    if (script !== undefined && !hooks) return `the script ${script} of ${directory || 'the root'} may use them`;
    const inWorkspace = (range: string): boolean =>
      workspace.packages.has(path.posix.join(directory, range.replace(/^\w+:/, '')).replace(/\/$/, ''));
    const files = Object.values({
      ...manifest.devDependencies,
      ...manifest.optionalDependencies,
      ...manifest.dependencies,
    }).filter((range) => /^(?:file:|link:|portal:|\.{1,2}\/)/.test(range));
    if (files.some((range) => !inWorkspace(range))) return 'dependencies lie among them';
  }
  if (/^yarnPath:/m.test(read('.yarnrc.yml') ?? '')) return 'Yarn itself lies among them';
  const settings = `${read('package.json') ?? ''}${read('pnpm-workspace.yaml') ?? ''}`;
  return /"?patchedDependencies"?\s*:|"patch:/.test(settings) ? 'patches of dependencies lie among them' : undefined;
}

function has({ manifest }: WorkspacePackage, script: string): boolean {
  return Object.hasOwn(manifest.scripts, script);
}

function inFolder(folder: string, command: string): string {
  return folder === '' ? command : `cd ${word(folder)} && ${command}`;
}

/** Names with a space need the form of a list. */
function copy(from: readonly string[], to: string, flags = ''): string {
  const plain = [...from, to].every((one) => !one.includes(' '));
  return `COPY ${flags}${plain ? [...from, to].join(' ') : JSON.stringify([...from, to])}`;
}

/** A word that a shell takes as it is. */
function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) || text === '&&' ? text : `'${text}'`;
}

function checkNames(names: readonly string[]): void {
  const wrong = names.find((name) => !PLAIN.test(name));
  if (wrong === undefined) return;
  throw new UserError(`${JSON.stringify(wrong.slice(0, 100))} is no name that a generated Dockerfile can hold.`, {
    remedy:
      'Give the package a folder and a name of letters, digits, spaces and @._/+~-, or add a Dockerfile of your own.',
  });
}
