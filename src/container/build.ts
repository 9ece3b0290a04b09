import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { type Place, UserError } from '../action/errors.ts';
import { stripControls } from '../action/log.ts';
import type { Host } from '../action/host.ts';
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
  readonly platforms: readonly string[];
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds since 1970 that stand as the time of everything in the image. */
  readonly epoch: number;
  /** Folder for DOCKER_CONFIG. */
  readonly dockerConfig: string;
}

const TAIL_LINES = 25;

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
  const args = [
    'buildx',
    'build',
    '--progress=plain',
    // An attestation index would make the tag point at something that some consumers cannot deploy.
    '--provenance=false',
    `--file=${build.dockerfile}`,
    `--metadata-file=${metadata}`,
    ...build.tags.map((tag) => `--tag=${tag}`),
    ...(build.platforms.length > 0 ? [`--platform=${build.platforms.join(',')}`] : []),
    ...Object.entries(build.labels).map(([name, value]) => `--label=${name}=${value}`),
    // Values go by the environment, so that no list of processes shows them.
    ...[...build.buildArgs.keys()].map((name) => `--build-arg=${name}`),
    ...(build.push ? ['--push'] : []),
    build.context,
  ];
  const env = {
    ...Object.fromEntries(build.buildArgs),
    DOCKER_CONFIG: build.dockerConfig,
    SOURCE_DATE_EPOCH: String(build.epoch),
  };
  const { exitCode, stdout, stderr } = await host.log.group('docker buildx build', async () =>
    host.exec.run('docker', args, { env, onLine: (line) => host.log.info(line) }),
  );
  const output = stripControls(`${stdout}\n${stderr}`);
  if (exitCode !== 0) throw explainBuild(output, build, await readFile(build.dockerfile, 'utf8'));
  if (!build.push) return undefined;
  const digest = await digestIn(metadata);
  if (digest === undefined) throw new Error('docker pushed the image without telling its digest');
  return digest;
}

async function digestIn(file: string): Promise<string | undefined> {
  const value: unknown = JSON.parse(await readFile(file, 'utf8'));
  await rm(file, { force: true });
  const digest = (value as Readonly<Record<string, unknown>>)['containerimage.digest'];
  return typeof digest === 'string' && isDigest(digest) ? digest : undefined;
}

/** What went wrong, out of what docker wrote. */
export function explainBuild(
  output: string,
  build: Pick<ImageBuild, 'shownDockerfile' | 'tags'>,
  dockerfile: string,
): UserError {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const tail = lines.slice(-TAIL_LINES).join('\n');
  if (/Cannot connect to the Docker daemon|error during connect|docker\.sock/i.test(output)) {
    return new UserError(`Docker does not answer: ${lines.at(-1) ?? ''}`, {
      remedy: 'Use a runner with a running Docker, such as ubuntu-24.04.',
    });
  }
  if (/buildx.*is not a docker command|unknown (flag|shorthand).*progress|'buildx'/i.test(output)) {
    return new UserError('Docker has no buildx on this runner', {
      remedy: 'Install the plugin docker-buildx, or use a runner that has it, such as ubuntu-24.04.',
    });
  }
  const refused = lines.find(
    (line) =>
      /failed to push|denied|unauthorized|no basic auth|authorization failed|tag is immutable|HTTP 40[13] response/i.test(
        line,
      ) && /ERROR|error/.test(line),
  );
  if (refused !== undefined && !/did not complete successfully/.test(output)) {
    return new UserError(`The registry refuses the image ${build.tags[0] ?? ''}: ${refused.trim().slice(0, 500)}`, {
      remedy: /HTTP 403 response/.test(refused)
        ? 'The registry gives no reason. ECR answers so when the role lacks the IAM action ecr:BatchCheckLayerAvailability; the README of build-node lists all that it needs.'
        : 'Check that the role or user may push to this repository, and the inputs image, registry and region.',
    });
  }
  const place = placeOf(output, build.shownDockerfile, dockerfile);
  const step = /(?:ERROR|error): failed to (?:solve|build): (.*)/.exec(output)?.[1] ?? lines.at(-1) ?? '';
  const where = build.shownDockerfile ?? 'The generated Dockerfile';
  return new UserError(`${where} does not build: ${step.slice(0, 500)}\n${tail}`, {
    remedy: 'Mend the step that the last lines show; `docker buildx build` repeats it on your machine.',
    ...(place !== undefined && { place }),
  });
}

/** Newer BuildKits end with the failing place as `Dockerfile:12`; all quote the failing step as ` > [build 2/3] RUN …:`. */
function placeOf(output: string, file: string | undefined, dockerfile: string): Place | undefined {
  if (file === undefined) return undefined;
  const told = [...output.matchAll(/^[\w.-]+:(\d{1,6})$/gm)].at(-1)?.[1];
  const step = /^ > \[[^\]\n]*\] (.*):$/m.exec(output)?.[1];
  const quoted =
    step === undefined ? -1 : dockerfile.split('\n').findIndex((line) => oneSpace(line) === oneSpace(step));
  const line = told === undefined ? quoted + 1 : Number(told);
  return { file, ...(line > 0 && { line }) };
}

function oneSpace(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}
