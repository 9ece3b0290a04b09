import { type ContextFile, contentHash, contextFiles } from '../container/content.ts';
import type { ImageInputs } from './inputs.ts';
import type { ImageRecipe } from './recipe.ts';

/** What the scripts before the image may read, besides the files that count already. */
export async function sourcesHash(
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
export function mountsOf({ buildSecrets, ssh }: ImageInputs): Readonly<Record<string, string>> {
  const ids = [
    ...[...buildSecrets.keys()].map((id) => `secret ${id}`),
    ...ssh.map((one) => `ssh ${one.split('=')[0]}`),
  ];
  return ids.length === 0 ? {} : { mounts: ids.toSorted((a, b) => (a < b ? -1 : 1)).join('\n') };
}
