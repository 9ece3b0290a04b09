import { type Place, UserError } from '../action/errors.ts';
import { parseReference } from './reference.ts';
import { githubRight, permissionIn } from './registry.ts';

/** What of a build counts for saying why it failed. */
export interface FailedBuild {
  readonly shownDockerfile?: string;
  readonly tags: readonly string[];
  readonly platforms: readonly string[];
}

const TAIL_LINES = 25;
const MAX_TOLD = 500;

/** A cause that is no fault of a step, known by what docker writes. */
interface Cause {
  readonly sign: RegExp;
  explain(line: string, build: FailedBuild): UserError;
}

const CAUSES: readonly Cause[] = [
  {
    sign: /Cannot connect to the Docker daemon|error during connect|docker\.sock/i,
    explain: (line) =>
      new UserError(`Docker does not answer: ${line}`, {
        remedy: 'Use a runner with a running Docker, such as ubuntu-24.04.',
      }),
  },
  {
    sign: /buildx.*is not a docker command|unknown (flag|shorthand).*progress|'buildx'/i,
    explain: () =>
      new UserError('Docker has no buildx on this runner', {
        remedy: 'Install the plugin docker-buildx, or use a runner that has it, such as ubuntu-24.04.',
      }),
  },
  {
    sign: /multi-?platform build is not supported|multiple platforms feature is currently not supported/i,
    explain: (_, { platforms }) =>
      new UserError(
        `The Docker of this runner builds for one platform at a time; input platforms names ${platforms.join(', ')}`,
        {
          remedy:
            'Add the steps docker/setup-qemu-action and docker/setup-buildx-action before this one, or name one platform.',
        },
      ),
  },
  {
    sign: /exec format error/i,
    explain: (line, { platforms }) =>
      new UserError(`A step for ${platforms.join(', ')} needs a program that this runner cannot run: ${line}`, {
        remedy:
          "Add the step docker/setup-qemu-action before this one, use a runner of that platform, or leave the input platforms out for the runner's own.",
      }),
  },
  {
    sign: /^ERROR.*no match for platform in manifest/i,
    explain: (line, { platforms }) =>
      new UserError(`A base image does not exist for ${platforms.join(', ')}: ${line}`, {
        remedy: 'Take the platform out of the input platforms, or choose another base image.',
      }),
  },
];

/** A refused push, told apart by what registries answer: 401, 403 and 404 of the OCI distribution spec, and ECR's own. */
const REFUSALS: readonly {
  readonly sign: RegExp;
  readonly what: string;
  readonly remedy: (registry: string, repository: string) => string;
}[] = [
  {
    sign: /immutable/i,
    what: 'has an image under this tag already, and its tags are immutable',
    remedy: () => 'Push the commit anew, so that the image gets a tag of its own.',
  },
  {
    sign: /name unknown|name_unknown|repository .*(not exist|not found)|404 not found/i,
    what: 'does not know the repository',
    remedy: (registry, repository) =>
      `Create the repository ${repository} at ${registry}, or check the inputs image and registry.`,
  },
  {
    sign: /unauthorized|authentication required|no basic auth|401/i,
    what: 'does not know who is asking',
    remedy: (registry) =>
      `Give registry-username and registry-password for ${registry}, or sign in with docker/login-action before this step; a token may have expired.`,
  },
  {
    // The question whether a layer is there is a HEAD request, whose answer has no room for a reason.
    sign: /HTTP 403 response/,
    what: 'does not allow it and gives no reason',
    remedy: (_, repository) =>
      `Give the role or user the right to push to ${repository}. ECR answers so when the IAM action ecr:BatchCheckLayerAvailability is missing; the README of build-node lists all that it needs.`,
  },
  {
    sign: /denied|forbidden|insufficient_scope|authorization failed|not authorized|403/i,
    what: 'knows who is asking and does not allow it',
    remedy: (registry, repository) =>
      `Give the account that is signed in at ${registry} the right to push to ${repository}${githubRight(registry)}.`,
  },
];

/** What went wrong, out of what docker wrote. */
export function explainBuild(output: string, build: FailedBuild, dockerfile: string): UserError {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const known = CAUSES.find(({ sign }) => lines.some((line) => sign.test(line)));
  if (known !== undefined) {
    const line = lines.find((one) => known.sign.test(one)) ?? '';
    return known.explain(line.trim().slice(0, MAX_TOLD), build);
  }
  return unreachableBase(lines, build, dockerfile) ?? refusedPush(lines, build) ?? failedStep(lines, build, dockerfile);
}

/** BuildKit ends the look for a base image with `> [internal] load metadata for <image>:`. */
function unreachableBase(lines: readonly string[], build: FailedBuild, dockerfile: string): UserError | undefined {
  const heading = lines.findLast((line) => line.startsWith(' > [internal] load metadata for '));
  const base = / for (\S+):$/.exec(heading ?? '')?.[1];
  if (base === undefined) return undefined;
  const told = lines.at(-1)?.replace(/^ERROR: /, '') ?? '';
  const place = placeOf(lines, build.shownDockerfile, dockerfile);
  const from = dockerfile.split('\n').findIndex((line) => /^\s*FROM\s/i.test(line) && line.includes(nameIn(base)));
  const line = place?.line ?? from + 1;
  return new UserError(`The base image ${base} cannot be had: ${told.slice(0, MAX_TOLD)}`, {
    remedy:
      'Check its name, and that the runner reaches its registry; sign in there with docker/login-action before this step where it is private.',
    ...(place !== undefined && { place: { file: place.file, ...(line > 0 && { line }) } }),
  });
}

/** As a Dockerfile names it: BuildKit writes `docker.io/library/node:24` for `node:24`. */
function nameIn(base: string): string {
  return base.replace(/^docker\.io\/(library\/)?/, '');
}

function refusedPush(lines: readonly string[], { tags: [tag] }: FailedBuild): UserError | undefined {
  const pushed = lines.some((line) => /^#\d+ pushing |failed to push|exporting to (image|oci)/.test(line));
  const inStep = lines.some((line) => /did not complete successfully/.test(line));
  const error = lines.findLast((line) => /^ERROR|^error/.test(line));
  if (tag === undefined || !pushed || inStep || error === undefined) return undefined;
  const refusal = REFUSALS.find(({ sign }) => sign.test(error));
  if (refusal === undefined && !/failed to push/.test(error)) return undefined;
  const { registry, repository } = parseReference(tag);
  const what = refusal === undefined ? 'did not take the image' : `refuses the image: it ${refusal.what}`;
  return new UserError(`The registry ${registry} ${what} (${tag}): ${error.trim().slice(0, MAX_TOLD)}`, {
    remedy:
      permissionIn(error) ??
      refusal?.remedy(registry, repository) ??
      `Run the job again; when it stays so, ask who runs ${registry}.`,
  });
}

function failedStep(lines: readonly string[], build: FailedBuild, dockerfile: string): UserError {
  const place = placeOf(lines, build.shownDockerfile, dockerfile);
  const error = lines.findLast((line) => /^(ERROR|error): /.test(line)) ?? lines.at(-1) ?? '';
  const step = error.replace(/^(ERROR|error): /, '').replace(/^failed to (build|solve): (failed to solve: )?/, '');
  const where = build.shownDockerfile ?? 'The generated Dockerfile';
  const line = place?.line === undefined ? '' : ` at line ${place.line}`;
  return new UserError(`${where} does not build${line}: ${step.slice(0, MAX_TOLD)}\n${lastLines(lines)}`, {
    remedy: 'Mend the step that the last lines show; `docker buildx build .` repeats it on your machine.',
    ...(place !== undefined && { place }),
  });
}

/** What the failing step itself wrote, without BuildKit's numbers and times; all lines where no step did. */
function lastLines(lines: readonly string[]): string {
  const step = lines.flatMap((line) => /^(#\d+) ERROR/.exec(line)?.[1] ?? []).at(-1);
  const own = lines.filter((line) => step !== undefined && line.startsWith(`${step} `));
  const written = own.flatMap((line) => /^#\d+ \d+\.\d+ (.*)$/.exec(line)?.[1] ?? []);
  return (written.length > 0 ? written : lines).slice(-TAIL_LINES).join('\n');
}

/** Newer BuildKits end with the failing place as `Dockerfile:12`; all quote the failing step as ` > [build 2/3] RUN …:`. */
function placeOf(lines: readonly string[], file: string | undefined, dockerfile: string): Place | undefined {
  if (file === undefined) return undefined;
  const told = lines.flatMap((line) => /^[\w.-]+:(\d{1,6})$/.exec(line)?.[1] ?? []).at(-1);
  const step = lines.flatMap((line) => /^ > \[[^\]\n]*\] (.*):$/.exec(line)?.[1] ?? [])[0];
  const quoted =
    step === undefined ? -1 : dockerfile.split('\n').findIndex((line) => oneSpace(line) === oneSpace(step));
  const line = told === undefined ? quoted + 1 : Number(told);
  return { file, ...(line > 0 && { line }) };
}

function oneSpace(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}
