import type { Part, PartName } from './part.ts';
import { argoRollouts } from './parts/argo-rollouts.ts';
import { aws } from './parts/aws.ts';
import { buildkit } from './parts/buildkit.ts';
import { cache } from './parts/cache.ts';
import { cluster } from './parts/cluster.ts';
import { github } from './parts/github.ts';
import { images } from './parts/images.ts';
import { packages } from './parts/package-index.ts';
import { registry } from './parts/registry.ts';
import { runner } from './parts/runner.ts';

/** Every part this lab can bring up. */
export const parts: ReadonlyMap<PartName, Part> = new Map<PartName, Part>([
  [registry.name, registry],
  [images.name, images],
  [packages.name, packages],
  [buildkit.name, buildkit],
  [cluster.name, cluster],
  [argoRollouts.name, argoRollouts],
  [github.name, github],
  [cache.name, cache],
  [runner.name, runner],
  [aws.name, aws],
]);

/**
 * Names in the order they come up, needs first.
 * @throws Error for a part that does not exist.
 */
export function inOrder(
  names: readonly PartName[],
  known: ReadonlyMap<PartName, Pick<Part, 'needs'>> = parts,
): PartName[] {
  const order = new Set<PartName>();
  const visit = (name: PartName, path: readonly PartName[]): void => {
    if (path.includes(name)) throw new Error(`Parts need each other: ${[...path, name].join(' → ')}`);
    const part = known.get(name);
    if (part === undefined) throw new Error(`The lab has no part ${name}`);
    for (const need of part.needs) visit(need, [...path, name]);
    order.add(name);
  };
  for (const name of names) visit(name, []);
  return [...order];
}
