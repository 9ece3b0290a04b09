import type { KubeObject } from '../kube/kube.ts';

/**
 * What makes two documents the same object: group, kind, namespace and name. The version is left out, as `v1` and
 * `v2` of a kind are two views of one object.
 */
export function identityOf(object: KubeObject, defaultNamespace = ''): string {
  const group = object.apiVersion.includes('/') ? object.apiVersion.slice(0, object.apiVersion.indexOf('/')) : '';
  return [group, object.kind, object.metadata.namespace ?? defaultNamespace, object.metadata.name].join('/');
}
