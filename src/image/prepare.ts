import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { basesOf } from '../container/bases.ts';
import { type ImageBuild, buildImage } from '../container/build.ts';
import { withBuilder } from '../container/builder.ts';
import { type Content, type ContextFile, contentHash, contextFiles } from '../container/content.ts';
import { generateIgnore, ignoreWritten } from '../container/ignore-file.ts';
import { imageLabels } from '../container/labels.ts';
import { signedIn, storedLogin } from '../container/login.ts';
import { parseReference, showReference } from '../container/reference.ts';
import { type Pinned, checkPush, pinBase, resolveDigest } from '../container/registry.ts';
import { withSecretFiles } from '../container/secret-files.ts';
import { type Project, readerOf } from '../project/project.ts';
import type { BuiltImage } from './built.ts';
import type { ImageInputs } from './inputs.ts';
import { keptLayers } from './layers.ts';
import type { ImagePlan, Registry } from './plan.ts';
import type { ImageRecipe } from './recipe.ts';
import { type Target, addTags, authsOf, openTarget } from './target.ts';

/** An image whose content is known and that may be delivered once the checks have passed. */
export interface PreparedImage {
  /** Whether the registry has an image of this content, which `deliver` then uses. */
  exists(): Promise<boolean>;
  /** Uses the registry's image of the same content, or builds and pushes one. */
  deliver(): Promise<BuiltImage>;
}

/** The Dockerfile of an image, and the images it builds upon, by their names there. */
interface Dockerfile {
  readonly text: string;
  readonly generated: boolean;
  readonly bases: ReadonlyMap<string, Pinned>;
}

interface ImageToBuild {
  /** Absent where it is not pushed. */
  readonly target?: Target;
  readonly tag: string;
  readonly made: Dockerfile;
  readonly layers?: NonNullable<ImageBuild['layers']>;
}

/** Where an image goes, and its digest where it is there already. */
interface Located {
  readonly target: Target;
  readonly tag: string;
  readonly known: string | undefined;
  readonly find: () => Promise<string | undefined>;
}

/** Reads the checkout as it came: what installing and building write must not count as content. */
export async function prepareImage(
  given: ImageInputs,
  image: ImagePlan,
  { directory: projectFolder }: Project,
  recipe: ImageRecipe,
  host: Host,
): Promise<PreparedImage> {
  const directory = recipe.context ?? projectFolder;
  const own = image.dockerfile === undefined ? undefined : path.join(projectFolder, image.dockerfile);
  const rules = own === undefined ? generateIgnore(recipe.ignored, readerOf(directory)('.dockerignore')) : undefined;
  const files = await contextFiles(directory, own, rules);
  const instead = rules === undefined ? new Map<string, string>() : (recipe.instead ?? new Map<string, string>());
  const context = await contentHash({
    files: files.filter((one) => !instead.has(one.path)),
    dockerfile: rules === undefined ? '' : recipe.settings,
    buildArgs: Object.fromEntries(instead),
  });
  const sources = own === undefined ? '' : await sourcesHash(recipe, projectFolder, files);
  const epoch = await commitTime(directory, host);
  const labels = imageLabels(host.info, { title: image.name, ...(epoch !== undefined && { commitTime: epoch }) });
  // Asked for while the checks run.
  const dockerfile = readDockerfile(own, recipe, given.baseImage, host);
  dockerfile.catch(() => undefined);

  const build = async ({ target, tag, made, layers }: ImageToBuild): Promise<string | undefined> => {
    await mkdir(host.info.temp, { recursive: true });
    const work = await mkdtemp(path.join(host.info.temp, 'image-'));
    try {
      const file = own ?? path.join(work, 'Dockerfile');
      if (rules !== undefined) {
        const now = await contextFiles(directory, undefined, rules);
        const written = ignoreWritten(
          files.map((one) => one.path),
          now.map((one) => one.path),
        );
        await writeFile(file, made.text);
        await writeFile(`${file}.dockerignore`, `${rules}\n# what this build wrote\n${written.join('\n')}\n`);
      }
      const registry = target?.reference.registry ?? '';
      const needs = { exportsCache: layers !== undefined, platforms: given.platforms, registry };
      return await withSecretFiles(new Map([...recipe.secrets, ...given.buildSecrets]), host, async (secrets) =>
        signedIn(registry, target?.login, host, async (dockerConfig) =>
          withBuilder(needs, dockerConfig, host, async ({ name, exportsCache }) =>
            buildImage(
              {
                context: directory,
                dockerfile: file,
                ...(own !== undefined && { shownDockerfile: path.relative(host.info.workspace, own) }),
                tags: [target === undefined ? `${image.name}:${tag}` : showReference({ ...target.reference, tag })],
                push: target !== undefined,
                platforms: given.platforms,
                buildArgs: given.buildArgs,
                secrets,
                ssh: given.ssh,
                fresh: !given.cache,
                ...(name !== undefined && { builder: name }),
                ...(exportsCache && layers !== undefined && { layers }),
                labels: { ...labels.steady, ...labels.ofCommit },
                epoch: epoch ?? 0,
                dockerConfig,
              },
              host,
            ),
          ),
        ),
      );
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  };

  /** What decides the image besides the files of the context. */
  const variant = (made: Dockerfile): Content => ({
    files: [],
    dockerfile: made.text,
    buildArgs: Object.fromEntries(given.buildArgs),
    platforms: given.platforms.length > 0 ? given.platforms : [`linux/${process.arch}`],
    bases: Object.fromEntries([...made.bases].flatMap(([name, { digest }]) => (digest ? [[name, digest]] : []))),
  });

  /** Whether what ran before changed what the team's own Dockerfile may copy: then that is made of its sources. */
  const isWritten = async (): Promise<boolean> => {
    const now = await contextFiles(directory, own);
    return now.length !== files.length || (await contentHash({ files: now, dockerfile: '' })) !== context;
  };

  /** The tag of this content, and where it is pushed to; the registry is asked once. */
  const locate = async (registry: Registry, written: boolean, opened?: Target): Promise<Located> => {
    const opening = opened ?? openTarget(given, image.name, registry, host);
    const [made, target] = await Promise.all([dockerfile, opening]);
    const { auths, reference } = target;
    const content = await contentTag(made, written);
    // Where no tag moves, an image that has to be built anew needs a tag of its own.
    const { runId, runAttempt } = host.info;
    const tag = given.cache || target.mutable ? content : `${content}-${runId}-${runAttempt}`;
    const find = async (): Promise<string | undefined> => resolveDigest({ ...reference, tag }, auths, host);
    return { target, tag, find, known: given.cache ? await find() : undefined };
  };
  const contentTag = async (made: Dockerfile, written: boolean): Promise<string> => {
    const hash = await contentHash({
      ...variant(made),
      labels: {
        ...labels.steady,
        context,
        ...(own !== undefined && { before: recipe.before, ...(written && { sources }) }),
        ...mountsOf(given),
      },
    });
    return `content-${hash.slice(0, 40)}`;
  };
  let located: Promise<Located> | undefined;

  return {
    async exists() {
      if (image.registry === undefined || !given.cache) return false;
      // Before the scripts ran nobody knows what they will write: only an image of the very sources is surely this one.
      located ??= locate(image.registry, own !== undefined);
      return (await located).known !== undefined;
    },
    async deliver() {
      const began = host.clock.now();
      const made = await dockerfile;
      if (made.generated) {
        await host.log.group('there is no Dockerfile: this one is generated', async () => host.log.info(made.text));
      }
      const result = { name: image.name, ...(made.generated && { generated: made.text }) };
      const seconds = (): number => (host.clock.now() - began) / 1000;
      if (image.registry === undefined) {
        await build({ tag: await contentTag(made, own !== undefined && (await isWritten())), made });
        return { ...result, reused: false, tags: [], seconds: seconds() };
      }
      const seen = await located;
      const settled = own === undefined || seen?.known !== undefined ? seen : undefined;
      const written = own !== undefined && settled === undefined && (await isWritten());
      const { target, tag, find, known: before } = settled ?? (await locate(image.registry, written, seen?.target));
      // A job beside this one may have pushed it since it was asked for.
      const known = before ?? (settled && (await find()));
      const { auths, reference } = target;
      if (known !== undefined) host.log.info(`the registry has an image of this content: ${tag}`);
      const push = async (): Promise<Pushed> => {
        await checkPush(reference, auths, host);
        const layers = given.cache ? await keptLayers(target, variant(made), recipe, host) : undefined;
        return buildOrFind(async () => build({ target, tag, made, ...(layers && { layers }) }), find);
      };
      const { digest, found = false } = known === undefined ? await push() : { digest: known, found: true };
      if (digest === undefined) throw new Error('the image was built, but not pushed');
      const tags = [tag, ...(await addTags(target, digest, host))];
      return {
        ...result,
        reference: showReference({ ...reference, digest }),
        digest,
        reused: found,
        tags,
        seconds: seconds(),
        repositoryCreated: target.created,
        pushed: { image: { ...reference, digest }, auths, scan: target.scan },
      };
    },
  };
}

/** What the scripts before the image may read, besides the files that count already. */
async function sourcesHash(
  { sources, ignored, instead = new Map(), settings }: ImageRecipe,
  projectFolder: string,
  counted: readonly ContextFile[],
): Promise<string> {
  const known = new Set(counted.map(({ source }) => source));
  const all = await contextFiles(sources ?? projectFolder, undefined, ignored.join('\n'));
  return contentHash({
    files: all.filter((one) => !known.has(one.source) && !instead.has(one.path)),
    dockerfile: settings,
    buildArgs: Object.fromEntries(instead),
  });
}

/** Which secrets and keys a step may find, as it may do something else without them; never what they are. */
function mountsOf({ buildSecrets, ssh }: ImageInputs): Readonly<Record<string, string>> {
  const ids = [
    ...[...buildSecrets.keys()].map((id) => `secret ${id}`),
    ...ssh.map((one) => `ssh ${one.split('=')[0]}`),
  ];
  return ids.length === 0 ? {} : { mounts: ids.toSorted((a, b) => (a < b ? -1 : 1)).join('\n') };
}

/** An image in the registry; one that was found there is not this run's to attest. */
interface Pushed {
  readonly digest: string | undefined;
  readonly found?: boolean;
}

/** Another job may push the same content meanwhile; where tags are immutable this push is refused and that image is it. */
async function buildOrFind(
  build: () => Promise<string | undefined>,
  find: () => Promise<string | undefined>,
): Promise<Pushed> {
  try {
    return { digest: await build() };
  } catch (error) {
    const digest = error instanceof UserError && /immutable/i.test(error.message) ? await find() : undefined;
    if (digest === undefined) throw error;
    return { digest, found: true };
  }
}

async function readDockerfile(
  own: string | undefined,
  recipe: ImageRecipe,
  baseImage: string,
  host: Host,
): Promise<Dockerfile> {
  const pin = async (name: string): Promise<Pinned> => {
    const { registry } = parseReference(name);
    return pinBase(name, authsOf(registry, await storedLogin(registry, host)), host);
  };
  if (own !== undefined) {
    const text = await readFile(own, 'utf8');
    const pinned = basesOf(text).map(async (name): Promise<[string, Pinned]> => [name, await pin(name)]);
    return { text, generated: false, bases: new Map(await Promise.all(pinned)) };
  }
  const { name } = await pin(baseImage || recipe.base);
  return { text: recipe.generate(name), generated: true, bases: new Map() };
}

/**
 * When the commit was made, in seconds since 1970: everything in the image gets this time, so that the same commit gives
 * the same image. Undefined outside a repository.
 */
async function commitTime(directory: string, host: Host): Promise<number | undefined> {
  const { stdout } = await host.exec
    .ask('git', ['log', '-1', '--format=%ct'], { cwd: directory })
    .catch(() => ({ stdout: '' }));
  return /^\d+$/.test(stdout.trim()) ? Number(stdout.trim()) : undefined;
}
