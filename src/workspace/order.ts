import type { Need, Workspace } from './graph.ts';

/** Packages, each after those it needs, and what had to be left aside for it. */
export interface Order {
  /** Folders. */
  readonly folders: readonly string[];
  /** Pairs of which the first needs the second, but comes before it, since they need each other. */
  readonly cycles: readonly (readonly [string, string])[];
}

/**
 * The packages in an order in which each comes after those it needs, alphabetical otherwise. Where some need each
 * other, the first of them in the alphabet is begun with, so that the order is the same in each run.
 * @param among all when left out
 */
export function orderOf({ packages }: Workspace, among: ReadonlySet<string> = new Set(packages.keys())): Order {
  const folders: string[] = [];
  const cycles: (readonly [string, string])[] = [];
  const state = new Map<string, 'open' | 'done'>();
  for (const start of packages.keys()) {
    // A stack of our own: a chain of thousands of packages must not end the process.
    const open: { readonly folder: string; readonly left: string[] }[] = [];
    const enter = (folder: string): void => {
      state.set(folder, 'open');
      open.push({ folder, left: [...(packages.get(folder)?.needs.keys() ?? [])].toSorted().toReversed() });
    };
    if (among.has(start) && !state.has(start)) enter(start);
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const next = top.left.pop();
      if (next === undefined) {
        state.set(top.folder, 'done');
        folders.push(top.folder);
        open.pop();
      } else if (among.has(next)) {
        if (state.get(next) === 'open') cycles.push([top.folder, next]);
        if (!state.has(next)) enter(next);
      }
    }
  }
  return { folders, cycles };
}

/**
 * Packages and all that they need, directly or by others.
 * @param kind `run` for what is needed when they run, `build` for what is needed to build them as well
 */
export function closureOf({ packages }: Workspace, folders: Iterable<string>, kind: Need): ReadonlySet<string> {
  return reached(folders, (folder) =>
    [...(packages.get(folder)?.needs ?? [])].flatMap(([other, need]) =>
      kind === 'build' || need === 'run' ? [other] : [],
    ),
  );
}

/** Packages and all that need them, directly or by others, in whatever way. */
export function dependentsOf({ packages }: Workspace, folders: Iterable<string>): ReadonlySet<string> {
  const needing = new Map<string, string[]>();
  for (const { directory, needs } of packages.values()) {
    for (const other of needs.keys()) needing.set(other, [...(needing.get(other) ?? []), directory]);
  }
  return reached(folders, (folder) => needing.get(folder) ?? []);
}

function reached(start: Iterable<string>, next: (folder: string) => readonly string[]): ReadonlySet<string> {
  const found = new Set(start);
  // A set's iteration comes to what is added while it goes on.
  for (const folder of found) for (const other of next(folder)) found.add(other);
  return found;
}
