/** An API group's version and the kind in it, as manifests name them: `apps/v1` and `Deployment`. */
export interface TypeRef {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Names one object; `namespace` is absent for cluster-scoped ones. */
export interface ObjectRef extends TypeRef {
  readonly namespace?: string;
  readonly name: string;
}

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly (TypeRef & {
    readonly name: string;
    readonly uid: string;
    readonly controller?: boolean;
  })[];
  readonly [field: string]: unknown;
}

/** Any object of the API; what stands beside the metadata is read through `at` of fields.ts, never trusted. */
export interface KubeObject extends TypeRef {
  readonly metadata: Metadata;
  readonly [field: string]: unknown;
}

/** Which objects a list or watch covers; without `namespace` all of them. */
export interface Selection extends TypeRef {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** `SYNCED` follows the first list: from then on `ADDED` means new. `DELETED` carries the last state. */
export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  | { readonly type: 'SYNCED' };

/** How the API server serves a kind. */
export interface Resource extends TypeRef {
  /** The plural of the URL, such as `deployments`. */
  readonly plural: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

export interface ApplyOptions {
  readonly fieldManager: string;
  /** The server checks everything, admission included, and stores nothing. */
  readonly dryRun?: boolean;
  /** Takes over fields that another manager owns. */
  readonly force?: boolean;
}

/** A Kubernetes API server as the actions use it. Every call rejects with {@link KubeError} when the server says no. */
export interface Kube {
  /** How the server serves a kind; `undefined` when it does not know it. */
  resource(type: TypeRef): Promise<Resource | undefined>;
  /** All kinds the server knows, for near matches. */
  resources(): Promise<readonly Resource[]>;
  /** The object, or `undefined` when there is none. */
  get(ref: ObjectRef): Promise<KubeObject | undefined>;
  /** All objects of a selection, paged underneath. */
  list(selection: Selection): Promise<readonly KubeObject[]>;
  /**
   * Objects as they are now, then as they change, until `signal` aborts: it lists, watches from there, and picks up
   * again by itself after an expired resourceVersion, a closed stream or a dropped connection.
   */
  watch(selection: Selection, signal: AbortSignal): AsyncIterable<WatchEvent>;
  /** Server-side apply. */
  apply(object: KubeObject, options: ApplyOptions): Promise<KubeObject>;
  /** A JSON merge patch, or a JSON patch when `patch` is an array. */
  patch(
    ref: ObjectRef,
    patch: object,
    options?: { readonly fieldManager?: string; readonly subresource?: string },
  ): Promise<KubeObject>;
  create(object: KubeObject): Promise<KubeObject>;
  /** Deletes in the foreground or background; gone already is fine. */
  delete(ref: ObjectRef, options?: { readonly propagation?: 'Foreground' | 'Background' | 'Orphan' }): Promise<void>;
  /** The last lines of a container's log; `previous` is the run before the last restart. */
  logs(pod: { readonly namespace: string; readonly name: string }, options: LogOptions): Promise<string>;
  /** A container's log from `since` on and as it is written, until the container ends or `signal` aborts. */
  followLog(
    pod: { readonly namespace: string; readonly name: string },
    options: { readonly container: string; readonly since: string },
    signal: AbortSignal,
  ): AsyncIterable<LogLine>;
}

export interface LogLine {
  /** RFC 3339 with nanoseconds, which orders as text within one container. */
  readonly time: string;
  readonly line: string;
}

export interface LogOptions {
  readonly container: string;
  readonly previous?: boolean;
  readonly tailLines?: number;
}

/** The API server's refusal, in its own words (a metav1.Status) or ours when it could not be reached. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** Status.reason, such as `Forbidden`, `Invalid`, `Conflict`; `Unreachable` when no answer came. */
  readonly reason: string;
  /** Status.details.causes: field paths and what is wrong with each. */
  readonly causes: readonly { readonly field: string; readonly message: string }[];

  constructor(
    message: string,
    details: { status: number; reason: string; causes?: KubeError['causes']; cause?: unknown },
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.status = details.status;
    this.reason = details.reason;
    this.causes = details.causes ?? [];
  }
}

/** `Deployment/tracking-api`, as people say it. */
export function showRef(ref: ObjectRef | KubeObject): string {
  return `${ref.kind}/${objectName(ref)}`;
}

/** The name of an object that is at hand. */
export function refOf(object: KubeObject): ObjectRef {
  const { apiVersion, kind, metadata } = object;
  return {
    apiVersion,
    kind,
    name: metadata.name,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
  };
}

function objectName(ref: ObjectRef | KubeObject): string {
  return 'metadata' in ref ? ref.metadata.name : ref.name;
}
