import { isDeepStrictEqual } from 'node:util';
import { at, isRecord } from './fields.ts';
import type { KubeObject } from './kube.ts';

/** Fields by which the items of a list are told apart, the most telling first. */
const LIST_KEYS = ['name', 'mountPath', 'containerPort', 'port', 'key', 'host', 'path', 'type', 'topologyKey', 'uid'];

/** Notes of where an object came from, put on it by each deploy. */
export const ORIGIN = 'delivery-actions/';

/** Annotations that controllers and tools keep for themselves: no wish of people. */
const BOOKKEEPING =
  /^(deployment\.kubernetes\.io\/|deprecated\.daemonset\.|kubectl\.kubernetes\.io\/last-applied-configuration$)/;

/**
 * What people wish of an object: all but its status and what the API server and controllers note in its metadata.
 * An annotation map that holds nothing else stays as an empty one, so that a patch may add to it.
 */
export function wishOf(object: KubeObject): Readonly<Record<string, unknown>> {
  const { apiVersion: _version, kind: _kind, status: _status, metadata, ...wished } = object;
  const { labels, annotations, finalizers, ownerReferences } = metadata;
  const kept =
    annotations && Object.fromEntries(Object.entries(annotations).filter(([name]) => !BOOKKEEPING.test(name)));
  return { ...wished, metadata: withoutAbsent({ labels, annotations: kept, finalizers, ownerReferences }) };
}

/** A wish without the notes of where the object came from. */
export function withoutOrigin(wish: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const metadata = wish['metadata'];
  const annotations = at(metadata, 'annotations');
  if (!isRecord(metadata) || !isRecord(annotations)) return wish;
  const kept = Object.entries(annotations).filter(([name]) => !name.startsWith(ORIGIN));
  const { annotations: _all, ...others } = metadata;
  return {
    ...wish,
    metadata: kept.length === 0 ? others : { ...others, annotations: Object.fromEntries(kept) },
  };
}

/** The items of lists by what tells them apart, in the lists' order; `undefined` when nothing does in all of them. */
export function keyedLists(...lists: readonly (readonly unknown[])[]): readonly Map<string, unknown>[] | undefined {
  const field = LIST_KEYS.find((key) =>
    lists.every((list) => {
      const values = list.map((item) => at(item, key));
      return (
        values.every((value) => typeof value === 'string' || typeof value === 'number') &&
        new Set(values).size === values.length
      );
    }),
  );
  if (field === undefined) return undefined;
  return lists.map((list) => new Map(list.map((item) => [String(at(item, field)), item])));
}

/** Whether two values of JSON say the same, whatever the order of their keys. */
export function isSame(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(a, b);
}

function withoutAbsent(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
