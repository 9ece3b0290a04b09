import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Host } from '../action/host.ts';
import { buildAction } from '../build/build.ts';
import type { BringDependencies, Finished, Ready } from '../build/toolchain.ts';
import type { ImageRecipe } from '../image/recipe.ts';
import { type Project, readerOf } from '../project/project.ts';
import { installProject } from '../python/install.ts';
import { venvOf } from '../python/install-plan.ts';
import { type Interpreter, providePython } from '../python/interpreter.ts';
import { type Distribution, buildPackage } from '../python/package.ts';
import { environmentTree } from '../python/tree.ts';
import { type Program, provideTool, provideUv } from '../python/uv.ts';
import { INDEX_SECRET, NETRC_SECRET, generatePythonDockerfile } from '../python-image/dockerfile.ts';
import { type IndexSettings, indexSecrets, readIndexSettings } from '../python-image/index-settings.ts';
import { adviceOn } from './advice.ts';
import type { Published } from '../publish/published.ts';
import { inputs } from './inputs.ts';
import { type PythonPlan, REPORTS, baseOf, imageOf, lineOf, planBuild } from './plan.ts';

type Output = 'python-version' | 'dist';

/** The action build-python: what Python brings to the story that src/build tells. */
export const buildPython = buildAction({
  name: 'build-python',
  inputs,
  ecosystem: 'pypi',
  outputs: ['python-version', 'dist'] as const,
  plan: planBuild,
  installed: ['.venv'],
  // Known without bringing it only where the image has asked for it already.
  runtime: async (plan) => {
    const known = await runtimes.get(plan);
    return known && runtimeOutputs(known.python);
  },
  needsFiles: (given) => given.package || given.publish,
  prepare,
  finish,
  recipe,
  publish: async ({ publish: wanted }, project, host, plan) => (wanted ? publish(plan, project, host) : undefined),
});

interface Runtime {
  readonly uv: Program;
  readonly python: Interpreter;
  readonly indexes: IndexSettings;
  /** The host, on which programs are told of the indexes by the names that each of them knows. */
  readonly host: Host;
}

/** The image is built upon the Python that the tests run on, so both ask for it: it is brought once. */
const runtimes = new WeakMap<PythonPlan, Promise<Runtime>>();

async function runtimeOf(plan: PythonPlan, { read }: Project, given: Host): Promise<Runtime> {
  const bring = async (): Promise<Runtime> => {
    const indexes = await readIndexSettings(read, given);
    const host = withVariables(given, Object.fromEntries(indexes.variables));
    const uv = await provideUv(host);
    host.log.info(`uv ${uv.version}, from ${uv.from}`);
    const python = await providePython(plan.range, uv, host);
    host.log.info(`Python ${python.version}, from ${python.from}`);
    return { uv, python, indexes, host };
  };
  const known = runtimes.get(plan) ?? bring();
  runtimes.set(plan, known);
  return known;
}

/** A host on which programs run with more variables. */
function withVariables(host: Host, variables: Readonly<Record<string, string>>): Host {
  const { exec } = host;
  return {
    ...host,
    env: { ...host.env, ...variables },
    exec: {
      ask: async (program, args, options) =>
        exec.ask(program, args, { ...options, env: { ...variables, ...options?.env } }),
      run: async (program, args, options) =>
        exec.run(program, args, { ...options, env: { ...variables, ...options?.env } }),
    },
  };
}

async function prepare(
  plan: PythonPlan,
  given: Project,
  runner: Host,
  bring: BringDependencies,
): Promise<Ready<Output>> {
  const { directory, read } = given;
  const { uv, python, host } = await runtimeOf(plan, given, runner);
  const { project, checks } = plan;
  const tree = environmentTree(project, directory, { python, uv }, read);
  const { seconds, restored } = await bring(tree, path.resolve(directory, project.root), async () => {
    const installed = await installProject({ project, directory, python, uv }, host);
    host.log.info(`installed ${installed.pinned}`);
    return installed.seconds;
  });
  for (const name of checks.brings) await provideTool(name, uv, host);
  const generated = plan.image !== undefined && plan.image.dockerfile === undefined;
  return {
    ...runtimeOutputs(python),
    installSeconds: seconds,
    restored,
    ...(generated && {
      advice: await adviceOn(
        imageOf(project, directory, { base: '', python: lineOf(python.version) }),
        venvOf(project, directory),
      ),
    }),
  };
}

function runtimeOutputs({ version }: Interpreter): { runtime: string; outputs: Partial<Record<Output, string>> } {
  return { runtime: `Python ${version}`, outputs: { 'python-version': version } };
}

/** The distributions of a project whose checks have passed, in a folder of the project. */
async function finish(plan: PythonPlan, given: Project, runner: Host): Promise<Finished<Output>> {
  if (!plan.package) return { outputs: {}, made: [] };
  const { directory, workspace } = given;
  const { uv, python, host } = await runtimeOf(plan, given, runner);
  const out = path.join(directory, 'dist');
  // What the checks wrote and has been read by now: an sdist holds whatever lies beside the sources.
  for (const written of [out, path.join(directory, REPORTS), path.join(directory, '.coverage')]) {
    await rm(written, { recursive: true, force: true });
  }
  await mkdir(out, { recursive: true });
  const built = await buildPackage({ directory, python, uv, out }, host);
  distributions.set(plan, built);
  return {
    outputs: { dist: path.relative(workspace, out) },
    made: built.map(
      ({ file, kind, name, version, files, size }) =>
        `${kind}: \`${path.relative(workspace, file)}\`, ${name} ${version}, ${files} files, ${(size / 1000).toFixed(0)} kB`,
    ),
  };
}

/** What was built of a plan, to be published once all else is done. */
const distributions = new WeakMap<PythonPlan, readonly Distribution[]>();

async function publish(plan: PythonPlan, given: Project, runner: Host): Promise<Published> {
  const built = distributions.get(plan) ?? [];
  const [first] = built;
  if (first === undefined) throw new Error('there is nothing to publish');
  const { uv, host } = await runtimeOf(plan, given, runner);
  const { publishPython } = await import('../publish/python.ts');
  const verdict = await publishPython({ files: built.map(({ file }) => file), uv: [uv.path] }, host);
  return { name: first.name, version: first.version, verdict, provenance: false };
}

async function recipe(plan: PythonPlan, _given: unknown, opened: Project, host: Host): Promise<ImageRecipe> {
  const { project, range, tasks } = plan;
  const { directory } = opened;
  const { python, indexes } = await runtimeOf(plan, opened, host);
  const secrets = indexSecrets(indexes);
  const given = {
    base: '',
    python: lineOf(python.version),
    secrets: { index: secrets.has(INDEX_SECRET), netrc: secrets.has(NETRC_SECRET) },
  };
  const image = plan.image?.dockerfile === undefined ? imageOf(project, directory, given) : undefined;
  const context = path.resolve(directory, project.root);
  const inContext = readerOf(context);
  // What this action itself writes into the project.
  const written = ['dist', REPORTS].map((name) => path.relative(context, path.join(directory, name)));
  return {
    base: baseOf(range, python.version),
    // Without a Dockerfile of the team's own, so only where there is something to start.
    generate: (base) => generatePythonDockerfile({ ...(image ?? imageOf(project, directory, given)), base }),
    context,
    sources: context,
    // A lockfile of a whole workspace changes for other members too: only what this one gets counts.
    ...(image?.workspace && { instead: new Map([[image.installer.lockfile, JSON.stringify(image.locked)]]) }),
    ignored: [...IGNORED, ...written, ...(image?.workspace?.others ?? [])],
    settings: '',
    secrets,
    ...(image?.sourcesFirst === undefined &&
      image && { dependencies: image.inputs.map((file) => inContext(file) ?? '') }),
    before: JSON.stringify([project.tool, range.reason, tasks.map(({ name }) => name)]),
  };
}

/** What belongs into no image, wherever it is. */
const IGNORED = [
  '**/.venv',
  '**/venv',
  '**/__pycache__',
  '**/*.pyc',
  '**/.pytest_cache',
  '**/.mypy_cache',
  '**/.ruff_cache',
  '**/.tox',
  '**/.nox',
  '**/.coverage',
  '**/.netrc',
  '**/.pypirc',
  '**/pip.conf',
  '**/*.egg-info',
];
