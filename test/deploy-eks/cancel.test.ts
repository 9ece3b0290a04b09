import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, type RequestListener, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { KubeObject } from '../../src/kube/kube.ts';
import { type Ended, start } from './action.ts';

let workspace = '';
let server: Server | undefined;

beforeEach(() => {
  workspace = mkdtempSync(path.join(tmpdir(), 'cancel-'));
});
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  rmSync(workspace, { recursive: true, force: true });
});

const resource = (name: string, kind: string): object => ({ name, kind, namespaced: true, verbs: ['get'] });
const DISCOVERY: Readonly<Record<string, object>> = {
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/apis': { kind: 'APIGroupList', groups: [{ name: 'apps', versions: [{ groupVersion: 'apps/v1' }] }] },
  '/api/v1': { resources: [resource('configmaps', 'ConfigMap')] },
  '/apis/apps/v1': { resources: [resource('deployments', 'Deployment')] },
};

interface Machine {
  readonly ended: Promise<Ended>;
  readonly states: readonly string[];
  /** Sends the signal; gives the milliseconds until the process has ended. */
  cancel(): Promise<number>;
}

/**
 * A deploy of ConfigMap a, ConfigMap b and Deployment web to a stand-in that is API server and GitHub at once. It leaves
 * to `hangs` what that takes, which is silence unless it answers; `reached` resolves once that was asked for.
 */
async function deployTo(
  hangs: (request: IncomingMessage, response: ServerResponse) => boolean,
): Promise<Machine & { reached: Promise<void> }> {
  const states: string[] = [];
  let reach = (): void => undefined;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const url = await listen((request, response) => {
    if (hangs(request, response)) return reach();
    void answer(request, response, states);
  });
  const object = (kind: string, name: string, apiVersion = 'v1'): string =>
    JSON.stringify({ apiVersion, kind, metadata: { name } });
  const documents = [object('ConfigMap', 'a'), object('ConfigMap', 'b'), object('Deployment', 'web', 'apps/v1')];
  writeFileSync(path.join(workspace, 'app.yaml'), documents.join('\n---\n'));
  const cluster = {
    clusters: [{ name: 'c', cluster: { server: url } }],
    users: [{ name: 'u', user: { token: 'word' } }],
  };
  const contexts = [{ name: 'c', context: { cluster: 'c', user: 'u', namespace: 'shop' } }];
  writeFileSync(path.join(workspace, 'config'), JSON.stringify({ ...cluster, contexts, 'current-context': 'c' }));
  const inputs = { kubeconfig: 'config', manifests: 'app.yaml', environment: 'staging', 'github-token': 'ghs_x' };
  const env = { GITHUB_API_URL: url, GITHUB_REPOSITORY: 'acme/shop', GITHUB_SHA: 'c'.repeat(40) };
  const run = start(inputs, { workspace, env });
  const cancel = async (): Promise<number> => {
    const started = Date.now();
    run.child.kill('SIGTERM');
    await run.ended;
    return Date.now() - started;
  };
  return { ended: run.ended, states, cancel, reached };
}

async function listen(handler: RequestListener): Promise<string> {
  const opened = createServer(handler);
  server = opened;
  await new Promise<void>((resolve) => opened.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(opened.address() as AddressInfo).port}`;
}

async function answer(request: IncomingMessage, response: ServerResponse, states: string[]): Promise<void> {
  const url = request.url ?? '';
  const known = DISCOVERY[url];
  let body = '';
  for await (const chunk of request) body += String(chunk);
  if (url.endsWith('/statuses')) states.push((JSON.parse(body) as { state: string }).state);
  response.setHeader('content-type', 'application/json');
  if (known) response.end(JSON.stringify(known));
  else if (url.startsWith('/repos/') && request.method === 'GET') response.end('[]');
  else if (url.startsWith('/repos/')) response.writeHead(201).end('{"id":7}');
  else if (request.method === 'GET')
    response.writeHead(404).end(JSON.stringify({ kind: 'Status', reason: 'NotFound' }));
  else {
    const applied = JSON.parse(body) as KubeObject;
    response.end(JSON.stringify({ ...applied, metadata: { ...applied.metadata, uid: 'u', resourceVersion: '1' } }));
  }
}

const applies = (name: string) => (request: IncomingMessage) =>
  request.method === 'PATCH' && request.url?.includes(`/${name}?`) === true && !request.url.includes('dryRun');

test('an API server that falls silent keeps a cancelled run from nothing: it says what was applied and what not', async () => {
  const machine = await deployTo(applies('b'));
  await machine.reached;
  expect(await machine.cancel()).toBeLessThan(5000);
  const { exitCode, outputs, summary, log } = await machine.ended;
  expect(exitCode).toBe(1);
  expect(outputs['verdict']).toBe('cancelled');
  expect(outputs['deployed']).toBe('[{"kind":"ConfigMap","namespace":"shop","name":"a","change":"created"}]');
  expect(summary).toContain('was cancelled with 1 of 3 objects applied');
  expect(summary).toContain('ConfigMap/b was asked for, but the answer was not awaited: it may be applied');
  expect(summary).toContain('Deployment/web was not reached');
  expect(summary).toContain('**What to do:** Run the job again');
  expect(log).toContain('::error::cancelled: 1 of 3 objects were applied (ConfigMap/a) and stay');
  expect(machine.states).toEqual(['in_progress', 'error']);
}, 20_000);

test('a GitHub that falls silent as well does not hold it up', async () => {
  let applying = false;
  const machine = await deployTo((request) => {
    applying ||= applies('b')(request);
    return applies('b')(request) || (applying && request.url?.endsWith('/statuses') === true);
  });
  await machine.reached;
  expect(await machine.cancel()).toBeLessThan(5000);
  expect((await machine.ended).outputs['verdict']).toBe('cancelled');
}, 20_000);

test('cancelled during the check, it says that nothing was changed', async () => {
  const machine = await deployTo((request) => request.url?.includes('dryRun') === true);
  await machine.reached;
  expect(await machine.cancel()).toBeLessThan(5000);
  const { outputs, summary } = await machine.ended;
  expect(outputs).toMatchObject({ verdict: 'cancelled', deployed: '[]' });
  expect(summary).toContain('cancelled before anything was changed');
  expect(machine.states).toEqual([]);
}, 20_000);

test('cancelled while a token is awaited, it ends as well', async () => {
  let reach = (): void => undefined;
  const asked = new Promise<void>((resolve) => (reach = resolve));
  const url = `${await listen(() => reach())}/?v=1`;
  writeFileSync(path.join(workspace, 'app.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n');
  const role = 'arn:aws:iam::123456789012:role/deploy';
  const run = start(
    { cluster: 'c', region: 'eu-central-1', 'role-to-assume': role, manifests: 'app.yaml' },
    { workspace, env: { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'word' } },
  );
  await asked;
  const started = Date.now();
  run.child.kill('SIGTERM');
  expect((await run.ended).outputs['verdict']).toBe('cancelled');
  expect(Date.now() - started).toBeLessThan(5000);
}, 20_000);

test('what the cluster refuses half way is a failed deploy, told with what was applied', async () => {
  const machine = await deployTo((request, response) => {
    if (!applies('b')(request)) return false;
    response
      .writeHead(422)
      .end(JSON.stringify({ kind: 'Status', code: 422, reason: 'Invalid', message: 'b is too late' }));
    return true;
  });
  const { exitCode, outputs, summary } = await machine.ended;
  expect(exitCode).toBe(1);
  expect(outputs['verdict']).toBe('failed');
  expect(JSON.parse(outputs['deployed'] ?? '')).toHaveLength(1);
  expect(summary).toContain('the cluster refused what it had accepted in the check');
  expect(summary).toContain('**Not applied:** ConfigMap/b was refused; Deployment/web was not reached');
  expect(machine.states).toEqual(['in_progress', 'failure']);
}, 20_000);
