import type { Resource } from './kube.ts';

/** The path of all objects of a kind, in a namespace where one is given. @throws RangeError for `.` and `..` */
export function collectionPath({ apiVersion, plural, namespaced }: Resource, namespace: string | undefined): string {
  const root = apiVersion.includes('/') ? '/apis' : '/api';
  const scope = namespaced && namespace !== undefined ? `/namespaces/${segment(namespace)}` : '';
  return `${root}/${apiVersion}${scope}/${plural}`;
}

/** A part of a path: `.` and `..` would walk out of it, and no object has such a name. */
export function segment(value: string): string {
  if (value === '' || value === '.' || value === '..') throw new RangeError(`${JSON.stringify(value)} is not a name`);
  return encodeURIComponent(value);
}
