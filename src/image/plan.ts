import path from 'node:path';
import { type Problem, UserError, checkAll } from '../action/errors.ts';
import type { RunInfo } from '../action/host.ts';
import type { ReadFile } from '../project/project.ts';
import type { ImageInputs } from './inputs.ts';

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
  /** The Dockerfile is generated and shown, and nothing is built. */
  readonly print?: true;
}

/** What the input dockerfile says to get the generated one shown. */
const PRINT = 'print';

/** `123456789012.dkr.ecr.eu-central-1.amazonaws.com`, see the ECR user guide on private registries. */
const ECR_HOST = /^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.(?:com|com\.cn|eu)|on\.aws)$/;

/**
 * Decides which image is built and where it goes; undefined when none is asked for.
 * @param checkStart throws where a Dockerfile would have to be generated, but nothing is found that could be started
 * @throws UserError with all problems at once
 */
export function planImage(
  given: ImageInputs,
  read: ReadFile,
  env: Readonly<Record<string, string | undefined>>,
  checkStart: () => unknown,
): ImagePlan | undefined {
  if (given.dockerfile === PRINT) {
    checkStart();
    return { name: given.image, print: true };
  }
  if (given.image === '') {
    if (given.dockerfile === '') return undefined;
    throw new UserError('input dockerfile is given without image', {
      remedy: 'Give image, the name of the repository that the image is pushed to.',
    });
  }
  const [dockerfile, registry] = checkAll('the image is not clear', [
    () => ownDockerfile(given.dockerfile, read),
    () => (given.push ? planRegistry(given, env) : undefined),
    () => (given.dockerfile === '' && read('Dockerfile') === undefined ? checkStart() : undefined),
  ]);
  return {
    name: given.image,
    ...(dockerfile !== undefined && { dockerfile }),
    ...(registry !== undefined && { registry }),
  };
}

/**
 * The tags of an image besides its content tag: the commit, and the branch where a tag may move. No branch may pass for
 * a content or a commit, by which images are found again, nor for kept layers.
 */
export function extraTags(info: RunInfo, mutable: boolean): readonly string[] {
  const named = info.ref.startsWith('refs/heads/') ? tagOf(info.refName) : '';
  const branch = /^(?:content-|layers-|[0-9a-f]{40}$)/.test(named) ? '' : named;
  return [info.sha, ...(mutable ? [branch] : [])].filter((tag) => tag !== '');
}

function ownDockerfile(named: string, read: ReadFile): string | undefined {
  if (named === '') return read('Dockerfile') === undefined ? undefined : 'Dockerfile';
  const normal = path.posix.normalize(named);
  if (!normal.startsWith('..') && !path.isAbsolute(normal) && read(normal) !== undefined) return normal;
  throw new UserError(`input dockerfile: there is no file ${JSON.stringify(named)} in the directory`, {
    remedy: 'Give its path relative to the input directory, or leave it out and one is generated.',
  });
}

function planRegistry(given: ImageInputs, env: Readonly<Record<string, string | undefined>>): Registry {
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

/** A branch's name in the form of a tag: at most 128 of the characters that the OCI specification allows. */
function tagOf(name: string): string {
  return name
    .replaceAll(/[^\w.-]/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 128);
}
