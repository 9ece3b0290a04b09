// A command in real pods: its lines as they come, its end told with the reason, and nothing left after a cancellation.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Cancelled } from '../../src/action/errors.ts';
import { planJob } from '../../src/kube-job/plan.ts';
import { type JobOptions, type JobResult, runJob } from '../../src/kube-job/run.ts';
import { connect } from '../../src/kube/client.ts';
import type { Kube, KubeObject } from '../../src/kube/kube.ts';
import { readKubeconfig } from '../../src/kube/kubeconfig.ts';
import { openLab } from '../lab/lab.ts';
import { describeWith } from '../lab/needs.ts';
import { freshNamespace } from '../lab/namespace.ts';
import type { LabFacts } from '../lab/part.ts';
import { NODE } from '../lab/parts/base-image.ts';

const describe = await describeWith('images', 'pods');
let facts: LabFacts;
let kube: Kube;
let namespace = '';
let image = '';
let cancel = new AbortController();

// A machine that never built Kubernetes builds it first.
beforeAll(async () => {
  facts = await openLab('cluster', 'images', 'registry');
  const { server } = await readKubeconfig(facts.cluster?.kubeconfig ?? '');
  kube = connect({ ...server, proxyEnv: {} });
  image = `${facts.registry?.host}/kube-job/node:24`;
  const env = { ...process.env, DOCKER_HOST: facts.images?.dockerHost, DOCKER_CONFIG: facts.images?.dockerConfig };
  const docker = promisify(execFile);
  await docker('docker', ['tag', NODE.name, image], { env });
  await docker('docker', ['push', '--quiet', image], { env });
}, 30 * 60_000);
beforeEach(async () => {
  if (!facts.cluster) throw new Error('the lab gave no cluster');
  namespace = await freshNamespace(facts.cluster);
  cancel = new AbortController();
});
afterEach(async () => kube.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace }));

const clock: JobOptions['clock'] = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    const { setTimeout: sleep } = await import('node:timers/promises');
    await sleep(ms, undefined, signal ? { signal } : {});
  },
};

function job(script: string, timeout = 60_000): KubeObject {
  const containers = [{ name: 'api', image, env: [{ name: 'GREETING', value: 'from the workload' }] }];
  const workload: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api', namespace },
    spec: { template: { spec: { containers } } },
  };
  return planJob({ name: 'api-migrate-1-1', workload, command: ['node', '-e', script], env: {}, timeout, origin: {} });
}

async function run(made: KubeObject, lines: string[] = [], timeout = 60_000): Promise<JobResult> {
  const onLine = (line: string): number => lines.push(line);
  return runJob(kube, made, { timeout, signal: cancel.signal, clock, onLine, onProgress: () => undefined });
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await clock.sleep(50);
}

describe('a command in the cluster', () => {
  test('succeeds with every line in order, those of one moment too', async () => {
    const lines: string[] = [];
    const result = await run(
      job('console.log(process.env.GREETING); for (let i = 0; i < 2000; i++) console.log(i)'),
      lines,
    );
    expect(result).toMatchObject({ verdict: 'succeeded', exitCode: 0, resumed: false });
    expect(lines).toEqual(['from the workload', ...Array.from({ length: 2000 }, (_, i) => String(i))]);
  }, 90_000);

  test('that fails is told with its exit code and last words, and is not tried again', async () => {
    const result = await run(job('console.error("relation carriers exists"); process.exit(3)'));
    expect(result).toMatchObject({ verdict: 'failed', exitCode: 3, lines: ['relation carriers exists'] });
    const pods = await kube.list({ apiVersion: 'v1', kind: 'Pod', namespace });
    expect(pods).toHaveLength(1);
  }, 90_000);

  test('that never ends is ended by the cluster, whatever becomes of the runner', async () => {
    const result = await run(job('setInterval(() => {}, 1000)', 3000));
    expect(result.verdict).toBe('timed-out');
  }, 90_000);

  test('that is cancelled leaves no Job and no pod', async () => {
    const lines: string[] = [];
    const running = run(job('console.log("began"); setInterval(() => {}, 1000)'), lines);
    await until(() => lines.includes('began'));
    cancel.abort(new Cancelled('SIGTERM'));
    await expect(running).rejects.toThrow('cancelled by SIGTERM');
    let left: readonly KubeObject[];
    do left = await kube.list({ apiVersion: 'batch/v1', kind: 'Job', namespace });
    while (left.length > 0);
    expect(await kube.list({ apiVersion: 'v1', kind: 'Pod', namespace })).toEqual([]);
  }, 90_000);

  test('is followed, not started again, by the run that comes after one that died', async () => {
    const first: string[] = [];
    const made = job('console.log("one"); setTimeout(() => console.log("two"), 3000)');
    const dying = run(made, first);
    await until(() => first.includes('one'));
    const second: string[] = [];
    const result = await run(made, second);
    expect(result).toMatchObject({ verdict: 'succeeded', resumed: true });
    expect(second).toEqual(['one', 'two']);
    await dying;
    expect(await kube.list({ apiVersion: 'v1', kind: 'Pod', namespace })).toHaveLength(1);
  }, 90_000);
});
