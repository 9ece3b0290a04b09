import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Host } from '../action/host.ts';
import { type ImageBuild, buildImage } from '../container/build.ts';
import { withBuilder } from '../container/builder.ts';
import { type Content, contentHash, contextFiles } from '../container/content.ts';
import { generateIgnore } from '../container/ignore-file.ts';
import { imageLabels } from '../container/labels.ts';
import { withoutLinks } from '../container/linked-copy.ts';
import { signedIn } from '../container/login.ts';
import { showReference } from '../container/reference.ts';
import { checkPush, resolveDigest } from '../container/registry.ts';
import { withSecretFiles } from '../container/secret-files.ts';
import { takeSnapshot } from '../container/snapshot.ts';
import { type Project, readerOf } from '../project/project.ts';
import { type Beside, WorkBeside } from './beside.ts';
import type { BuiltImage } from './built.ts';
import { type Dockerfile, commitTime, readDockerfile } from './dockerfile.ts';
import type { ImageInputs } from './inputs.ts';
import { keptLayers } from './layers.ts';
import type { ImagePlan, Registry } from './plan.ts';
import { type Pushed, buildOrFind } from './pushed.ts';
import type { ImageRecipe } from './recipe.ts';
import { mountsOf, sourcesHash } from './sources.ts';
import { type Target, addTags, openTarget } from './target.ts';

/** An image whose content is known and that may be delivered once the checks have passed. */
export interface PreparedImage {
  /** Whether the registry has an image of this content, which `deliver` then uses. */
  exists(): Promise<boolean>;
  /**
   * To be called before anything runs that may write into the checkout: the image is built out of the files as they are
   * now, beside what follows. A Dockerfile of the team's own may copy what follows writes, so it waits for `deliver`; so
   * does what is to be built anew whatever was built before. Nothing reaches a registry before `deliver`.
   */
  begin(): Promise<void>;
  /** Uses the registry's image of the same content, or builds and pushes one. */
  deliver(): Promise<BuiltImage>;
  /** Ends what is still under way and removes what was laid aside. */
  close(): Promise<void>;
}

/** What is built beside the checks: where it runs, and whether the image is still wanted once they have passed. */
interface Ahead {
  readonly host: Host;
  readonly goesOn: () => Promise<boolean>;
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

  let snapshot: Promise<string> | undefined;

  /** @param ahead builds all beside the checks, and the image to be pushed once `goesOn` says so */
  const build = async ({ target, tag, made, layers }: ImageToBuild, ahead?: Ahead): Promise<string | undefined> => {
    const { host: runner = host } = ahead ?? {};
    await mkdir(host.info.temp, { recursive: true });
    const work = await mkdtemp(path.join(host.info.temp, 'image-'));
    try {
      const file = own ?? path.join(work, 'Dockerfile');
      if (own === undefined) {
        snapshot ??= takeSnapshot(files, host.info.temp);
        // In place of the project's own, which is obeyed already.
        await writeFile(`${file}.dockerignore`, '# the context holds nothing that stays out\n');
      }
      const context = (await snapshot) ?? directory;
      const registry = target?.reference.registry ?? '';
      const needs = { exportsCache: layers !== undefined, platforms: given.platforms, registry };
      return await withSecretFiles(new Map([...recipe.secrets, ...given.buildSecrets]), runner, async (secrets) =>
        signedIn(registry, target?.login, runner, async (dockerConfig) =>
          withBuilder(needs, dockerConfig, runner, async ({ name, exportsCache }) => {
            if (own === undefined) await writeFile(file, exportsCache ? made.text : withoutLinks(made.text));
            const wanted = {
              context,
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
            };
            if (ahead !== undefined) {
              await buildImage({ ...wanted, ahead: exportsCache ? 'packed' : 'unpacked' }, runner);
              if (!(await ahead.goesOn())) return undefined;
            }
            return buildImage(wanted, runner);
          }),
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
  const locate = async (
    registry: Registry,
    written: boolean,
    { opened, mayCreate = true }: { readonly opened?: Target | undefined; readonly mayCreate?: boolean } = {},
  ): Promise<Located> => {
    const createRepository = given.createRepository && mayCreate;
    const opening = opened ?? openTarget({ ...given, createRepository }, image.name, registry, host);
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
  /** The image in the registry: built, or found there, as a job beside this one may push it meanwhile. */
  const produce = async ({ target, tag, find }: Located, made: Dockerfile, beside?: Beside): Promise<Pushed> => {
    const { auths, reference } = target;
    const runner = beside?.host ?? host;
    await checkPush(reference, auths, runner);
    const layers = given.cache ? await keptLayers(target, variant(made), recipe, runner) : undefined;
    let there: string | undefined;
    const ahead = beside && {
      host: runner,
      goesOn: async () => {
        await beside.passed();
        there = await find();
        return there === undefined;
      },
    };
    const pushed = await buildOrFind(async () => build({ target, tag, made, ...(layers && { layers }) }, ahead), find);
    return there === undefined ? pushed : { digest: there, found: true };
  };
  let located: Promise<Located> | undefined;
  let beside: WorkBeside<Pushed | undefined> | undefined;

  /** Undefined where there is nothing to build, or where the registry is not open yet: `deliver` says then why. */
  const buildBeside = async (checks: Beside): Promise<Pushed | undefined> => {
    const made = await dockerfile;
    if (image.registry === undefined) {
      const goesOn = async (): Promise<boolean> => checks.passed().then(() => true);
      return { digest: await build({ tag: await contentTag(made, false), made }, { host: checks.host, goesOn }) };
    }
    // A repository is created for an image that passed, and for no other.
    const locating = located ?? locate(image.registry, false, { mayCreate: false });
    const at = await locating.catch(() => undefined);
    if (at === undefined) return undefined;
    located = Promise.resolve(at);
    return at.known === undefined ? produce(at, made, checks) : undefined;
  };

  return {
    async exists() {
      if (image.registry === undefined || !given.cache) return false;
      // Before the scripts ran nobody knows what they will write: only an image of the very sources is surely this one.
      located ??= locate(image.registry, own !== undefined);
      return (await located).known !== undefined;
    },
    async begin() {
      if (own !== undefined) return;
      snapshot ??= takeSnapshot(files, host.info.temp);
      await snapshot;
      if (given.cache) beside = new WorkBeside('docker buildx build, beside the checks', buildBeside, host);
    },
    async deliver() {
      const made = await dockerfile;
      if (made.generated) {
        await host.log.group('there is no Dockerfile: this one is generated', async () => host.log.info(made.text));
      }
      const came = await beside?.finish();
      const began = host.clock.now();
      const result = {
        name: image.name,
        ...(made.generated && { generated: made.text }),
        ...(came?.value && { beside: true }),
      };
      const seconds = (): number => (came?.value === undefined ? 0 : came.seconds) + (host.clock.now() - began) / 1000;
      if (image.registry === undefined) {
        if (came === undefined)
          await build({ tag: await contentTag(made, own !== undefined && (await isWritten())), made });
        return { ...result, reused: false, tags: [], seconds: seconds() };
      }
      const seen = await located;
      const settled = own === undefined || seen?.known !== undefined ? seen : undefined;
      const written = own !== undefined && settled === undefined && (await isWritten());
      const at = settled ?? (await locate(image.registry, written, { opened: seen?.target }));
      const { target, tag } = at;
      const { auths, reference } = target;
      // A job beside this one may have pushed it since it was asked for.
      const known = came?.value === undefined ? (at.known ?? (settled && (await at.find()))) : undefined;
      if (known !== undefined) host.log.info(`the registry has an image of this content: ${tag}`);
      const there = known === undefined ? undefined : { digest: known, found: true };
      const { digest, found = false } = came?.value ?? there ?? (await produce(at, made));
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
    async close() {
      await beside?.abandon();
      // The runner empties this folder too.
      if (snapshot !== undefined) await rm(await snapshot, { recursive: true, force: true }).catch(() => undefined);
    },
  };
}
