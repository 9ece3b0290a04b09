import type { Transport } from './http.ts';
import { KubeError, type Resource, type TypeRef } from './kube.ts';

/** What an API server serves, asked once and again when something is missing from it. */
export interface Discovery {
  /** How a kind is served; asks the server again, at most once a second, when it is not known yet. */
  find(type: TypeRef): Promise<Resource | undefined>;
  all(): Promise<readonly Resource[]>;
}

/**
 * Aggregated discovery (KEP-3352): two requests for everything. Servers without it answer with the older lists, which
 * are then followed one by one.
 */
const AGGREGATED = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat('application/json')
  .join(',');

/** Milliseconds between two askings for a kind that is not there. */
const REFRESH_MS = 1000;

/** Discovers over `transport`, with a cache. */
export function openDiscovery(transport: Transport, now: () => number = Date.now): Discovery {
  let cache: { readonly at: number; readonly index: Promise<ReadonlyMap<string, Resource>> } | undefined;

  async function index(olderThan = Number.POSITIVE_INFINITY): Promise<ReadonlyMap<string, Resource>> {
    if (!cache || now() - cache.at >= olderThan) {
      const asked = { at: now(), index: discover(transport) };
      cache = asked;
      asked.index.catch(() => {
        if (cache === asked) cache = undefined;
      });
    }
    return cache.index;
  }

  return {
    async find(type) {
      const key = keyOf(type);
      return (await index()).get(key) ?? (await index(REFRESH_MS)).get(key);
    },
    async all() {
      return [...(await index()).values()];
    },
  };
}

async function discover(transport: Transport): Promise<ReadonlyMap<string, Resource>> {
  const [core, groups] = await Promise.all([read(transport, '/api', AGGREGATED), read(transport, '/apis', AGGREGATED)]);
  const found = [...(await resourcesOf(transport, '/api', core)), ...(await resourcesOf(transport, '/apis', groups))];
  const index = new Map<string, Resource>();
  for (const resource of found) if (!index.has(keyOf(resource))) index.set(keyOf(resource), resource);
  return index;
}

async function resourcesOf(transport: Transport, root: string, answer: unknown): Promise<readonly Resource[]> {
  if (get(answer, 'kind') === 'APIGroupDiscoveryList') return list(get(answer, 'items')).flatMap(fromAggregated);
  const versions =
    root === '/api'
      ? list(get(answer, 'versions')).map(String)
      : list(get(answer, 'groups')).flatMap((group) =>
          list(get(group, 'versions')).map((version) => word(get(version, 'groupVersion'))),
        );
  const lists = await Promise.all(
    versions.map(async (version) => {
      try {
        return fromList(version, await read(transport, `${root}/${version}`, 'application/json'));
      } catch (error) {
        // An aggregated API whose server is down must not hide all the others.
        if (error instanceof KubeError && (error.status >= 500 || error.status === 404)) return [];
        throw error;
      }
    }),
  );
  return lists.flat();
}

function fromAggregated(group: unknown): readonly Resource[] {
  const name = word(get(get(group, 'metadata'), 'name'));
  return list(get(group, 'versions')).flatMap((version) => {
    const apiVersion = name === '' ? word(get(version, 'version')) : `${name}/${word(get(version, 'version'))}`;
    return list(get(version, 'resources')).flatMap((resource) => {
      const kind = word(get(get(resource, 'responseKind'), 'kind'));
      const plural = word(get(resource, 'resource'));
      if (kind === '' || plural === '') return [];
      const namespaced = get(resource, 'scope') === 'Namespaced';
      return [{ apiVersion, kind, plural, namespaced, verbs: list(get(resource, 'verbs')).map(String) }];
    });
  });
}

function fromList(apiVersion: string, answer: unknown): readonly Resource[] {
  return list(get(answer, 'resources')).flatMap((resource) => {
    const [kind, plural] = [word(get(resource, 'kind')), word(get(resource, 'name'))];
    if (kind === '' || plural === '' || plural.includes('/')) return [];
    const namespaced = get(resource, 'namespaced') === true;
    return [{ apiVersion, kind, plural, namespaced, verbs: list(get(resource, 'verbs')).map(String) }];
  });
}

async function read(transport: Transport, path: string, accept: string): Promise<unknown> {
  return JSON.parse(await transport.send({ method: 'GET', path, accept, idempotent: true })) as unknown;
}

function keyOf({ apiVersion, kind }: TypeRef): string {
  return `${apiVersion} ${kind}`;
}

function get(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

function word(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
