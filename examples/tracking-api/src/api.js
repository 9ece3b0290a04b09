import { createServer } from 'node:http';
import { Refused, createShipments } from './shipments.js';

const MAX_BODY = 16_384;

/** The HTTP server, not yet listening. `ready` says whether it may get traffic. */
export function createApi({ shipments = createShipments(), ready = () => true, release = 'development' } = {}) {
  const requests = new Map();
  const routes = [
    ['GET', /^\/healthz$/, () => ({ status: 'ok' })],
    [
      'GET',
      /^\/readyz$/,
      () => {
        if (!ready()) throw new Refused(503, 'shutting down');
        return { status: 'ready', release };
      },
    ],
    ['GET', /^\/metrics$/, () => metrics(requests, shipments.size)],
    ['POST', /^\/shipments$/, async (request) => [201, shipments.register(await json(request))]],
    ['GET', /^\/shipments\/([^/]+)$/, (_, id) => shipments.find(id)],
    [
      'POST',
      /^\/shipments\/([^/]+)\/events$/,
      async (request, id) => [201, shipments.advance(id, await json(request))],
    ],
  ];

  return createServer(async (request, response) => {
    const { status, body } = await answer(routes, request);
    const key = `method="${request.method === 'POST' ? 'POST' : 'GET'}",status="${status}"`;
    requests.set(key, (requests.get(key) ?? 0) + 1);
    const text = typeof body === 'string' ? body : `${JSON.stringify(body)}\n`;
    response.writeHead(status, {
      'content-type': typeof body === 'string' ? 'text/plain; version=0.0.4' : 'application/json',
    });
    response.end(text);
  });
}

async function answer(routes, request) {
  const path = request.url.split('?')[0];
  try {
    for (const [method, pattern, handle] of routes) {
      const match = request.method === method && pattern.exec(path);
      if (!match) continue;
      const result = await handle(request, match[1]);
      return Array.isArray(result) ? { status: result[0], body: result[1] } : { status: 200, body: result };
    }
    return { status: 404, body: { error: 'no such path' } };
  } catch (error) {
    if (error instanceof Refused) return { status: error.status, body: { error: error.message } };
    console.error(error);
    return { status: 500, body: { error: 'internal error' } };
  }
}

async function json(request) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > MAX_BODY) throw new Refused(413, 'body is too large');
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString()) ?? {};
  } catch {
    throw new Refused(400, 'body is not JSON');
  }
}

function metrics(requests, shipments) {
  return [
    '# TYPE http_requests_total counter',
    ...[...requests].map(([labels, count]) => `http_requests_total{${labels}} ${count}`),
    '# TYPE shipments gauge',
    `shipments ${shipments}`,
    '',
  ].join('\n');
}
