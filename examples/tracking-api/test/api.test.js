import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createApi } from '../src/api.js';

let base;
let ready = true;
const server = createApi({ ready: () => ready, release: 'test' });

before(async () => {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${server.address().port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const post = (path, body) =>
  fetch(`${base}${path}`, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });

test('is healthy and says its release when ready', async () => {
  assert.equal((await fetch(`${base}/healthz`)).status, 200);
  assert.deepEqual(await (await fetch(`${base}/readyz`)).json(), { status: 'ready', release: 'test' });
});

test('takes no traffic while it shuts down', async () => {
  ready = false;
  assert.equal((await fetch(`${base}/readyz`)).status, 503);
  ready = true;
});

test('follows a shipment from registration to delivery', async () => {
  assert.equal((await post('/shipments', { id: 'LC-1001', destination: 'Graz' })).status, 201);
  for (const state of ['picked-up', 'in-transit', 'delivered']) {
    assert.equal((await post('/shipments/LC-1001/events', { state })).status, 201);
  }
  const shipment = await (await fetch(`${base}/shipments/LC-1001`)).json();
  assert.equal(shipment.state, 'delivered');
  assert.equal(shipment.events.length, 4);
});

test('refuses a step that may not follow', async () => {
  await post('/shipments', { id: 'LC-1002', destination: 'Linz' });
  const response = await post('/shipments/LC-1002/events', { state: 'delivered' });
  assert.equal(response.status, 409);
  assert.match((await response.json()).error, /only picked-up may follow registered/);
});

test('refuses what it cannot read', async () => {
  assert.equal((await post('/shipments', '{')).status, 400);
  assert.equal((await post('/shipments', 'null')).status, 400);
  assert.equal((await post('/shipments', { id: 'x' })).status, 400);
  assert.equal((await post('/shipments', JSON.stringify('x'.repeat(20_000)))).status, 413);
  assert.equal((await fetch(`${base}/shipments/NONE-1`)).status, 404);
});

test('counts requests by status', async () => {
  const text = await (await fetch(`${base}/metrics`)).text();
  assert.match(text, /^http_requests_total\{method="POST",status="201"\} \d+$/m);
});
