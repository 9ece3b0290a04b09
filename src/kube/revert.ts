import { isRecord } from './fields.ts';
import type { KubeObject } from './kube.ts';
import { isSame, keyedLists, wishOf } from './tree.ts';

/** An operation of a JSON patch (RFC 6902). */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/** How to take one change back. */
export interface Reversion {
  readonly patch: readonly PatchOperation[];
  /** Paths of fields that the change touched and that someone else has changed since. */
  readonly conflicts: readonly string[];
}

/**
 * The patch that takes back what turned `before` into `applied`, and nothing else: a field that the change did not
 * touch keeps its live value, so what an autoscaler or a colleague did meanwhile stays.
 */
export function reversion(states: Record<'before' | 'applied' | 'live', KubeObject>): Reversion {
  const live = wishOf(states.live);
  const conflicts: string[] = [];
  const wanted = reverted({ before: wishOf(states.before), applied: wishOf(states.applied), live }, '', conflicts);
  return { patch: [...patchOf(live, wanted, '')], conflicts };
}

interface Three {
  readonly before: unknown;
  readonly applied: unknown;
  readonly live: unknown;
}

/** What the live value has to become; `undefined` when it has to go. */
function reverted({ before, applied, live }: Three, path: string, conflicts: string[]): unknown {
  if (isSame(before, applied)) return live;
  if (isSame(live, applied)) return before;
  if (isSame(live, before)) return live;
  if (isRecord(before) && isRecord(applied) && isRecord(live)) {
    const names = new Set([...Object.keys(live), ...Object.keys(before)]);
    const entries = [...names].map((name) => [
      name,
      reverted(
        { before: before[name], applied: applied[name], live: live[name] },
        `${path}/${escaped(name)}`,
        conflicts,
      ),
    ]);
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  }
  if (Array.isArray(before) && Array.isArray(applied) && Array.isArray(live)) {
    const [old, ours, now] = keyedLists(before, applied, live) ?? [];
    if (old && ours && now) {
      return [...new Set([...now.keys(), ...old.keys()])]
        .map((name) =>
          reverted(
            { before: old.get(name), applied: ours.get(name), live: now.get(name) },
            `${path}/${name}`,
            conflicts,
          ),
        )
        .filter((value) => value !== undefined);
    }
  }
  // The number of pods that an autoscaler chose is no reason to leave a failed version in place.
  if (path !== '/spec/replicas') conflicts.push(path);
  return live;
}

/** The operations that turn one value of JSON into another; lists are replaced as a whole. */
function* patchOf(from: unknown, to: unknown, path: string): Generator<PatchOperation> {
  if (isSame(from, to)) return;
  if (to === undefined) yield { op: 'remove', path };
  else if (isRecord(from) && isRecord(to)) {
    for (const name of new Set([...Object.keys(from), ...Object.keys(to)]))
      yield* patchOf(from[name], to[name], `${path}/${escaped(name)}`);
  } else yield { op: 'add', path, value: to };
}

/** A name as a part of a JSON pointer (RFC 6901). */
function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
