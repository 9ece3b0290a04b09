import { existsSync, readFileSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import semver from 'semver';
import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { checkHash, fetchPackage } from './fetch-package.ts';
import { type ManagerPackage, type Platform, packagesOf } from './manager-packages.ts';
import { isObject, parseObject, texts } from '../project/json.ts';
import type { PackageManager } from './package-manager.ts';
import { findTool, keepTool } from './tool-folder.ts';

/** The package manager that the project's programs get. */
export interface Provided {
  /** Exact; absent where it is Node's npm or the project's own Yarn, which nobody has to ask. */
  readonly version?: string;
  /** Where it came from, as a phrase for the log. */
  readonly from: string;
}

type ManagerHost = Pick<Host, 'env' | 'exec' | 'log' | 'signal' | 'addPath' | 'info' | 'clock'>;

/**
 * Makes the project's package manager the first on PATH: its own copy (`yarnPath`), else the one on PATH when it fits,
 * else one of the tool cache, else the package of the registry that npm is set to, checked by its hash. Corepack is
 * never used: what it would bring depends on the machine.
 * @param root the folder that installs run in
 * @param node the version of Node that will run it
 * @throws UserError when it cannot be had, is not what the project's hash says or does not run on this Node
 */
export async function provideManager(
  manager: PackageManager,
  root: string,
  node: string,
  host: ManagerHost,
): Promise<Provided> {
  if (manager.yarnPath !== undefined) return ownYarn(manager.yarnPath, root, host);
  if (manager.name === 'npm' && manager.range === '*') return { from: 'Node' };
  const present = await presentVersion(manager, host);
  if (present !== undefined && semver.satisfies(present, manager.range)) return { version: present, from: 'PATH' };
  const exact = manager.version ?? manager.usual;
  const kept = findTool(toolName(manager), exact ?? manager.range, host);
  if (kept !== undefined) {
    checkEngine(kept.folder, manager, node);
    host.addPath(path.join(kept.folder, 'bin'));
    return { version: kept.version, from: 'the tool cache' };
  }
  return download(manager, root, node, host);
}

async function download(manager: PackageManager, root: string, node: string, host: ManagerHost): Promise<Provided> {
  await mkdir(host.info.temp, { recursive: true });
  const temp = await mkdtemp(path.join(host.info.temp, 'manager-'));
  const wanted = manager.version ?? manager.usual ?? manager.range;
  const fetching = { temp, reason: manager.reason };
  await writeFile(path.join(temp, 'package.json'), '{}');
  // Npm obeys the settings of the project, but in the project itself it refuses to bring a manager that is not npm.
  await copyFile(path.join(root, '.npmrc'), path.join(temp, '.npmrc')).catch(() => undefined);
  // What Corepack hashes is the package, of Yarn 2 and later the program in it.
  const [packageHash, programHash] =
    manager.name === 'yarn-berry' ? [undefined, manager.hash] : [manager.hash, undefined];
  try {
    const [main, ...beside] = packagesOf(manager.name, wanted, platform());
    if (main === undefined) throw new TypeError(`no package is known for ${manager.name}`);
    const first = await fetchPackage({ ...fetching, module: main.module, range: wanted, hash: packageHash }, host);
    const version = first.version;
    // A range tells only now whether its version needs a program of the platform beside it.
    const needed = beside.length > 0 ? beside : packagesOf(manager.name, version, platform()).slice(1);
    const others = await Promise.all(
      needed.map(async (one) => ({
        ...one,
        ...(await fetchPackage({ ...fetching, module: one.module, range: version }, host)),
      })),
    );
    const folder = await keepTool(toolName(manager), version, host, async (into) => {
      for (const one of [{ ...main, ...first }, ...others]) await unpack(one.file, one, into, host);
      if (programHash !== undefined) await checkHash(path.join(into, 'package', 'bin', 'yarn.js'), programHash);
      checkEngine(into, manager, node);
      await linkPrograms(manager, into);
    });
    host.addPath(path.join(folder, 'bin'));
    const checks = [first, ...others].map(({ by }) => by);
    if (programHash !== undefined) checks.push(`the ${programHash.algorithm} in package.json`);
    return { version, from: `the registry, checked by ${[...new Set(checks)].join(' and by ')}` };
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}

/** A package's files go into `package/`, a platform's program to its place among them. */
async function unpack(
  file: string,
  { native }: Pick<ManagerPackage, 'native'>,
  into: string,
  { exec }: ManagerHost,
): Promise<void> {
  const target = path.join(into, native === undefined ? 'package' : 'native');
  await mkdir(target, { recursive: true });
  const args = ['-xzf', file, '-C', target, '--strip-components=1', '--no-same-owner'];
  const { exitCode, stderr } = await exec.run('tar', args);
  if (exitCode !== 0) throw new UserError(`A package manager cannot be unpacked: ${stderr.trim().slice(-500)}`);
  if (native === undefined) return;
  const program = path.join(into, 'package', native.at);
  await mkdir(path.dirname(program), { recursive: true });
  await rename(path.join(target, native.file), program);
  await rm(target, { recursive: true });
}

/** The programs that package.json of the manager names, in a folder that goes on PATH. */
async function linkPrograms(manager: PackageManager, folder: string): Promise<void> {
  const bin = path.join(folder, 'bin');
  await mkdir(bin);
  const programs = manager.name === 'bun' ? { bun: 'bun', bunx: 'bun' } : texts(manifestOf(folder)['bin']);
  for (const [name, file] of Object.entries(programs)) {
    const target = path.join('..', 'package', file);
    if (path.basename(name) !== name || !target.startsWith(path.join('..', 'package'))) continue;
    await chmod(path.join(bin, target), 0o755);
    await symlink(target, path.join(bin, name));
  }
}

function checkEngine(folder: string, { name, reason }: PackageManager, node: string): void {
  const { version, engines } = manifestOf(folder);
  const engine = texts(engines)['node'];
  if (engine === undefined || semver.satisfies(node, engine)) return;
  throw new UserError(`${name} ${String(version)} (by ${reason}) needs Node ${engine}, but the project has ${node}.`, {
    remedy: 'Pin another version of it by `packageManager` in package.json, or use a newer Node.',
    place: { file: 'package.json' },
  });
}

function manifestOf(folder: string): Readonly<Record<string, unknown>> {
  const file = path.join(folder, 'package', 'package.json');
  return existsSync(file) ? parseObject(readFileSync(file, 'utf8'), file, 'Remove this folder.') : {};
}

/** The project's Yarn, by a program in front of it: a checkout may not have it as one that can be started. */
async function ownYarn(yarnPath: string, root: string, host: ManagerHost): Promise<Provided> {
  const file = path.resolve(root, yarnPath);
  if (!existsSync(file)) {
    throw new UserError(`\`yarnPath\` in .yarnrc.yml names ${yarnPath}, which is not there.`, {
      remedy: 'Commit that file (see that .gitignore has `!.yarn/releases`), or take `yarnPath` out.',
      place: { file: '.yarnrc.yml' },
    });
  }
  await mkdir(host.info.temp, { recursive: true });
  const bin = await mkdtemp(path.join(host.info.temp, 'yarn-'));
  const named = JSON.stringify(file);
  await writeFile(path.join(bin, 'yarn'), `#!/usr/bin/env node\nprocess.argv[1] = ${named};\nrequire(${named});\n`, {
    mode: 0o755,
  });
  host.addPath(bin);
  return { from: `\`yarnPath\` (${yarnPath})` };
}

/**
 * The version of a manager on PATH. It is asked outside the project, where none answers for another version that the
 * project names; a stand-in of Corepack, which would download one, is none.
 */
async function presentVersion({ name }: PackageManager, { env, exec }: ManagerHost): Promise<string | undefined> {
  const program = name.startsWith('yarn') ? 'yarn' : name;
  const file = (env['PATH'] ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, program))
    .find((one) => path.isAbsolute(one) && existsSync(one));
  if (file === undefined || (await realpath(file)).includes('/corepack/')) return undefined;
  const { stdout } = await exec.ask(file, ['--version'], { cwd: tmpdir() }).catch(() => ({ stdout: '' }));
  return semver.clean(stdout.trim().split('\n').at(-1) ?? '') ?? undefined;
}

function toolName({ name }: PackageManager): string {
  return name === 'yarn-classic' || name === 'yarn-berry' ? 'yarn' : name;
}

function platform(): Platform {
  const { header } = process.report.getReport() as { header?: unknown };
  const glibc = isObject(header) ? header['glibcVersionRuntime'] : undefined;
  return { os: process.platform, arch: process.arch, musl: process.platform === 'linux' && glibc === undefined };
}
