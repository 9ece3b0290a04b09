import { setTimeout as sleep } from 'node:timers/promises';
import { KubeError, type KubeObject, type WatchEvent } from './kube.ts';
import { isTransient, retryDelay, statusObjectError } from './status.ts';

/** What a watch needs of the connection; paths and selectors are the caller's. */
export interface WatchSource {
  /** All objects now, and the resourceVersion of that state. */
  list(): Promise<{ readonly items: readonly KubeObject[]; readonly resourceVersion: string }>;
  /** The lines of a watch from `resourceVersion` on. */
  stream(resourceVersion: string, signal: AbortSignal): AsyncIterable<string>;
}

/** A stream that ends sooner than this came to nothing, so the next one waits. */
const SHORT_MS = 1000;

/**
 * Lists, then watches, as https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 * says. A closed stream is taken up again from the last resourceVersion seen (bookmarks keep it fresh); after a 410 it
 * lists anew and tells the differences, so that no change is lost and none is told twice.
 * @throws KubeError when the first list fails, or the server refuses for good (such as 403)
 */
export async function* watchObjects(
  source: WatchSource,
  signal: AbortSignal,
  backoff = 200,
): AsyncIterable<WatchEvent> {
  const known = new Map<string, KubeObject>();
  let version: string | undefined;
  let synced = false;
  let failures = 0;
  while (!signal.aborted) {
    const started = Date.now();
    try {
      if (version === undefined) {
        const listed = await source.list();
        yield* differences(known, listed.items);
        version = listed.resourceVersion;
        if (!synced) yield { type: 'SYNCED' };
        synced = true;
      }
      for await (const line of source.stream(version, signal)) {
        const event = parseEvent(line);
        version = event.object.metadata.resourceVersion ?? version;
        failures = 0;
        if (event.type !== 'BOOKMARK') yield remember(known, event.type, event.object);
      }
      if (Date.now() - started < SHORT_MS) await rest(backoff, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof KubeError)) throw error;
      if (error.status === 410) {
        version = undefined;
        failures += 1;
        if (failures > 1) await rest(retryDelay(error, Math.min(failures, 6), backoff), signal);
        continue;
      }
      if (!synced || !isTransient(error, true)) throw error;
      failures += 1;
      await rest(retryDelay(error, Math.min(failures, 6), backoff), signal);
    }
  }
}

function* differences(known: Map<string, KubeObject>, items: readonly KubeObject[]): Iterable<WatchEvent> {
  const now = new Map(items.map((object) => [keyOf(object), object]));
  for (const [key, object] of known) {
    if (now.has(key)) continue;
    known.delete(key);
    yield { type: 'DELETED', object };
  }
  for (const [key, object] of now) {
    const before = known.get(key);
    known.set(key, object);
    if (before?.metadata.resourceVersion === object.metadata.resourceVersion && before) continue;
    yield { type: before ? 'MODIFIED' : 'ADDED', object };
  }
}

function remember(
  known: Map<string, KubeObject>,
  type: 'ADDED' | 'MODIFIED' | 'DELETED',
  object: KubeObject,
): WatchEvent {
  if (type === 'DELETED') known.delete(keyOf(object));
  else known.set(keyOf(object), object);
  return { type, object };
}

interface RawEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: KubeObject;
}

function parseEvent(line: string): RawEvent {
  let event: { readonly type?: unknown; readonly object?: unknown };
  try {
    event = JSON.parse(line) as typeof event;
  } catch (error) {
    throw new KubeError('the watch broke off within an event', { status: 0, reason: 'Unreachable', cause: error });
  }
  if (event.type === 'ERROR') throw statusObjectError(event.object);
  if (event.type === 'ADDED' || event.type === 'MODIFIED' || event.type === 'DELETED' || event.type === 'BOOKMARK') {
    return { type: event.type, object: event.object as KubeObject };
  }
  throw new KubeError(`the watch sent an event of unknown type ${String(event.type)}`, {
    status: 0,
    reason: 'BadAnswer',
  });
}

function keyOf({ metadata }: KubeObject): string {
  return metadata.uid ?? `${metadata.namespace ?? ''}/${metadata.name}`;
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
