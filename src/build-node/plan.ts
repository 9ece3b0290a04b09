import path from 'node:path';
import semver from 'semver';
import { type Problem, UserError, checkAll } from '../action/errors.ts';
import type { RunInfo } from '../action/host.ts';
import { startCommand } from '../container/start.ts';
import { checkNpmLockfile } from '../node/lockfile.ts';
import { type PackageJson, type ReadFile, readPackageJson } from '../node/manifest.ts';
import { type PackageManager, detectPackageManager } from '../node/package-manager.ts';
import { type ScriptPlan, planScripts } from '../node/scripts.ts';
import { type NodeVersion, USUAL_NODE, nodeVersion } from '../node/version.ts';
import type { BuildInputs } from './inputs.ts';

/** Where the image goes. */
export type Registry =
  | { readonly kind: 'ecr'; readonly region: string; readonly account?: string }
  | { readonly kind: 'oci'; readonly host: string; readonly username: string; readonly password: string };

/** What is built and where it goes; decided before anything runs. */
export interface ImagePlan {
  /** Repository path, without the registry. */
  readonly name: string;
  /** Path of the team's own Dockerfile relative to the directory; absent where one is generated. */
  readonly dockerfile?: string;
  /** Absent where nothing is pushed. */
  readonly registry?: Registry;
}

/** Everything build-node is going to do. */
export interface BuildPlan {
  readonly project: PackageJson;
  readonly manager: PackageManager;
  readonly node: NodeVersion;
  readonly scripts: ScriptPlan;
  readonly image?: ImagePlan;
}

/** `123456789012.dkr.ecr.eu-central-1.amazonaws.com`, see the ECR user guide on private registries. */
const ECR_HOST = /^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)$/;

/**
 * Decides everything out of the inputs and the project's files, which `read` gives.
 * @throws UserError with all problems of both at once
 */
export function planBuild(
  given: BuildInputs,
  read: ReadFile,
  env: Readonly<Record<string, string | undefined>>,
): BuildPlan {
  const [project] = checkAll('the project cannot be built', [() => readPackageJson(read)]);
  const [manager, node, scripts, image] = checkAll('the project cannot be built as it is', [
    () => checkedManager(given, project, read),
    () => nodeVersion(read, given.nodeVersion),
    () => planScripts(project, given.scripts),
    () => planImage(given, read, env),
  ]);
  return { project, manager, node, scripts, ...(image && { image }) };
}

/** The tags of an image besides its content tag: the commit, and the branch where a tag may move. */
export function extraTags(info: RunInfo, mutable: boolean): readonly string[] {
  const branch = info.ref.startsWith('refs/heads/') ? tagOf(info.refName) : '';
  return [info.sha, ...(mutable ? [branch] : [])].filter((tag) => tag !== '');
}

/**
 * The base of a generated Dockerfile: the chosen one, else the official slim image of the very version that the project
 * names, or of its line where it names a range.
 */
export function baseOf(chosen: string, { range }: NodeVersion): string {
  if (chosen !== '') return chosen;
  if (semver.valid(range) !== null) return `node:${semver.clean(range)}-slim`;
  const usual = semver.satisfies(`${USUAL_NODE}.99.99`, range) ? USUAL_NODE : undefined;
  return `node:${usual ?? semver.minVersion(range)?.major ?? USUAL_NODE}-slim`;
}

/** A branch's name in the form of a tag: at most 128 of the characters that the OCI specification allows. */
function tagOf(name: string): string {
  return name
    .replaceAll(/[^\w.-]/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 128);
}

function checkedManager(given: BuildInputs, project: PackageJson, read: ReadFile): PackageManager {
  const manager = detectPackageManager(read, given.packageManager);
  if (manager.name === 'npm') checkNpmLockfile(project, read(manager.lockfile) ?? '', manager.lockfile);
  return manager;
}

function planImage(
  given: BuildInputs,
  read: ReadFile,
  env: Readonly<Record<string, string | undefined>>,
): ImagePlan | undefined {
  if (given.image === '') {
    if (given.dockerfile === '') return undefined;
    throw new UserError('input dockerfile is given without image', {
      remedy: 'Give image, the name of the repository that the image is pushed to.',
    });
  }
  const builds = Object.hasOwn(readPackageJson(read).scripts, 'build');
  const [dockerfile, registry] = checkAll('the image is not clear', [
    () => ownDockerfile(given.dockerfile, read),
    () => (given.push ? planRegistry(given, env) : undefined),
    () => (given.dockerfile === '' && read('Dockerfile') === undefined ? startCommand(read, builds) : undefined),
  ]);
  return {
    name: given.image,
    ...(dockerfile !== undefined && { dockerfile }),
    ...(registry !== undefined && { registry }),
  };
}

function ownDockerfile(named: string, read: ReadFile): string | undefined {
  if (named === '') return read('Dockerfile') === undefined ? undefined : 'Dockerfile';
  const normal = path.posix.normalize(named);
  if (!normal.startsWith('..') && !path.isAbsolute(normal) && read(normal) !== undefined) return normal;
  throw new UserError(`input dockerfile: there is no file ${JSON.stringify(named)} in the directory`, {
    remedy: 'Give its path relative to the input directory, or leave it out and one is generated.',
  });
}

function planRegistry(given: BuildInputs, env: Readonly<Record<string, string | undefined>>): Registry {
  const [, account, hostRegion] = ECR_HOST.exec(given.registry) ?? [];
  const region = hostRegion ?? (given.region || env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || '');
  const problems: Problem[] = [];
  const toEcr = given.registry === '' || account !== undefined;
  if (toEcr && region === '') {
    problems.push({
      message: 'inputs registry and region are both missing',
      remedy: 'give the AWS region of ECR, or the host of another registry',
    });
  }
  if (hostRegion !== undefined && given.region !== '' && given.region !== hostRegion) {
    problems.push({
      message: `input region is ${given.region}, but the registry is in ${hostRegion}`,
      remedy: 'leave region out',
    });
  }
  if (toEcr && (given.registryUsername !== '' || given.registryPassword !== '')) {
    problems.push({
      message: 'registry-username or registry-password is given for ECR, which takes neither',
      remedy: 'use role-to-assume, or name another registry',
    });
  }
  if (!toEcr && (given.registryUsername === '') !== (given.registryPassword === '')) {
    problems.push({
      message: 'only one of registry-username and registry-password is given',
      remedy: 'give both, or neither where the runner is signed in already',
    });
  }
  if (problems.length > 0) throw UserError.all(problems, 'the registry is not clear');
  if (toEcr) return { kind: 'ecr', region, ...(account !== undefined && { account }) };
  return { kind: 'oci', host: given.registry, username: given.registryUsername, password: given.registryPassword };
}
