// From a clean runner with a warm cache to tested and pushed: build-node beside the chain of commands that a team
// would write. In one run, round by round, so that what else the machine does meets both alike.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { withoutLinks } from '../../src/container/linked-copy.ts';
import { openLab } from '../../test/lab/lab.ts';
import { runtimeToken } from '../../test/lab/parts/cache-token.ts';
import { median } from '../cold-start.ts';
import { chain } from './chain.ts';
import { type Bench, type Runner, onCleanRunner, run } from './runner.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
const root = path.resolve(import.meta.dirname, '../..');
/** Title, folder, and the source file that changes. */
const PROJECTS = [
  ['tracking-api', path.join(root, 'examples/tracking-api'), 'src/api.js'],
  ['600 packages', path.join(import.meta.dirname, 'fixture'), 'src/shipment.js'],
] as const;
const named = process.argv[3];
const chosen = PROJECTS.filter(([title]) => named === undefined || title === named);
if (chosen.length === 0)
  throw new Error(`there is no project ${named}; there are ${PROJECTS.map(([title]) => title).join(' and ')}`);
const { registry, images, buildkit, cache } = await openLab('registry', 'images', 'buildkit', 'cache');
if (!registry || !images || !buildkit || !cache) throw new Error('the lab lacks a part');
const folder = mkdtempSync(path.join(tmpdir(), 'bench-build-'));
/** How this machine reaches the registry of packages. */
const NETWORK =
  /^(https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|npm_config_(registry|cafile|ca|https?_proxy))$/i;
const env = {
  ...Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value && NETWORK.test(name) ? [[name, value]] : [])),
  ),
  PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env['PATH'] ?? ''}`,
  DOCKER_HOST: images.dockerHost,
  DOCKER_CONFIG: images.dockerConfig,
  BUILDX_BUILDER: buildkit.builder,
};
const git = (cwd: string, ...args: readonly string[]): string =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.example', ...args], { cwd, encoding: 'utf8' }).trim();

try {
  console.log(`medians of ${ROUNDS} rounds, seconds, in one run\n`);
  console.log(row(['project', 'what is measured', 'usual chain', 'build-node', 'ratio', 'target']));
  for (const [title, project, source] of chosen) await compare(title, project, source);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function compare(title: string, project: string, source: string): Promise<void> {
  const bench = await prepare(title.replaceAll(' ', '-'), project);
  const repository = path.join(bench.folder, 'repository');
  const npmCache = await warmNpmCache(bench);
  const usual = (runner: Runner): Promise<void> => chain(bench, runner, npmCache, 'Dockerfile.usual');
  const alike = (runner: Runner): Promise<void> => chain(bench, runner, npmCache, 'Dockerfile.ours');
  const ours = (runner: Runner): Promise<string> => action(bench, runner);
  // Whatever is kept is kept now, as by the build of the commit before.
  for (const work of [usual, alike]) await onCleanRunner(bench, env, work);
  await onCleanRunner(bench, env, ours);
  const rounds = Array.from({ length: ROUNDS }, (_, round) => round);
  const times = { changed: pair(), alike: pair(), unchanged: pair(), install: pair() };
  for (const round of rounds) {
    writeFileSync(
      path.join(repository, source),
      `${readFileSync(path.join(repository, source), 'utf8')}\n// ${round}\n`,
    );
    git(repository, 'commit', '-qam', `Change ${round}`);
    times.changed[0].push(await timed(bench, usual));
    const took = await timed(bench, ours, 'nothing is installed');
    times.changed[1].push(took);
    if (bench.links) {
      times.alike[0].push(await timed(bench, alike));
      times.alike[1].push(took);
    }
    times.unchanged[0].push(await timed(bench, usual));
    times.unchanged[1].push(await timed(bench, ours, 'nothing is installed or run'));
    if (bench.scripts.includes('build')) {
      times.install[0].push(await install(bench, npmCache));
      times.install[1].push(await restored(bench));
    }
  }
  console.log(row([title, 'sources changed', ...judged(times.changed, 0.5)]));
  if (bench.links) console.log(row([title, 'the same, our Dockerfile in both', ...judged(times.alike, 0.5)]));
  console.log(row([title, 'nothing changed', ...judged(times.unchanged, 0.1)]));
  if (times.install[0].length > 0) console.log(row([title, 'install alone, warm', ...judged(times.install, 1 / 3)]));
}

/**
 * The project as a repository, and the Dockerfiles that the chain builds: the project's own, else what is generated, as
 * it is and with COPY as teams write it.
 */
async function prepare(name: string, project: string): Promise<Bench> {
  const place = path.join(folder, name);
  const repository = path.join(place, 'repository');
  mkdirSync(place);
  cpSync(project, repository, { recursive: true, filter: (file) => !/\/(?:node_modules|dist|junit\.xml)$/.test(file) });
  git(repository, 'init', '-q', '-b', 'main');
  git(repository, 'add', '.');
  git(repository, 'commit', '-q', '-m', 'Start');
  const { scripts } = JSON.parse(readFileSync(path.join(project, 'package.json'), 'utf8')) as { scripts: object };
  const bench = {
    name: `${name}-${process.pid}`,
    folder: place,
    scripts: Object.keys(scripts),
    registry: registry?.host ?? '',
    builder: buildkit?.builder ?? '',
    links: false,
  };
  const own = path.join(repository, 'Dockerfile');
  const dockerfile = await onCleanRunner(bench, env, async (runner) => {
    const log = await action(bench, runner, { dockerfile: 'print' }).catch(() => '');
    return /^(?:# syntax.*|# .*|FROM .*)\n[^]*?\nCMD .*$/m.exec(log)?.[0];
  });
  const text = readTextOr(own) ?? dockerfile;
  if (text === undefined) throw new Error('there is no Dockerfile for the chain');
  const usual = withoutLinks(text);
  writeFileSync(path.join(place, 'Dockerfile.usual'), `${usual}\n`);
  writeFileSync(path.join(place, 'Dockerfile.ours'), `${text}\n`);
  return { ...bench, links: usual !== text };
}

/** ~/.npm after an install, as setup-node keeps it. */
async function warmNpmCache(bench: Bench): Promise<string> {
  const archive = path.join(bench.folder, 'npm.tar.zst');
  await onCleanRunner(bench, env, async (runner) => {
    mkdirSync(path.join(runner.home, '.npm'));
    await run('npm', ['ci', '--no-audit', '--no-fund'], runner);
    await run('tar', ['--zstd', '-cf', archive, '-C', path.join(runner.home, '.npm'), '.'], runner);
  });
  return archive;
}

/** A step of a job with build-node's bundle. */
async function action(bench: Bench, runner: Runner, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const base = `${bench.registry}/library/node:24-slim`;
  // What the chain does not do is left out here too.
  const alike = { 'audit-level': 'off', sbom: 'false', attest: 'false' };
  const inputs = { image: `ours/${bench.name}`, registry: bench.registry, 'base-image': base, ...alike, ...more };
  const temp = path.join(runner.home, 'temp');
  mkdirSync(temp);
  const [output, summary] = [path.join(temp, 'output'), path.join(temp, 'summary')] as const;
  for (const file of [output, summary]) writeFileSync(file, '');
  return run(process.execPath, [path.join(root, 'dist/build-node/index.js')], {
    checkout: runner.checkout,
    env: {
      ...runner.env,
      ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
      ACTIONS_RESULTS_URL: cache?.url ?? '',
      ACTIONS_RUNTIME_TOKEN: runtimeToken(cache?.secret ?? '', [{ Scope: `refs/heads/${bench.name}`, Permission: 3 }]),
      ACTIONS_CACHE_SERVICE_V2: 'true',
      GITHUB_WORKSPACE: runner.checkout,
      GITHUB_REPOSITORY: 'acme/shop',
      GITHUB_SHA: git(runner.checkout, 'rev-parse', 'HEAD'),
      GITHUB_REF: 'refs/heads/main',
      GITHUB_REF_NAME: 'main',
      GITHUB_RUN_ID: '1',
      GITHUB_OUTPUT: output,
      GITHUB_STEP_SUMMARY: summary,
      RUNNER_TEMP: temp,
      RUNNER_TOOL_CACHE: path.join(runner.home, 'tools'),
    },
  });
}

async function timed(bench: Bench, work: (runner: Runner) => Promise<unknown>, says = ''): Promise<number> {
  return onCleanRunner(bench, env, async (runner) => {
    const began = performance.now();
    const said = await work(runner);
    const took = (performance.now() - began) / 1000;
    if (typeof said === 'string' && !said.includes(says)) throw new Error(`it did not say "${says}":\n${said}`);
    return took;
  });
}

/** `npm ci` alone, with ~/.npm there already. */
async function install(bench: Bench, npmCache: string): Promise<number> {
  return onCleanRunner(bench, env, async (runner) => {
    const npm = path.join(runner.home, '.npm');
    mkdirSync(npm);
    await run('tar', ['--zstd', '-xf', npmCache, '-C', npm], runner);
    const began = performance.now();
    await run('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline'], runner);
    return (performance.now() - began) / 1000;
  });
}

/** What build-node says that the dependencies took it, download included. */
async function restored(bench: Bench): Promise<number> {
  const said = await onCleanRunner(bench, env, async (runner) =>
    action(bench, runner, { image: '', scripts: 'build' }),
  );
  return Number(/restored from the cache in ([\d.]+) s/.exec(said)?.[1]);
}

function pair(): [number[], number[]] {
  return [[], []];
}

function judged([usual, ours]: readonly [readonly number[], readonly number[]], target: number): readonly string[] {
  const [a, b] = [median(usual), median(ours)];
  const shown = `<= ${target.toFixed(2)}: ${b / a <= target ? 'met' : 'MISSED'}`;
  return [a.toFixed(2), b.toFixed(2), (b / a).toFixed(2), shown];
}

function readTextOr(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function row(cells: readonly string[]): string {
  const widths = [14, 33, 13, 12, 7, 0];
  return cells
    .map((cell, at) => cell.padEnd(widths[at] ?? 0))
    .join(' ')
    .trimEnd();
}
