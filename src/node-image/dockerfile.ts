import { type ManagerName, type PackageManager, managerPackage } from '../node/package-manager.ts';
import { type PackageJson, readPackageJson } from '../node/manifest.ts';
import { isObject, parseObject } from '../project/json.ts';
import type { ReadFile } from '../project/project.ts';
import { LINKED_COPY } from '../container/linked-copy.ts';
import { NPMRC } from './npmrc.ts';
import { type StartCommand, startCommand } from './start.ts';

/** What the Dockerfile of a Node project has to do. */
export interface DockerfilePlan {
  /** Such as `node:24-slim@sha256:…`. */
  readonly base: string;
  readonly manager: Pick<PackageManager, 'name' | 'version' | 'lockfile' | 'install'> &
    Partial<Pick<PackageManager, 'usual' | 'range'>>;
  /** What an install is for: nothing to build with, nothing to run with, or both. */
  readonly installs: { readonly build: boolean; readonly run: boolean };
  readonly build: boolean;
  /** Settings of the package manager beside package.json that the install reads. */
  readonly settings: readonly string[];
  /** Why the install needs all sources; without it they follow later, so that installs stay cached. */
  readonly sourcesFirst?: string;
  /** The script `prepare`, which npm runs after an install: for a checkout (git hooks), or a part of the build. */
  readonly prepare?: 'hooks' | 'build';
  /** The install reads registries and tokens out of the build secret `npmrc`. */
  readonly npmrc: boolean;
  readonly start: StartCommand;
}

/** What of a plan says how a package manager is called. */
export type Tooled = Pick<DockerfilePlan, 'manager' | 'installs' | 'npmrc'>;

interface Tool {
  readonly cache: string;
  readonly production: readonly string[];
}

const TOOLS: Readonly<Record<ManagerName, Tool>> = {
  npm: { cache: '/root/.npm', production: ['npm', 'ci', '--omit=dev', '--no-audit', '--no-fund'] },
  pnpm: {
    cache: '/root/.local/share/pnpm/store',
    production: ['pnpm', 'install', '--frozen-lockfile', '--prod'],
  },
  'yarn-classic': {
    // Its cache breaks where two installs, such as those of two stages, write it at the same time.
    cache: '/usr/local/share/.cache/yarn,sharing=locked',
    production: ['yarn', 'install', '--frozen-lockfile', '--non-interactive', '--production'],
  },
  'yarn-berry': {
    cache: '/root/.yarn/berry/cache',
    production: ['yarn', 'workspaces', 'focus', '--all', '--production'],
  },
  bun: {
    cache: '/root/.bun/install/cache',
    production: ['bun', 'install', '--frozen-lockfile', '--production'],
  },
};

/** Files beside package.json that an install reads. */
export const SETTINGS = ['.yarnrc', '.yarnrc.yml', 'pnpm-workspace.yaml', '.pnpmfile.cjs', 'bunfig.toml'];
/** The step that keeps npm from running `prepare`. */
export const NO_PREPARE = 'RUN npm pkg delete scripts.prepare';
/** What npm runs when it installs. */
export const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall'];

/**
 * Plans the image of a Node project.
 * @throws UserError when package.json is missing or names nothing to start
 */
export function planDockerfile(
  read: ReadFile,
  given: Pick<DockerfilePlan, 'base' | 'manager'> & { readonly npmrc?: boolean },
): DockerfilePlan {
  const project = readPackageJson(read);
  const json = parseObject(read('package.json') ?? '{}', 'package.json', 'Mend the JSON of package.json.');
  const has = (...kinds: readonly Readonly<Record<string, string>>[]): boolean =>
    kinds.some((kind) => Object.keys(kind).length > 0);
  const workspaces = json['workspaces'] !== undefined || read('pnpm-workspace.yaml') !== undefined;
  const run = workspaces || has(project.dependencies, project.optionalDependencies, project.peerDependencies);
  const build = Object.hasOwn(project.scripts, 'build');
  const sourcesFirst = needsSources(read, project, workspaces, json);
  const prepare = purposeOf(project.scripts['prepare']);
  return {
    base: given.base,
    manager: given.manager,
    installs: { run, build: build && (run || has(project.devDependencies)) },
    build,
    settings: SETTINGS.filter((file) => read(file) !== undefined),
    ...(sourcesFirst === undefined ? {} : { sourcesFirst }),
    ...(prepare !== undefined && { prepare }),
    npmrc: given.npmrc ?? false,
    start: startCommand(read, build),
  };
}

/** What sets up git hooks has nothing to do in an image, where there is neither git nor a repository. */
export function purposeOf(prepare: string | undefined): DockerfilePlan['prepare'] {
  if (prepare === undefined) return undefined;
  return /\b(husky|lefthook|simple-git-hooks|pre-commit|git config)\b/.test(prepare) ? 'hooks' : 'build';
}

function needsSources(
  read: ReadFile,
  { scripts, ...project }: PackageJson,
  workspaces: boolean,
  json: Readonly<Record<string, unknown>>,
): string | undefined {
  const script = INSTALL_SCRIPTS.find((name) => Object.hasOwn(scripts, name));
  if (script !== undefined) return `the script ${script} may use them`;
  const dependencies = { ...project.devDependencies, ...project.optionalDependencies, ...project.dependencies };
  const local = Object.entries(dependencies).find(([, range]) => /^(?:file:|link:|portal:|\.{1,2}\/)/.test(range));
  if (local !== undefined) return `the dependency ${local[0].replaceAll(/[^\w@/.-]/g, '')} lies among them`;
  if (workspaces) return 'each workspace has a package.json';
  if (/^yarnPath:/m.test(read('.yarnrc.yml') ?? '')) return 'Yarn itself lies among them';
  const pnpm = isObject(json['pnpm']) ? json['pnpm'] : {};
  if (pnpm['patchedDependencies'] !== undefined || json['patchedDependencies'] !== undefined) {
    return 'patches of dependencies lie among them';
  }
  return undefined;
}

/**
 * The Dockerfile: a stage that builds, a stage with the production dependencies, and a last one with no more than the
 * service needs, which runs as an ordinary user. Readable, since teams copy it.
 */
export function generateDockerfile(plan: DockerfilePlan): string {
  const before = [
    ...(toolsNeeded(plan) ? [toolsStage(plan)] : []),
    ...(plan.build ? [buildStage(plan)] : []),
    ...(plan.installs.run ? [dependenciesStage(plan)] : []),
  ];
  const stages =
    before.length === 0 ? [lastStage(plan, plan.base)] : [baseStage(plan), ...before, lastStage(plan, 'base')];
  return [heading(plan), ...stages].map((lines) => `${lines.join('\n')}\n`).join('\n');
}

/** The first lines: where the file comes from, and what its build needs. */
export function heading(plan: Pick<DockerfilePlan, 'npmrc'>, ...more: readonly string[]): readonly string[] {
  return [
    '# Made for a Node project without a Dockerfile: save this as `Dockerfile` to change it.',
    ...more,
    ...(plan.npmrc
      ? [
          '# Registries and tokens of npm come as a secret, so that no layer holds them:',
          `# docker buildx build --secret id=${NPMRC},src=$HOME/.npmrc .`,
        ]
      : []),
  ];
}

/** The stage that all others begin with. */
export function baseStage({ base }: Pick<DockerfilePlan, 'base'>): readonly string[] {
  return [`FROM ${base} AS base`, 'WORKDIR /app'];
}

function toolsNeeded({ manager, installs }: Tooled): boolean {
  return managerPackage(manager) !== undefined && (installs.build || installs.run);
}

/** The stage that has the package manager, where that does not come with Node. */
export function toolsStage(plan: Tooled): readonly string[] {
  // The official images bring a yarn of their own, which npm replaces only when told to.
  const force = plan.manager.name.startsWith('yarn') ? ['--force'] : [];
  const install = ['npm', 'install', '--global', ...force, managerPackage(plan.manager) ?? 'npm'];
  return ['FROM base AS tools', run(plan, install, TOOLS.npm)];
}

function buildStage(plan: DockerfilePlan): readonly string[] {
  const { prepare, sourcesFirst, installs } = plan;
  const first = prepare === 'build' ? (sourcesFirst ?? 'the script prepare may use them') : sourcesFirst;
  const program = !plan.installs.build ? 'npm' : (plan.manager.install[0] ?? 'npm');
  const cleaned = first === undefined ? 'rm -rf node_modules' : 'find . -name node_modules -prune -exec rm -rf {} +';
  return [
    '# The build, with development dependencies; none of them goes into the image.',
    `FROM ${stageWithTools(plan)} AS build`,
    ...(installs.build
      ? [...installInputs(plan, first), ...(prepare === 'hooks' ? [NO_PREPARE] : []), run(plan, plan.manager.install)]
      : []),
    ...(installs.build && first !== undefined ? [] : ['COPY . .']),
    `RUN ${program} run build${plan.installs.build ? ` && ${cleaned}` : ''}`,
  ];
}

function dependenciesStage(plan: DockerfilePlan): readonly string[] {
  return [
    '# What the service needs when it runs.',
    `FROM ${stageWithTools(plan)} AS dependencies`,
    ...installInputs(plan, plan.sourcesFirst),
    // What `prepare` calls is most often a development dependency.
    ...(plan.prepare === undefined ? [] : [NO_PREPARE]),
    run(plan, TOOLS[plan.manager.name].production),
  ];
}

function lastStage(plan: DockerfilePlan, base: string): readonly string[] {
  const { sourcesFirst, installs, start } = plan;
  const whole = installs.run && sourcesFirst !== undefined;
  // Where nothing runs anew but a copy, the base need not even be unpacked.
  const copy = plan.build ? 'COPY' : LINKED_COPY;
  return [
    `# Starts ${start.reason}.`,
    `FROM ${start.argv[0] === 'node' ? base : stageWithTools(plan, base)}`,
    ...(base === plan.base ? ['WORKDIR /app'] : []),
    'ENV NODE_ENV=production',
    ...(whole ? [`${copy} --from=dependencies /app ./`] : []),
    ...(installs.run && !whole ? [`${copy} --from=dependencies /app/node_modules ./node_modules`] : []),
    plan.build ? `${copy} --from=build /app ./` : `${copy} . .`,
    '# The user node, as a number: Kubernetes (runAsNonRoot) cannot tell who a name is.',
    'USER 1000:1000',
    commandOf(start),
  ];
}

/** The last line, in the form that starts no shell. */
export function commandOf({ argv }: StartCommand): string {
  return `CMD ${JSON.stringify(argv).replaceAll('","', '", "')}`;
}

/** Where the package manager is at hand: a start script that a shell runs may call it too. */
export function stageWithTools(plan: Tooled, otherwise = 'base'): string {
  return toolsNeeded(plan) ? 'tools' : otherwise;
}

function installInputs(plan: DockerfilePlan, sourcesFirst: string | undefined): readonly string[] {
  if (sourcesFirst !== undefined) return [`# All sources before the install: ${sourcesFirst}.`, 'COPY . .'];
  return [`COPY ${['package.json', plan.manager.lockfile, ...plan.settings].join(' ')} ./`];
}

/** A step that installs, with the manager's cache and the settings of npm at hand. */
export function run(plan: Tooled, command: readonly string[], tool: Tool = TOOLS[plan.manager.name]): string {
  const mounts = [
    `--mount=type=cache,target=${tool.cache}`,
    ...(plan.npmrc ? [`--mount=type=secret,id=${NPMRC},required=true,target=/root/.npmrc`] : []),
  ];
  // Yarn's Plug'n'Play needs a loader that `node file` does not have.
  const linker = plan.manager.name === 'yarn-berry' && tool !== TOOLS.npm ? 'YARN_NODE_LINKER=node-modules ' : '';
  return `RUN ${[...mounts, `${linker}${command.join(' ')}`].join(' \\\n    ')}`;
}
