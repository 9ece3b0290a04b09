import { openDiscovery } from './discovery.ts';
import { type ServerOptions, openTransport } from './http.ts';
import {
  type Kube,
  KubeError,
  type KubeObject,
  type ObjectRef,
  type Resource,
  type Selection,
  type TypeRef,
} from './kube.ts';
import { collectionPath, segment } from './path.ts';
import { watchObjects } from './watch.ts';

const PAGE = 500;
/** Seconds after which the server ends a watch by itself; it is then taken up again. */
const WATCH_SECONDS = 290;
/** Bytes of a log, whatever the lines are. */
const LOG_BYTES = 256 * 1024;

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** An API server, reached over keep-alive connections; nothing is asked before the first call. */
export function connect(options: ServerOptions): Kube {
  const transport = openTransport(options);
  const discovery = openDiscovery(transport);

  async function served(type: TypeRef): Promise<Resource> {
    const resource = await discovery.find(type);
    if (resource) return resource;
    throw new KubeError(`the cluster does not serve the kind ${type.kind} of ${type.apiVersion}`, {
      status: 404,
      reason: 'UnknownKind',
    });
  }

  async function objectPath(ref: ObjectRef, subresource?: string): Promise<string> {
    const resource = await served(ref);
    if (resource.namespaced && ref.namespace === undefined) {
      throw new RangeError(`${ref.kind}/${ref.name} is named without its namespace`);
    }
    return [
      collectionPath(resource, ref.namespace),
      segment(ref.name),
      ...(subresource ? [segment(subresource)] : []),
    ].join('/');
  }

  async function send<T>(call: Parameters<typeof transport.send>[0]): Promise<T> {
    const body = await transport.send(call);
    try {
      return JSON.parse(body) as T;
    } catch (error) {
      throw new KubeError('the API server answered with something that is not JSON', {
        status: 0,
        reason: 'BadAnswer',
        cause: error,
      });
    }
  }

  async function listAll(selection: Selection): Promise<{ items: readonly KubeObject[]; resourceVersion: string }> {
    const path = collectionPath(await served(selection), selection.namespace);
    const items: KubeObject[] = [];
    for (let next: string | undefined, paged = true; ;) {
      const query = { ...selectors(selection), ...(paged ? { limit: PAGE, continue: next } : {}) };
      let page: ListAnswer;
      try {
        page = await send<ListAnswer>({ method: 'GET', path: path + queryString(query), idempotent: true });
      } catch (error) {
        // The pages of an old state are no longer there: one whole list does without them.
        if (!(error instanceof KubeError && error.status === 410 && paged)) throw error;
        paged = false;
        items.length = 0;
        continue;
      }
      // Items of a list come without their type.
      for (const item of page.items ?? []) {
        items.push({ ...item, apiVersion: selection.apiVersion, kind: selection.kind } as KubeObject);
      }
      next = page.metadata?.continue || undefined;
      if (!next) return { items, resourceVersion: page.metadata?.resourceVersion ?? '0' };
    }
  }

  return {
    resource: async (type) => discovery.find(type),
    resources: async () => discovery.all(),
    async get(ref) {
      try {
        return await send<KubeObject>({ method: 'GET', path: await objectPath(ref), idempotent: true });
      } catch (error) {
        if (error instanceof KubeError && error.status === 404 && error.reason !== 'UnknownKind') return undefined;
        throw error;
      }
    },
    list: async (selection) => (await listAll(selection)).items,
    watch(selection, signal) {
      return watchObjects(
        {
          list: async () => listAll(selection),
          async *stream(resourceVersion, signal) {
            const path = collectionPath(await served(selection), selection.namespace);
            const query = {
              ...selectors(selection),
              watch: true,
              allowWatchBookmarks: true,
              resourceVersion,
              timeoutSeconds: WATCH_SECONDS,
            };
            yield* transport.lines(path + queryString(query), signal);
          },
        },
        options.signal ? AbortSignal.any([signal, options.signal]) : signal,
        options.backoff,
      );
    },
    async apply(object, { fieldManager, dryRun, force }) {
      const { apiVersion, kind, metadata } = object;
      const resource = await served(object);
      const ref: ObjectRef = {
        apiVersion,
        kind,
        name: metadata.name,
        ...(resource.namespaced && metadata.namespace !== undefined ? { namespace: metadata.namespace } : {}),
      };
      const query = {
        fieldManager,
        fieldValidation: 'Strict',
        dryRun: dryRun ? 'All' : undefined,
        force: force || undefined,
      };
      return send({
        method: 'PATCH',
        path: (await objectPath(ref)) + queryString(query),
        body: JSON.stringify(object),
        contentType: 'application/apply-patch+yaml',
        idempotent: true,
      });
    },
    async patch(ref, patch, { fieldManager, subresource } = {}) {
      const isJsonPatch = Array.isArray(patch);
      return send({
        method: 'PATCH',
        path: (await objectPath(ref, subresource)) + queryString({ fieldManager }),
        body: JSON.stringify(patch),
        contentType: isJsonPatch ? 'application/json-patch+json' : 'application/merge-patch+json',
        // A merge patch sets what it names, twice as well as once; a JSON patch may append.
        idempotent: !isJsonPatch,
      });
    },
    async create(object) {
      const path = collectionPath(await served(object), object.metadata.namespace);
      // A review is a question: nothing is stored.
      return send({ method: 'POST', path, body: JSON.stringify(object), idempotent: object.kind.endsWith('Review') });
    },
    async delete(ref, { propagation = 'Background' } = {}) {
      try {
        const body = JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: propagation });
        await transport.send({ method: 'DELETE', path: await objectPath(ref), body, idempotent: true });
      } catch (error) {
        if (!(error instanceof KubeError && error.status === 404 && error.reason !== 'UnknownKind')) throw error;
      }
    },
    async logs(pod, { container, previous, tailLines }) {
      const path = `/api/v1/namespaces/${segment(pod.namespace)}/pods/${segment(pod.name)}/log`;
      const query = { container, previous: previous || undefined, tailLines, limitBytes: LOG_BYTES };
      return transport.send({ method: 'GET', path: path + queryString(query), accept: '*/*', idempotent: true });
    },
    async *followLog(pod, { container, since }, signal) {
      const path = `/api/v1/namespaces/${segment(pod.namespace)}/pods/${segment(pod.name)}/log`;
      const query = { container, follow: true, timestamps: true, sinceTime: since || undefined };
      for await (const text of transport.lines(path + queryString(query), signal)) {
        const [, time = '', line = ''] = /^(\S+) ?(.*)$/s.exec(text) ?? [];
        yield { time, line };
      }
    },
  };
}

interface ListAnswer {
  readonly items?: readonly object[];
  readonly metadata?: { readonly continue?: string; readonly resourceVersion?: string };
}

function selectors({ labelSelector, fieldSelector }: Selection): Query {
  return { labelSelector, fieldSelector };
}

function queryString(query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  return given.length > 0 ? `?${new URLSearchParams(given).toString()}` : '';
}
