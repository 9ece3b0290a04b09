import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { namedCluster, namedKubeconfig } from './named-cluster.ts';

let folder = '';
let file = '';
const server = createServer((request, response) => {
  const known = request.headers.authorization === 'Bearer right' && request.url === '/version';
  response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' }).end('{"major":"1"}');
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lab-'));
  file = join(folder, 'config');
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

const endpoint = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function kubeconfig(cluster: object, token = 'right'): Promise<void> {
  const text = JSON.stringify({
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
    clusters: [{ name: 'k', cluster }],
    users: [{ name: 'u', user: { token } }],
  });
  await writeFile(file, text);
}

test('a named cluster that knows its user is taken, without a token or port of the lab', async () => {
  await kubeconfig({ server: endpoint(), 'certificate-authority-data': btoa('PEM') });
  const state = join(folder, 'state');
  const facts = await namedCluster(file, state);
  expect(facts).toEqual({
    endpoint: endpoint(),
    caFile: join(state, 'ca.crt'),
    kubeconfig: file,
    name: 'named',
    simulated: false,
  });
  expect(await readFile(facts.caFile, 'utf8')).toBe('PEM');
});

test('what can not be used is said with the name of the file', async () => {
  const ca = { 'certificate-authority-data': btoa('PEM') };
  const refused = async (): Promise<unknown> => namedCluster(file, folder).catch((error: Error) => error.message);
  expect(await refused()).toMatch(`kubeconfig ${file}: can't be read`);
  await kubeconfig({ server: endpoint(), 'insecure-skip-tls-verify': true });
  expect(await refused()).toMatch(`kubeconfig ${file}: has no certificate-authority`);
  await kubeconfig({ server: endpoint(), ...ca }, 'wrong');
  expect(await refused()).toMatch(`kubeconfig ${file}: ${endpoint()} does not serve its user: `);
  await kubeconfig({ server: 'http://127.0.0.1:1', ...ca });
  expect(await refused()).toMatch(/does not serve its user: .*ECONNREFUSED/);
});

test('the name comes from LAB_KUBECONFIG, else from the cluster named before', () => {
  const named = { endpoint: 'e', caFile: 'c', kubeconfig: '/before', name: 'named', simulated: false };
  expect(namedKubeconfig({}, {})).toBeUndefined();
  expect(namedKubeconfig({ cluster: { ...named, webhookPort: 1 } }, {})).toBeUndefined();
  expect(namedKubeconfig({ cluster: named }, {})).toBe('/before');
  expect(namedKubeconfig({ cluster: named }, { LAB_KUBECONFIG: '/now' })).toBe('/now');
});
