import { readFile } from 'node:fs/promises';
import type { Host } from '../action/host.ts';
import { basesOf } from '../container/bases.ts';
import { storedLogin } from '../container/login.ts';
import { parseReference } from '../container/reference.ts';
import { type Pinned, pinBase } from '../container/registry.ts';
import type { ImageRecipe } from './recipe.ts';
import { authsOf } from './target.ts';

/** The Dockerfile of an image, and the images it builds upon, by their names there. */
export interface Dockerfile {
  readonly text: string;
  readonly generated: boolean;
  readonly bases: ReadonlyMap<string, Pinned>;
}

/** The team's own Dockerfile at `own`, else the generated one; with each base pinned by digest where that can be found. */
export async function readDockerfile(
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
export async function commitTime(directory: string, host: Host): Promise<number | undefined> {
  const { stdout } = await host.exec
    .ask('git', ['log', '-1', '--format=%ct'], { cwd: directory })
    .catch(() => ({ stdout: '' }));
  return /^\d+$/.test(stdout.trim()) ? Number(stdout.trim()) : undefined;
}
