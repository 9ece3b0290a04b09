import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect } from '../../src/kube/client.ts';
import type { Kube, KubeObject } from '../../src/kube/kube.ts';
import { readKubeconfig } from '../../src/kube/kubeconfig.ts';
import { openLab } from '../lab/lab.ts';
import { type Ended, start } from './action.ts';

// Simulated nodes run nothing, so these pods find no node and this file writes what a kubelet would write of them.
const MANIFEST = `apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      nodeSelector: {nowhere: 'true'}
      containers:
        - name: web
          image: shop/api:1
          env:
            - name: DATABASE_URL
              valueFrom:
                secretKeyRef:
                  name: tracking-db
                  key: dsn
`;
const namespace = `failure-${process.pid}`;
let kubeconfig = '';
let folder = '';
let kube: Kube;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'failure-lab-'));
  writeFileSync(path.join(folder, 'app.yaml'), MANIFEST);
  const { cluster } = await openLab('cluster');
  if (!cluster) throw new Error('the lab gave no cluster');
  kubeconfig = cluster.kubeconfig;
  kube = connect((await readKubeconfig(kubeconfig)).server);
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const data = { url: btoa('hush-1'), password: btoa('hush-2') };
  await kube.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'tracking-db', namespace }, data });
}, 30 * 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Deploys, and once there is a pod writes the state of its container as a kubelet does. */
async function deploySeeing(state: object): Promise<Ended> {
  const inputs = { kubeconfig, namespace, manifests: 'app.yaml', timeout: '30s' };
  const run = start(inputs, { workspace: folder });
  const pod = await podOf();
  const status = { containerStatuses: [{ name: 'web', image: 'shop/api:1', ready: false, restartCount: 0, ...state }] };
  await kube.patch(
    { apiVersion: 'v1', kind: 'Pod', namespace, name: pod.metadata.name },
    { status },
    { subresource: 'status' },
  );
  const ended = await run.ended;
  await kube.delete(
    { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'api' },
    { propagation: 'Background' },
  );
  for await (const event of kube.watch({ apiVersion: 'v1', kind: 'Pod', namespace }, AbortSignal.timeout(10_000)))
    if (event.type === 'DELETED') break;
  return ended;
}

async function podOf(): Promise<KubeObject> {
  for await (const event of kube.watch({ apiVersion: 'v1', kind: 'Pod', namespace }, AbortSignal.timeout(20_000)))
    if (event.type === 'ADDED') return event.object;
  throw new Error('no pod was made');
}

const waiting = (reason: string, message: string) => ({ state: { waiting: { reason, message } } });

test('a missing key is told with the keys there are, who reads it and on which line, and no value', async () => {
  const message = `couldn't find key dsn in Secret ${namespace}/tracking-db`;
  const { summary, log, outputs } = await deploySeeing(waiting('CreateContainerConfigError', message));
  expect(outputs['verdict']).toBe('failed');
  expect(summary).toContain('needs the key dsn, which the Secret tracking-db does not have');
  expect(summary).toContain('has the keys password, url; the pod reads DATABASE\\_URL from key dsn.');
  expect(summary).toContain('`app.yaml:18`');
  expect(log).toContain('::error file=app.yaml,line=18::');
  expect(summary + log).not.toContain('hush');
}, 60_000);

test('an image that does not exist fails at once, with its line', async () => {
  const message = 'failed to pull and unpack image "shop/api:1": not found';
  const started = Date.now();
  const { summary, log } = await deploySeeing(waiting('ErrImagePull', message));
  expect(Date.now() - started).toBeLessThan(10_000);
  expect(summary).toContain('**Why:** The image of the container web does not exist');
  expect(log).toContain('::error file=app.yaml,line=12::');
}, 60_000);
