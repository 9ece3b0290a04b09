import type { Host } from '../action/host.ts';
import type { ImageBuild } from '../container/build.ts';
import { type Content, contentHash } from '../container/content.ts';
import { showReference } from '../container/reference.ts';
import { resolveDigest } from '../container/registry.ts';
import type { ImageRecipe } from './recipe.ts';
import type { Target } from './target.ts';

/**
 * Where the registry keeps the layers of images with the same dependencies, and whether it has them already. The tag
 * says what they are made from, so that it never moves (where tags are immutable too), and that they are written once
 * for a set of dependencies rather than by every build, which costs longer than it saves.
 * @param variant what decides the image besides its files
 * @returns undefined where all sources come before the dependencies
 */
export async function keptLayers(
  { reference, auths }: Pick<Target, 'reference' | 'auths'>,
  variant: Content,
  { dependencies, settings }: Pick<ImageRecipe, 'dependencies' | 'settings'>,
  host: Host,
): Promise<ImageBuild['layers']> {
  if (dependencies === undefined) return undefined;
  const made = JSON.stringify(['layers 1', ...dependencies, settings]);
  const hash = await contentHash({ ...variant, dockerfile: `${variant.dockerfile}${made}` });
  const kept = { ...reference, tag: `layers-${hash.slice(0, 40)}` };
  const known = (await resolveDigest(kept, auths, host)) !== undefined;
  host.log.info(
    known ? `the registry keeps layers with these dependencies: ${kept.tag}` : `layers are kept as ${kept.tag}`,
  );
  return { reference: showReference(kept), known };
}
