import type { Resource, TypeRef } from './kube.ts';

/** The kind that was probably meant: the same kind in another API version, or one a few letters away. */
export function near(type: TypeRef, resources: readonly Resource[]): Resource | undefined {
  const ranked = resources
    .map((resource) => {
      const kinds = distance(type.kind.toLowerCase(), resource.kind.toLowerCase());
      return { resource, kinds, total: kinds * 100 + distance(type.apiVersion, resource.apiVersion) };
    })
    .filter(({ kinds }) => kinds <= Math.max(1, Math.floor(type.kind.length / 4)))
    .toSorted((a, b) => a.total - b.total);
  return ranked[0]?.resource;
}

/** Levenshtein's distance: letters to add, drop or change. */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
