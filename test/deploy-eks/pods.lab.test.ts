// What really happens to pods, by a real kubelet: each fault is told within seconds with its reason, and each kind of
// workload is awaited until its new pods serve.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { connect } from '../../src/kube/client.ts';
import { readKubeconfig } from '../../src/kube/kubeconfig.ts';
import { openLab } from '../lab/lab.ts';
import { describeWith } from '../lab/needs.ts';
import { freshNamespace } from '../lab/namespace.ts';
import type { LabFacts } from '../lab/part.ts';
import { NODE } from '../lab/parts/base-image.ts';
import { type Ended, start } from './action.ts';

const describe = await describeWith('images', 'pods');
let facts: LabFacts;
let folder = '';
let namespace = '';
/** A Node that the cluster can pull, by digest. */
let node = '';

// A machine that never built Kubernetes builds it first.
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'pods-lab-'));
  facts = await openLab('cluster', 'images', 'registry');
  node = await pushed(`${facts.registry?.host}/node`);
}, 30 * 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  if (!facts.cluster) throw new Error('the lab gave no cluster');
  namespace = await freshNamespace(facts.cluster);
});

async function pushed(name: string): Promise<string> {
  const env = { ...process.env, DOCKER_HOST: facts.images?.dockerHost, DOCKER_CONFIG: facts.images?.dockerConfig };
  const docker = async (...args: string[]) => (await promisify(execFile)('docker', args, { env })).stdout;
  await docker('tag', NODE.name, `${name}:24`);
  await docker('push', '--quiet', `${name}:24`);
  const digests = await docker('image', 'inspect', '--format', '{{join .RepoDigests "\\n"}}', `${name}:24`);
  const found = digests.split('\n').find((digest) => digest.startsWith(`${name}@`));
  if (found === undefined) throw new Error(`no digest of ${name} among ${digests}`);
  return found;
}

const serving = "require('http').createServer((q, r) => r.end('ok')).listen(8080)";
const run = (script: string) => ({ image: 'NODE', command: ['node', '-e', script] });
const probe = { readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 } };

interface Workload {
  readonly kind?: string;
  readonly container?: object;
  readonly pod?: object;
  readonly spec?: object;
}

/** A manifest, as JSON is YAML too. */
function workload({ kind = 'Deployment', container = {}, pod = {}, spec = {} }: Workload): string {
  const labels = { app: 'web' };
  const containers = [{ name: 'web', ...run(serving), ...probe, ...container }];
  const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers, ...pod } };
  const selector = kind === 'Job' ? {} : { selector: { matchLabels: labels } };
  const apiVersion = kind === 'Job' ? 'batch/v1' : 'apps/v1';
  return JSON.stringify({ apiVersion, kind, metadata: { name: 'web' }, spec: { ...selector, ...spec, template } });
}

async function deploy(manifest: string, timeout = '60s'): Promise<Ended & { readonly seconds: number }> {
  const named = manifest.replaceAll('NODE', node).replace('HOST', facts.registry?.host ?? '');
  writeFileSync(path.join(folder, 'app.yaml'), named);
  const kubeconfig = facts.cluster?.kubeconfig ?? '';
  const began = performance.now();
  const ended = await start({ kubeconfig, namespace, manifests: 'app.yaml', timeout }, { workspace: folder }).ended;
  return { ...ended, seconds: (performance.now() - began) / 1000 };
}

const why = ({ summary, log }: Ended): string => /\*\*Why:\*\* (.*)/.exec(summary)?.[1] ?? `${summary}${log}`;

describe('a release that cannot serve is told in seconds, long before its time is up', () => {
  const crash = run("console.log('starting'); throw new Error('DATABASE_URL is not set')");
  test.each<[string, Workload, RegExp]>([
    ['an image that does not exist', { container: { image: 'HOST/nobody-built-this:1' } }, /image .* does not exist/],
    [
      'a crash on start',
      { container: crash },
      /crashes after it starts with exit code 1: Error: DATABASE.*URL is not set/,
    ],
    [
      'a ConfigMap that does not exist',
      { container: { envFrom: [{ configMapRef: { name: 'settings' } }] } },
      /needs the ConfigMap settings, which does not exist/,
    ],
    [
      'a Secret that does not exist',
      { container: { env: [{ name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'api' } } }] } },
      /needs the Secret keys, which does not exist/,
    ],
    [
      'too little memory',
      {
        container: {
          ...run('const held = []; setInterval(() => held.push(Buffer.alloc(8e6, 1)), 5)'),
          resources: { limits: { memory: '64Mi' } },
        },
      },
      /used more memory than its limit of 64Mi/,
    ],
    [
      'a program that is not there',
      { container: { command: ['no-such-program'] } },
      /could not be started: .*no-such-program/,
    ],
    [
      'an init container that fails',
      { pod: { initContainers: [{ name: 'init', ...crash }] } },
      /container init crashes/,
    ],
    [
      'a Job that fails',
      {
        kind: 'Job',
        spec: { backoffLimit: 0 },
        pod: { restartPolicy: 'Never' },
        container: { ...crash, readinessProbe: null },
      },
      /DATABASE.*URL is not set/,
    ],
  ])(
    '%s',
    async (_, given, reason) => {
      const ended = await deploy(workload(given));
      expect(why(ended)).toMatch(reason);
      expect(ended.outputs['verdict']).toBe('failed');
      expect(ended.seconds).toBeLessThan(20);
    },
    90_000,
  );

  test('a crash right after the start, though nothing probes the container', async () => {
    const ended = await deploy(workload({ container: { ...crash, readinessProbe: null } }));
    expect(why(ended)).toMatch(/crashes after it starts/);
    expect(ended.outputs['verdict']).toBe('failed');
  }, 60_000);

  test('a key that its Secret lacks, told with the keys there are, who reads it and on which line, and no value', async () => {
    const data = { url: btoa('hush-1'), password: btoa('hush-2') };
    const { server } = await readKubeconfig(facts.cluster?.kubeconfig ?? '', '');
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'tracking-db', namespace }, data };
    await connect(server).create(secret);
    const env = [{ name: 'DATABASE_URL', valueFrom: { secretKeyRef: { name: 'tracking-db', key: 'dsn' } } }];
    const manifest = JSON.stringify(JSON.parse(workload({ container: { env } })), null, 1);
    const { summary, log } = await deploy(manifest);
    expect(summary).toContain('needs the key dsn, which the Secret tracking-db does not have');
    expect(summary).toContain('has the keys password, url; the pod reads DATABASE\\_URL from key dsn.');
    const line = manifest.split('\n').findIndex((text) => text.includes('"key": "dsn"')) + 1;
    expect(log).toContain(`::error file=app.yaml,line=${line}::`);
    expect(summary + log).not.toContain('hush');
  }, 60_000);

  test('a service that answers its probe with an error is told so when its time is up', async () => {
    const broken = run("require('http').createServer((q, r) => { r.statusCode = 500; r.end() }).listen(8080)");
    const ended = await deploy(workload({ container: broken }), '8s');
    expect(why(ended)).toMatch(/readiness probe fails.*answers with status 500/);
  }, 60_000);
});

describe.each<[string, object]>([
  ['Deployment', { replicas: 2 }],
  ['StatefulSet', { replicas: 2, serviceName: 'web' }],
  ['DaemonSet', {}],
])('a %s', (kind, spec) => {
  const version = (value: string): string => workload({ kind, spec, container: { env: [{ name: 'VERSION', value }] } });

  test('is awaited until its new pods serve, and taken back when they crash', async () => {
    const first = await deploy(version('1'));
    expect([first.outputs['verdict'], first.exitCode]).toEqual(['deployed', 0]);
    const second = await deploy(version('2'));
    expect(second.outputs['verdict']).toBe('deployed');
    expect(second.log).toMatch(/new pods ready/);

    const broken = await deploy(workload({ kind, spec, container: run("throw new Error('broken release')") }));
    expect(broken.outputs['verdict']).toBe('rolled-back');
    expect(why(broken)).toContain('Error: broken release');
    const again = await deploy(version('2'));
    expect([again.outputs['verdict'], again.exitCode]).toEqual(['unchanged', 0]);
  }, 180_000);
});
