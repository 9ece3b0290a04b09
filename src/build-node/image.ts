import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError, describe } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { awsCredentials } from '../aws/credentials.ts';
import { openEcr } from '../aws/ecr.ts';
import { buildImage } from '../container/build.ts';
import { contentHash, contextFiles } from '../container/content.ts';
import { generateDockerfile, planDockerfile } from '../container/dockerfile.ts';
import { generateIgnore } from '../container/ignore-file.ts';
import { imageLabels } from '../container/labels.ts';
import { signedIn } from '../container/login.ts';
import { type Reference, parseReference, showReference } from '../container/reference.ts';
import { type Auths, addTag, pinBase, resolveDigest } from '../container/registry.ts';
import type { RegistryAuth } from '../container/registry-http.ts';
import type { ReadFile } from '../node/manifest.ts';
import type { BuildInputs } from './inputs.ts';
import { type BuildPlan, type ImagePlan, type Registry, baseOf, extraTags } from './plan.ts';
import type { BuiltImage } from './report.ts';

/** A repository that is open for pushing. */
interface Target {
  readonly reference: Reference;
  readonly login: RegistryAuth | undefined;
  readonly auths: Auths;
  readonly mutable: boolean;
  readonly created: boolean;
}

/** An image whose content is known and that may be delivered once the checks have passed. */
export interface PreparedImage {
  /** Uses the registry's image of the same content, or builds and pushes one. */
  deliver(): Promise<BuiltImage>;
}

/** Reads the checkout as it came: what installing and building write must not count as content. */
export async function prepareImage(
  given: BuildInputs,
  plan: BuildPlan,
  image: ImagePlan,
  directory: string,
  read: ReadFile,
  host: Host,
): Promise<PreparedImage> {
  const own = image.dockerfile === undefined ? undefined : path.join(directory, image.dockerfile);
  const files = await contextFiles(directory, own);
  const context = await contentHash({ files, dockerfile: '' });
  const before = new Set(files.map((file) => file.path));
  const epoch = await commitTime(directory, host);
  const labels = imageLabels(host.info, { title: image.name, commitTime: epoch });
  // Asked for while the checks run.
  const base = own === undefined ? pinBase(baseOf(given.baseImage, plan.node), {}, host) : undefined;
  base?.catch(() => undefined);

  const build = async (
    target: Target | undefined,
    tag: string,
    generated: string | undefined,
  ): Promise<string | undefined> => {
    await mkdir(host.info.temp, { recursive: true });
    const work = await mkdtemp(path.join(host.info.temp, 'image-'));
    try {
      const file = own ?? path.join(work, 'Dockerfile');
      if (generated !== undefined) {
        const written = (await contextFiles(directory))
          .map(({ path: name }) => name)
          .filter((name) => !before.has(name));
        await writeFile(file, generated);
        await writeFile(`${file}.dockerignore`, ignoreText(read, written));
      }
      const registry = target?.reference.registry ?? '';
      return await signedIn(registry, target?.login, host, async (dockerConfig) =>
        buildImage(
          {
            context: directory,
            dockerfile: file,
            ...(own !== undefined && { shownDockerfile: path.relative(host.info.workspace, own) }),
            tags: [target === undefined ? `${image.name}:${tag}` : showReference({ ...target.reference, tag })],
            push: target !== undefined,
            platforms: given.platforms,
            buildArgs: given.buildArgs,
            labels: { ...labels.steady, ...labels.ofCommit },
            epoch,
            dockerConfig,
          },
          host,
        ),
      );
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  };

  return {
    async deliver() {
      const began = host.clock.now();
      const generated = base && (await generate((await base).name, plan, read, host));
      const hash = await contentHash({
        files: [],
        dockerfile: generated ?? (await readFile(own ?? '', 'utf8')),
        buildArgs: Object.fromEntries(given.buildArgs),
        platforms: given.platforms,
        labels: { ...labels.steady, context },
      });
      const tag = `content-${hash.slice(0, 40)}`;
      const result = { name: image.name, ...(generated !== undefined && { generated }) };
      const seconds = (): number => (host.clock.now() - began) / 1000;
      if (image.registry === undefined) {
        await build(undefined, tag, generated);
        return { ...result, reused: false, tags: [], seconds: seconds() };
      }
      const target = await openTarget(given, image.name, image.registry, host);
      const { auths, reference } = target;
      const find = async (): Promise<string | undefined> => resolveDigest({ ...reference, tag }, auths, host);
      const known = given.cache ? await find() : undefined;
      if (known !== undefined) host.log.info(`the registry has an image of this content: ${tag}`);
      const digest = known ?? (await buildOrFind(async () => build(target, tag, generated), find));
      if (digest === undefined) throw new Error('the image was built, but not pushed');
      const tags = [tag, ...(await addTags(target, digest, host))];
      return {
        ...result,
        reference: showReference({ ...reference, digest }),
        digest,
        reused: known !== undefined,
        tags,
        seconds: seconds(),
        repositoryCreated: target.created,
      };
    },
  };
}

/** Another job may push the same content meanwhile; where tags are immutable this push is refused and that image is it. */
async function buildOrFind(
  build: () => Promise<string | undefined>,
  find: () => Promise<string | undefined>,
): Promise<string | undefined> {
  try {
    return await build();
  } catch (error) {
    const found = error instanceof UserError && /immutable/i.test(error.message) ? await find() : undefined;
    if (found === undefined) throw error;
    return found;
  }
}

/** A tag that cannot be set is no reason to fail: the digest is what gets deployed. */
async function addTags({ auths, reference, mutable }: Target, digest: string, host: Host): Promise<readonly string[]> {
  const added: string[] = [];
  for (const tag of extraTags(host.info, mutable)) {
    try {
      await addTag({ ...reference, digest }, tag, auths, host);
      added.push(tag);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      host.log.warning(`the image has no tag ${tag}: ${describe(error)}`);
    }
  }
  return added;
}

async function openTarget(given: BuildInputs, name: string, registry: Registry, host: Host): Promise<Target> {
  if (registry.kind === 'oci') {
    const login = registry.username === '' ? undefined : { username: registry.username, password: registry.password };
    const reference = { registry: registry.host, repository: name };
    return { reference, login, auths: authsOf(registry.host, login), mutable: true, created: false };
  }
  const { region } = registry;
  const credentials = awsCredentials(host, { roleToAssume: given.roleToAssume, region });
  const ecr = await openEcr(credentials, registry, host);
  const [login, { uri, mutable, created }] = [await ecr.login(), await ecr.repository(name, given.createRepository)];
  if (created) host.log.info(`created the repository ${name} in ECR of ${region}`);
  const reference = parseReference(uri);
  return { reference, login, auths: authsOf(reference.registry, login), mutable, created };
}

function authsOf(registry: string, login: RegistryAuth | undefined): Auths {
  return login === undefined ? {} : { [registry]: login };
}

async function generate(base: string, plan: BuildPlan, read: ReadFile, host: Host): Promise<string> {
  const text = generateDockerfile(planDockerfile(read, { base, manager: plan.manager }));
  await host.log.group('there is no Dockerfile: this one is generated', async () => host.log.info(text));
  return text;
}

/** The rules beside a generated Dockerfile, and what this build itself wrote, so that it stays out. */
function ignoreText(read: ReadFile, written: readonly string[]): string {
  const literal = written.map((name) => name.replaceAll(/[\\*?[\]!#]/g, String.raw`\$&`));
  const folders = [...new Set(literal.map((name) => name.split('/')[0] ?? name))];
  return `${generateIgnore(read('.dockerignore'))}\n${(literal.length > 1000 ? folders : literal).join('\n')}\n`;
}

/** When the commit was made: everything in the image gets this time, so that the same commit gives the same image. */
async function commitTime(directory: string, host: Host): Promise<number> {
  const { stdout } = await host.exec
    .ask('git', ['log', '-1', '--format=%ct'], { cwd: directory })
    .catch(() => ({ stdout: '' }));
  return /^\d+$/.test(stdout.trim()) ? Number(stdout.trim()) : 0;
}
