import { type Kube, type KubeObject, type ObjectRef, type Selection, refOf } from './kube.ts';

/** The live objects of some selections, kept up to date by one watch for each. */
export interface View {
  /** Whether the first list of a needed selection has come. */
  isSynced(selection: Selection): boolean;
  objects(): readonly KubeObject[];
  find(ref: ObjectRef): KubeObject | undefined;
  /** Resolves at the next change; rejects when the watch of a needed selection failed. */
  changed(): Promise<void>;
}

export interface ViewPlan {
  readonly needed: readonly Selection[];
  /** What helps but may be forbidden, such as events. */
  readonly helpful: readonly Selection[];
}

/** Starts watching until `signal` aborts. */
export function startView(kube: Kube, plan: ViewPlan, signal: AbortSignal): View {
  const objects = new Map<string, KubeObject>();
  const synced = new Set<string>();
  let waiting: (() => void)[] = [];
  let failure: { readonly error: unknown } | undefined;

  const wake = (): void => {
    const woken = waiting;
    waiting = [];
    for (const resolve of woken) resolve();
  };
  const follow = async (selection: Selection): Promise<void> => {
    for await (const event of kube.watch(selection, signal)) {
      if (event.type === 'SYNCED') synced.add(selectionKey(selection));
      else if (event.type === 'DELETED') objects.delete(objectKey(refOf(event.object)));
      else objects.set(objectKey(refOf(event.object)), event.object);
      wake();
    }
  };
  const start = async (selection: Selection, needed: boolean): Promise<void> => {
    try {
      await follow(selection);
    } catch (error) {
      if (needed && !signal.aborted) failure ??= { error };
      wake();
    }
  };
  for (const selection of plan.needed) void start(selection, true);
  for (const selection of plan.helpful) void start(selection, false);

  return {
    isSynced: (selection) => synced.has(selectionKey(selection)),
    objects: () => [...objects.values()],
    find: (ref) => objects.get(objectKey(ref)),
    async changed() {
      if (failure === undefined) await new Promise<void>((resolve) => void waiting.push(resolve));
      if (failure !== undefined) throw failure.error;
    },
  };
}

/** One text for each selection, to tell them apart. */
export function selectionKey({ apiVersion, kind, namespace }: Selection): string {
  return `${apiVersion} ${kind} ${namespace ?? ''}`;
}

function objectKey({ apiVersion, kind, namespace, name }: ObjectRef): string {
  return `${apiVersion} ${kind} ${namespace ?? ''} ${name}`;
}
