import { afterEach, describe, expect, test } from '@jest/globals';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from '../../src/kube/client.ts';
import type { ServerOptions } from '../../src/kube/http.ts';
import type { Kube, WatchEvent } from '../../src/kube/kube.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

const REVIEWS = { name: 'reviews', kind: 'SelfSubjectAccessReview', namespaced: false, verbs: ['create'] };
const DISCOVERY: Readonly<Record<string, object>> = {
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/apis': { kind: 'APIGroupList', groups: [] },
  '/api/v1': { resources: [{ name: 'configmaps', kind: 'ConfigMap', namespaced: true, verbs: ['get'] }, REVIEWS] },
};

/** An API server that answers everything beyond discovery by `answer`. */
async function serve(answer: Answer, options: Partial<ServerOptions> = {}): Promise<Kube> {
  let count = 0;
  const server = createServer((request, response) => {
    const known = DISCOVERY[request.url ?? ''];
    if (known) response.end(JSON.stringify(known));
    else answer(request, response, (count += 1));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return connect({ server: `http://127.0.0.1:${port}`, backoff: 2, ...options });
}

const config = (name: string, resourceVersion = '1') => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'n', uid: name, resourceVersion },
});
const REF = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'n', name: 'a' };
const refuse = (response: ServerResponse, code: number, headers = {}): void => {
  response.writeHead(code, headers).end(JSON.stringify({ kind: 'Status', code, message: `no ${code}`, reason: 'X' }));
};

describe('calls', () => {
  test('are tried again after 429, 5xx and resets', async () => {
    const kube = await serve((request, response, count) => {
      if (count === 1) refuse(response, 429, { 'retry-after': '0' });
      else if (count === 2) refuse(response, 503);
      else if (count === 3) request.socket.destroy();
      else response.end(JSON.stringify(config('a')));
    });
    await expect(kube.get(REF)).resolves.toMatchObject({ metadata: { name: 'a' } });
  });

  test('stop after the last attempt with the words of the server', async () => {
    let seen = 0;
    const kube = await serve((_request, response) => ((seen += 1), refuse(response, 500)), { attempts: 3 });
    await expect(kube.get(REF)).rejects.toMatchObject({ status: 500, reason: 'X', message: 'no 500' });
    expect(seen).toBe(3);
  });

  test('that create are not sent twice after a 500', async () => {
    let seen = 0;
    const kube = await serve((_request, response) => ((seen += 1), refuse(response, 500)));
    await expect(kube.create(config('a'))).rejects.toMatchObject({ status: 500 });
    expect(seen).toBe(1);
  });

  test('that ask for rights are sent again after a reset, as they store nothing', async () => {
    let seen = 0;
    const review = { apiVersion: 'v1', kind: 'SelfSubjectAccessReview', metadata: { name: '' } };
    const kube = await serve((request, response) => {
      seen += 1;
      if (seen === 1) request.socket.destroy();
      else response.end(JSON.stringify(review));
    });
    expect(await kube.create(review)).toMatchObject({ kind: 'SelfSubjectAccessReview' });
    expect(seen).toBe(2);
  });

  test('wait as long as Retry-After says', async () => {
    const kube = await serve((_request, response, count) => {
      if (count === 1) refuse(response, 429, { 'retry-after': '1' });
      else response.end(JSON.stringify(config('a')));
    });
    const start = performance.now();
    await kube.get(REF);
    expect(performance.now() - start).toBeGreaterThan(950);
  });

  test('ask once for a fresh token after a 401, and no more', async () => {
    const asked: boolean[] = [];
    const token = async ({ fresh }: { fresh: boolean }): Promise<string> => {
      asked.push(fresh);
      return fresh ? 'new' : 'old';
    };
    const kube = await serve(
      (request, response) =>
        request.headers.authorization === 'Bearer new'
          ? void response.end(JSON.stringify(config('a')))
          : refuse(response, 401),
      { token },
    );
    await expect(kube.get(REF)).resolves.toMatchObject({ kind: 'ConfigMap' });
    expect(asked.filter(Boolean)).toHaveLength(1);
    const refusing = await serve((_request, response) => refuse(response, 401), { token });
    await expect(refusing.get(REF)).rejects.toMatchObject({ status: 401 });
  });

  test('give up on an answer that never ends, and on one that never comes', async () => {
    const large = await serve((_request, response) => void response.end('x'.repeat(2000)), { maxBytes: 1000 });
    await expect(large.get(REF)).rejects.toMatchObject({ reason: 'TooLarge' });
    const silent = await serve(() => undefined, { timeout: 100, attempts: 1 });
    await expect(silent.get(REF)).rejects.toMatchObject({ reason: 'Unreachable' });
  });

  test('read a list page by page', async () => {
    const kube = await serve((request, response) => {
      const more = !request.url?.includes('continue=');
      const body = { items: [config(more ? 'a' : 'b')], metadata: more ? { continue: 'c' } : {} };
      response.end(JSON.stringify(body));
    });
    const names = (await kube.list({ apiVersion: 'v1', kind: 'ConfigMap' })).map(({ metadata }) => metadata.name);
    expect(names).toEqual(['a', 'b']);
  });

  test('for a kind that nobody serves say so', async () => {
    const kube = await serve((_request, response) => refuse(response, 404));
    await expect(kube.get({ ...REF, kind: 'Nothing' })).rejects.toMatchObject({ reason: 'UnknownKind' });
    await expect(kube.get(REF)).resolves.toBeUndefined();
  });
});

test('a watch goes on over closed streams and 410 without losing or doubling a change', async () => {
  const lists = [
    [config('a', '1'), config('b', '2')],
    [config('a', '9'), config('c', '8')],
  ];
  const from: (string | null)[] = [];
  let streams = 0;
  const kube = await serve((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://x');
    if (!searchParams.has('watch')) {
      response.end(JSON.stringify({ items: lists.shift(), metadata: { resourceVersion: '5' } }));
      return;
    }
    streams += 1;
    from.push(searchParams.get('resourceVersion'));
    const send = (event: object): void => void response.write(`${JSON.stringify(event)}\n`);
    if (streams === 1) send({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '6' } } });
    if (streams === 2) send({ type: 'MODIFIED', object: config('a', '7') });
    if (streams === 3) send({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } });
    if (streams === 4) send({ type: 'DELETED', object: config('c', '10') });
    else response.end();
  });
  const stop = new AbortController();
  const seen: string[] = [];
  const show = (event: WatchEvent): string =>
    event.type === 'SYNCED' ? 'SYNCED' : `${event.type} ${event.object.metadata.name}`;
  for await (const event of kube.watch({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'n' }, stop.signal)) {
    seen.push(show(event));
    if (seen.at(-1) === 'DELETED c') stop.abort();
  }
  expect(seen).toEqual([
    'ADDED a',
    'ADDED b',
    'SYNCED',
    'MODIFIED a',
    'DELETED b',
    'MODIFIED a',
    'ADDED c',
    'DELETED c',
  ]);
  expect(from).toEqual(['5', '6', '7', '5']);
});
