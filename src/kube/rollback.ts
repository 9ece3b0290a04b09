import type { Clock } from '../action/host.ts';
import { at } from './fields.ts';
import { type Kube, type KubeObject, type ObjectRef, refOf } from './kube.ts';
import { type WaitResult, waitForAll } from './wait.ts';

/** What stood at a name before the deploy; without `before` there was nothing. It may hold Secrets: never show it. */
export interface Saved {
  readonly ref: ObjectRef;
  readonly before?: KubeObject;
}

export interface RollBackOptions {
  /** Milliseconds until the old version has to serve again. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Also deletes what the deploy brought into being. */
  readonly deleteNew?: boolean;
  readonly onProgress?: (line: string) => void;
}

export interface RolledBack {
  readonly restored: readonly ObjectRef[];
  readonly deleted: readonly ObjectRef[];
  /** What could not be put back, with the API server's words. */
  readonly failed: readonly { readonly ref: ObjectRef; readonly message: string }[];
  readonly wait: WaitResult;
}

/** An operation of a JSON patch (RFC 6902). */
export type PatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/** Notes the live objects before a deploy changes them. */
export async function snapshot(kube: Kube, objects: readonly KubeObject[]): Promise<readonly Saved[]> {
  return Promise.all(
    objects.map(async (object) => {
      const ref = refOf(object);
      const before = await kube.get(ref);
      return before === undefined ? { ref } : { ref, before: withoutManagedFields(before) };
    }),
  );
}

/**
 * Puts back what the deploy changed, the last applied first, and waits until the old version serves again. An object
 * that cannot be put back does not keep the others from it.
 */
export async function rollBack(kube: Kube, saved: readonly Saved[], options: RollBackOptions): Promise<RolledBack> {
  const restored: KubeObject[] = [];
  const deleted: ObjectRef[] = [];
  const failed: { ref: ObjectRef; message: string }[] = [];
  for (const entry of saved.toReversed()) {
    options.signal.throwIfAborted();
    try {
      if (entry.before !== undefined) {
        const object = await restore(kube, entry.before);
        if (object !== undefined) restored.push(object);
      } else if (options.deleteNew === true) {
        await kube.delete(entry.ref, { propagation: 'Background' });
        deleted.push(entry.ref);
      }
    } catch (error) {
      failed.push({ ref: entry.ref, message: error instanceof Error ? error.message : String(error) });
    }
  }
  const wait = await waitForAll(
    kube,
    restored.toReversed().map((object) => ({ object, changedAt: options.clock.now() })),
    options,
  );
  return { restored: restored.map(refOf), deleted, failed, wait };
}

async function restore(kube: Kube, before: KubeObject): Promise<KubeObject | undefined> {
  const ref = refOf(before);
  const live = await kube.get(ref);
  if (live === undefined) return kube.create(asNew(before));
  const patch = restoringPatch(live, before);
  return patch.length === 0 ? undefined : kube.patch(ref, patch);
}

/**
 * The JSON patch that turns what the user owns of `live` back into `before`: labels, annotations and every field
 * beside metadata and status. Controllers' annotations stay as they are.
 */
export function restoringPatch(live: KubeObject, before: KubeObject): readonly PatchOperation[] {
  const fields = new Set([...Object.keys(live), ...Object.keys(before)]);
  for (const kept of ['apiVersion', 'kind', 'metadata', 'status']) fields.delete(kept);
  return [
    ...['labels', 'annotations'].flatMap((name) =>
      change(`/metadata/${name}`, owned(at(live, 'metadata', name)), owned(at(before, 'metadata', name)), {
        live: at(live, 'metadata', name),
      }),
    ),
    ...[...fields].toSorted().flatMap((name) => change(`/${name}`, live[name], before[name])),
  ];
}

function change(
  path: string,
  from: unknown,
  to: unknown,
  kept: { readonly live?: unknown } = {},
): readonly PatchOperation[] {
  if (same(from, to)) return [];
  const controllers = Object.fromEntries(
    Object.entries((kept.live ?? {}) as Record<string, unknown>).filter(([key]) => isControllers(key)),
  );
  if (to === undefined && Object.keys(controllers).length === 0)
    return from === undefined ? [] : [{ op: 'remove', path }];
  const value = Object.keys(controllers).length === 0 ? to : { ...(to as object | undefined), ...controllers };
  return [{ op: 'add', path, value }];
}

function owned(map: unknown): unknown {
  if (typeof map !== 'object' || map === null) return undefined;
  const entries = Object.entries(map).filter(([key]) => !isControllers(key));
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function isControllers(key: string): boolean {
  return key.startsWith('deployment.kubernetes.io/') || key.startsWith('deprecated.daemonset.');
}

function asNew(object: KubeObject): KubeObject {
  const { status: _status, ...rest } = object;
  const { name, namespace, labels, annotations } = object.metadata;
  const metadata = Object.fromEntries(
    Object.entries({ name, namespace, labels, annotations }).filter(([, value]) => value !== undefined),
  );
  return { ...rest, metadata: { name, ...metadata } };
}

function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _managedFields, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
