// run-in: kubernetes with real pods: the bundle makes a Job out of the service's own workload, and tells what it wrote.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect } from '../../src/kube/client.ts';
import type { Kube } from '../../src/kube/kube.ts';
import { readKubeconfig } from '../../src/kube/kubeconfig.ts';
import { openLab } from '../lab/lab.ts';
import { describeWith } from '../lab/needs.ts';
import { freshNamespace } from '../lab/namespace.ts';
import type { LabFacts } from '../lab/part.ts';
import { NODE } from '../lab/parts/base-image.ts';
import { type BundleRun, startBundle } from '../run-bundle.ts';

const describe = await describeWith('images', 'pods');
let facts: LabFacts;
let kube: Kube;
let workspace = '';
let namespace = '';
let image = '';

// A machine that never built Kubernetes builds it first.
beforeAll(async () => {
  facts = await openLab('cluster', 'images', 'registry');
  if (!facts.cluster) throw new Error('the lab gave no cluster');
  const { server } = await readKubeconfig(facts.cluster.kubeconfig);
  kube = connect({ ...server, proxyEnv: {} });
  image = `${facts.registry?.host}/migrate-db/node:24`;
  const env = { ...process.env, DOCKER_HOST: facts.images?.dockerHost, DOCKER_CONFIG: facts.images?.dockerConfig };
  await promisify(execFile)('docker', ['tag', NODE.name, image], { env });
  await promisify(execFile)('docker', ['push', '--quiet', image], { env });
  namespace = await freshNamespace(facts.cluster);
  await kube.create({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'tracking-api', namespace },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: 'tracking-api' } },
      template: {
        metadata: { labels: { app: 'tracking-api' } },
        spec: { containers: [{ name: 'api', image, env: [{ name: 'SCHEMA', value: 'shop' }] }] },
      },
    },
  });
  workspace = mkdtempSync(path.join(tmpdir(), 'migrate-job-'));
  mkdirSync(path.join(workspace, 'db', 'migrations'), { recursive: true });
  writeFileSync(path.join(workspace, 'db', 'migrations', '001_carriers.sql'), 'CREATE TABLE carriers (id bigint);\n');
}, 30 * 60_000);
afterAll(async () => {
  rmSync(workspace, { recursive: true, force: true });
  if (namespace !== '') await kube.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
});

async function migrate(
  script: string,
  attempt: string,
  more: Readonly<Record<string, string>> = {},
): Promise<BundleRun> {
  const inputs = {
    mode: 'apply',
    'run-in': 'kubernetes',
    kubeconfig: facts.cluster?.kubeconfig ?? '',
    namespace,
    workload: 'Deployment/tracking-api',
    command: `node\n-e\n${script}`,
    rehearse: 'false',
    ...more,
  };
  return startBundle({ action: 'migrate-db', inputs, workspace, env: { GITHUB_RUN_ATTEMPT: attempt } }).ended;
}

describe('a migration in the cluster', () => {
  test('runs once as the service would, and what it wrote is told', async () => {
    const script = 'console.log("migrated the schema " + process.env.SCHEMA)';
    const { log, outputs, summary, exitCode } = await migrate(script, '1');
    expect({ exitCode, verdict: outputs['verdict'] }).toEqual({ exitCode: 0, verdict: 'applied' });
    expect(log).toContain('migrated the schema shop');
    expect(summary).toContain('tracking-api-migrate-');
  }, 120_000);

  test('that fails says so with its last words, and fails the job', async () => {
    const { log, outputs, summary, exitCode } = await migrate('console.error("relation exists"); process.exit(2)', '2');
    expect({ exitCode, verdict: outputs['verdict'] }).toEqual({ exitCode: 1, verdict: 'failed' });
    expect(log).toMatch(/::error.*exit code 2.*relation exists/);
    expect(summary).toContain('relation exists');
  }, 120_000);

  test('of a workload that is not there is refused before anything runs', async () => {
    const { log, exitCode } = await migrate('0', '3', { workload: 'Deployment/nobody' });
    expect(exitCode).toBe(1);
    expect(log).toContain(`there is no Deployment nobody in the namespace ${namespace}`);
  }, 60_000);

  test('says all that is missing at once', async () => {
    const { log } = await migrate('0', '4', { workload: '', command: '' });
    expect(log).toContain('input workload is missing');
    expect(log).toContain('input command is missing');
  }, 60_000);
});
