import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { stripControls } from '../action/log.ts';
import type { Host } from '../action/host.ts';
import { explainBuild } from './build-error.ts';
import { isDigest } from './reference.ts';

/** What BuildKit is asked for. */
export interface ImageBuild {
  /** Folder of the build context. */
  readonly context: string;
  readonly dockerfile: string;
  /** Path of the team's own Dockerfile inside the repository, for annotations; absent for a generated one. */
  readonly shownDockerfile?: string;
  /** `registry/name:tag`, each. */
  readonly tags: readonly string[];
  readonly push: boolean;
  /**
   * Builds and keeps all that in the builder alone, so that the same build without this has little left to do: with the
   * layers packed, or where the builder (docker's own) would make an image of those, without.
   */
  readonly ahead?: 'packed' | 'unpacked';
  readonly platforms: readonly string[];
  readonly buildArgs: ReadonlyMap<string, string>;
  /** Files by the id that `RUN --mount=type=secret` names: a step that names it reads the file, no layer keeps it. */
  readonly secrets: ReadonlyMap<string, string>;
  /** Runs every step anew, whatever the builder remembers. */
  readonly fresh?: boolean;
  /** Agents or keys of SSH by id, such as `default`, as `RUN --mount=type=ssh` uses them. */
  readonly ssh?: readonly string[];
  /** The builder, where it is not docker's own. */
  readonly builder?: string;
  /** The image in a registry that holds layers of builds before; they are read where it is known, else written. */
  readonly layers?: { readonly reference: string; readonly known: boolean };
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds since 1970 that stand as the time of everything in the image. */
  readonly epoch: number;
  /** Folder for DOCKER_CONFIG. */
  readonly dockerConfig: string;
}

/**
 * Builds an image with `docker buildx build`, and pushes it when asked.
 * @returns the digest in the registry; undefined when it was not pushed
 * @throws UserError when a step of the Dockerfile fails (at its line), the registry refuses, or Docker does not answer
 */
export async function buildImage(
  build: ImageBuild,
  host: Pick<Host, 'exec' | 'log' | 'info'>,
): Promise<string | undefined> {
  const metadata = path.join(build.dockerConfig, 'metadata.json');
  const dockerfile = await readFile(build.dockerfile, 'utf8');
  const env = { DOCKER_CONFIG: build.dockerConfig, ...epochVariable(build, dockerfile) };
  const { exitCode, stdout, stderr } = await host.log.group('docker buildx build', async () =>
    host.exec.run('docker', buildArguments(build, metadata), { env, onLine: (line) => host.log.info(line) }),
  );
  const output = stripControls(`${stdout}\n${stderr}`);
  if (exitCode !== 0) throw explainBuild(output, build, dockerfile);
  if (!build.push || build.ahead !== undefined) return undefined;
  const digest = await digestIn(metadata);
  if (digest === undefined) throw new Error('docker pushed the image without telling its digest');
  return digest;
}

/** The arguments of `docker` for a build that writes what it made into the file `metadata`. */
export function buildArguments(build: ImageBuild, metadata: string): readonly string[] {
  return [
    'buildx',
    'build',
    '--progress=plain',
    // An attestation index would make the tag point at something that some consumers cannot deploy.
    '--provenance=false',
    ...(build.builder === undefined ? [] : [`--builder=${build.builder}`]),
    `--file=${build.dockerfile}`,
    `--metadata-file=${metadata}`,
    ...build.tags.map((tag) => `--tag=${tag}`),
    ...(build.platforms.length > 0 ? [`--platform=${build.platforms.join(',')}`] : []),
    ...Object.entries(build.labels).map(([name, value]) => `--label=${name}=${value}`),
    // Not by the environment: an argument named PATH or DOCKER_HOST must reach the Dockerfile, not docker itself.
    ...[...build.buildArgs].map(([name, value]) => `--build-arg=${name}=${value}`),
    ...[...build.secrets].map(([id, file]) => `--secret=id=${id},${csv(`src=${file}`)}`),
    ...(build.fresh === true ? ['--no-cache'] : []),
    ...(build.ssh ?? []).map((id) => `--ssh=${id}`),
    ...layersArguments(build.layers, build.ahead !== undefined),
    ...outputArguments(build),
    build.context,
  ];
}

function outputArguments({ ahead, push, epoch }: ImageBuild): readonly string[] {
  if (ahead === 'unpacked') return ['--output=type=cacheonly'];
  if (ahead === 'packed') return ['--output=type=image,push=false,unpack=false'];
  // Files get the time of the epoch as well, where BuildKit can do that; it cannot together with unpacking, which an
  // image that is only pushed has no use for.
  const time = `rewrite-timestamp=true,source-date-epoch=${epoch}`;
  return push ? [`--output=type=image,push=true,${time},unpack=false`] : [];
}

/**
 * As a variable the epoch counts as an argument of the steps: BuildKit gives it to the folder that WORKDIR makes, so that
 * no layer after it would be found again by the next commit. A pushed image gets it as it is written instead, and the
 * steps only where the Dockerfile asks for it.
 */
function epochVariable({ push, epoch }: ImageBuild, dockerfile: string): Readonly<Record<string, string | undefined>> {
  const isAsked = !push || dockerfile.includes('SOURCE_DATE_EPOCH');
  return { SOURCE_DATE_EPOCH: isAsked ? String(epoch) : undefined };
}

/**
 * Written as an image, since ECR takes no other form of a cache (aws/containers-roadmap#876), with the layers of all
 * stages. A cache that cannot be written takes nothing from the image.
 */
function layersArguments(layers: ImageBuild['layers'], readOnly: boolean): readonly string[] {
  if (layers === undefined || (readOnly && !layers.known)) return [];
  if (layers.known) return [`--cache-from=type=registry,ref=${layers.reference}`];
  const form = 'mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true';
  return [`--cache-to=type=registry,ref=${layers.reference},${form}`];
}

/** One field of the CSV that docker reads options like `--secret` as: a path may hold commas and quotes. */
function csv(field: string): string {
  return /[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

async function digestIn(file: string): Promise<string | undefined> {
  const value: unknown = JSON.parse(await readFile(file, 'utf8'));
  await rm(file, { force: true });
  const digest = (value as Readonly<Record<string, unknown>>)['containerimage.digest'];
  return typeof digest === 'string' && isDigest(digest) ? digest : undefined;
}
