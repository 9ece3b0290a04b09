import type { Document } from './document.ts';
import type { Resource } from './kube.ts';

/** The kinds that CRDs among the documents will bring. */
export function broughtTypes(
  documents: readonly Document[],
): readonly Pick<Resource, 'apiVersion' | 'kind' | 'namespaced'>[] {
  return documents.flatMap(({ object }) => {
    if (object.kind !== 'CustomResourceDefinition') return [];
    const spec = object['spec'] as
      | { group?: string; scope?: string; names?: { kind?: string }; versions?: { name?: string; served?: boolean }[] }
      | undefined;
    const { group, names, scope, versions } = spec ?? {};
    return (Array.isArray(versions) ? versions : [])
      .filter((version) => version.served !== false)
      .map((version) => ({
        apiVersion: `${group}/${version.name}`,
        kind: names?.kind ?? '',
        namespaced: scope === 'Namespaced',
      }));
  });
}
