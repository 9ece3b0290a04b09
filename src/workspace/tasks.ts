import path from 'node:path';
import type { Task } from '../task/task.ts';
import type { Workspace, WorkspacePackage } from './graph.ts';
import { closureOf, orderOf } from './order.ts';

/** What is to be run, and how a package manager runs it. */
export interface TaskWish {
  /** Folder of the workspace, absolute. */
  readonly folder: string;
  /** Folders of the packages whose scripts are wanted. */
  readonly selected: ReadonlySet<string>;
  readonly scripts: readonly string[];
  /** Folders of packages that are built in any case, as an image is made of what they build. */
  readonly anyway?: ReadonlySet<string>;
  /** The command of a script, without a shell. */
  readonly command: (script: string) => readonly [string, ...string[]];
}

/** Tasks of packages with what each waits for. */
export interface TaskPlan {
  readonly tasks: readonly Task[];
  /** Folders of packages that are only built, as others or an image need them. */
  readonly builtOnly: readonly string[];
  /** Folders in the order in which packages come. */
  readonly order: readonly string[];
  readonly cycles: readonly (readonly [string, string])[];
}

const BUILD = 'build';
/** Reads sources alone, so it waits for nothing. */
const READS_SOURCES = 'lint';

/**
 * The scripts of the selected packages, and before them the builds of the packages that they need. All of a package runs
 * side by side; what may import another package waits until that one is built.
 */
export function packageTasks(workspace: Workspace, wish: TaskWish): TaskPlan {
  const { packages } = workspace;
  const has = (folder: string, script: string): boolean =>
    Object.hasOwn(packages.get(folder)?.manifest.scripts ?? {}, script);
  const wanted = [...wish.selected].filter((folder) => wish.scripts.some((script) => has(folder, script)));
  const anyway = [...(wish.anyway ?? [])];
  const { folders: order, cycles } = orderOf(workspace, closureOf(workspace, [...wanted, ...anyway], 'build'));
  const place = new Map(order.map((folder, index) => [folder, index]));
  /** The nearest builds below a package; one without a build passes on those that it needs itself. */
  const buildsBelow = (folder: string): readonly string[] => {
    const found = new Set<string>();
    const seen = new Set([folder]);
    for (const at of seen) {
      for (const other of (packages.get(at) as WorkspacePackage).needs.keys()) {
        // What comes later needs this package itself: waiting for each other would never end.
        if ((place.get(other) ?? Infinity) >= (place.get(folder) ?? 0)) continue;
        if (has(other, BUILD)) found.add(taskName(other, BUILD));
        else seen.add(other);
      }
    }
    return [...found].toSorted();
  };
  const taskOf = (folder: string, script: string): Task => {
    const after = script === READS_SOURCES ? [] : buildsBelow(folder);
    return {
      name: taskName(folder, script),
      command: wish.command(script),
      cwd: path.join(wish.folder, folder),
      ...(after.length > 0 && { after }),
    };
  };
  const chosen = new Set(wanted);
  // A lint alone needs no build of anything.
  const checked = wanted.filter((folder) => wish.scripts.some((one) => one !== READS_SOURCES && has(folder, one)));
  const below = closureOf(
    workspace,
    [...checked, ...anyway].flatMap((folder) => [...(packages.get(folder)?.needs.keys() ?? [])]),
    'build',
  );
  const isWanted = (folder: string): boolean => chosen.has(folder) && wish.scripts.includes(BUILD);
  const isNeeded = (folder: string): boolean => below.has(folder) || anyway.includes(folder);
  const builtOnly = order.filter((folder) => isNeeded(folder) && has(folder, BUILD) && !isWanted(folder));
  const tasks = order.flatMap((folder) => {
    const own = chosen.has(folder) ? wish.scripts.filter((script) => has(folder, script)) : [];
    const scripts = builtOnly.includes(folder) ? [...own, BUILD] : own;
    return scripts.map((script) => taskOf(folder, script));
  });
  return { tasks, builtOnly, order, cycles };
}

/** The name of a package's task, such as `packages/api: test`. */
export function taskName(folder: string, script: string): string {
  return `${folder}: ${script}`;
}
