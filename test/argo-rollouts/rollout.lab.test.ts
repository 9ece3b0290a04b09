// Releases by the real controller of Argo Rollouts, measured by a real Prometheus; the pods are simulated, so what they
// would export is said here for the pods that are there.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Released,
  type RolloutPlan,
  type RolloutWish,
  abortRollout,
  findWorkload,
  followRollout,
  planRollout,
  promoteRollout,
  reportRollout,
  startRollout,
} from '../../src/argo-rollouts/rollout.ts';
import { itemsAt, numberAt, textAt } from '../../src/kube/fields.ts';
import type { Kube, KubeObject } from '../../src/kube/kube.ts';
import { adminOf } from '../lab/admin.ts';
import { openLab } from '../lab/lab.ts';
import { freshNamespace } from '../lab/namespace.ts';
import type { LabFacts } from '../lab/part.ts';
import { startPrometheus } from './prometheus.ts';

let facts: LabFacts;
let kube: Kube;
let namespace = '';
let prometheus: Awaited<ReturnType<typeof startPrometheus>>;
/** The share of errors of pods with this image; undefined where they export nothing. */
let errorsOf: (image: string) => number | undefined;
let lines: string[] = [];

// A machine that never built the controller builds it first.
beforeAll(async () => {
  facts = await openLab('argo-rollouts');
  ({ kube } = await adminOf(facts));
  prometheus = await startPrometheus(async () => {
    const shares = (namespace === '' ? [] : await pods()).flatMap((pod) => {
      const share = errorsOf(imageOf(pod));
      return share === undefined ? [] : [`error_share{pod="${pod.metadata.name}"} ${share}`];
    });
    return `${shares.join('\n')}\n`;
  });
}, 30 * 60_000);
afterAll(async () => prometheus.stop());
beforeEach(async () => {
  if (!facts.cluster) throw new Error('the lab gave no cluster');
  namespace = await freshNamespace(facts.cluster, { simulated: true });
  errorsOf = () => 0.001;
  lines = [];
});
afterEach(async () => kube.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace }));

const pods = async (): Promise<readonly KubeObject[]> =>
  (await kube.list({ apiVersion: 'v1', kind: 'Pod', namespace })).filter(
    ({ metadata }) => metadata.deletionTimestamp === undefined,
  );
const imageOf = (pod: KubeObject): string => textAt(itemsAt(pod, 'spec', 'containers')[0], 'image');
const images = async (): Promise<readonly string[]> => (await pods()).map(imageOf).toSorted();
const following = () => ({
  clock: { now: () => Date.now(), sleep: async (ms: number) => sleep(ms) },
  signal: new AbortController().signal,
  timeout: 60_000,
  onProgress: (line: string) => void lines.push(line),
});

async function deployed(image = 'tracking-api:1'): Promise<void> {
  const labels = { app: 'tracking-api' };
  const spec = { containers: [{ name: 'api', image }] };
  await kube.apply(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'tracking-api', namespace },
      spec: { replicas: 4, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    },
    { fieldManager: 'lab' },
  );
}

async function plan(image: string, more: Partial<RolloutWish> = {}): Promise<RolloutPlan> {
  return planRollout({
    ...(await findWorkload(kube, { namespace, name: 'tracking-api' })),
    images: { api: image },
    steps: [
      { weight: 25, seconds: 6 },
      { weight: 50, seconds: 6 },
    ],
    metrics: [{ name: 'errors', query: 'max(error_share{pod=~"{{ selector }}"})', bad: 'above', bound: 0.01 }],
    prometheus: prometheus.url,
    ...more,
  });
}

async function ended(made: RolloutPlan, released: Released) {
  const { rollout, state } = await followRollout(kube, made.rollout, released, following());
  return { state, report: await reportRollout(kube, rollout, state) };
}

async function released(made: RolloutPlan) {
  return ended(made, await startRollout(kube, made, following()));
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 150; tries += 1) {
    if (await holds()) return;
    await sleep(100);
  }
  throw new Error('it did not come to hold within 15 s');
}

const allAre = async (image: string): Promise<void> =>
  until(async () => (await images()).join() === Array.from({ length: 4 }, () => image).join());

test('a Deployment is handed over, and a good version goes through the steps to all', async () => {
  await deployed();
  await until(async () => (await pods()).length === 4);
  const { report } = await released(await plan('tracking-api:2'));
  expect(report).toMatchObject({
    verdict: 'promoted',
    reason: expect.stringMatching(/^all of [456] measurements were within their bounds$/),
    metrics: [
      { name: 'errors', phase: 'Successful', bad: 0, errors: 0, values: expect.arrayContaining([0.001]) },
      { name: 'errors', phase: 'Successful', bad: 0, errors: 0 },
    ],
  });
  expect(lines.filter((line) => /step 2 of 4, 25 %/.test(line)).length).toBeGreaterThan(0);
  expect(lines.filter((line) => /step 4 of 4, 50 %/.test(line)).length).toBeGreaterThan(0);
  await allAre('tracking-api:2');
  const deployment = await kube.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'tracking-api' });
  expect(numberAt(deployment, 'spec', 'replicas')).toBe(0);
  // The second release finds the Rollout, and hands nothing over again.
  const second = await plan('tracking-api:3');
  expect(second.adopts).toBe(false);
  expect((await released(second)).report.verdict).toBe('promoted');
  await allAre('tracking-api:3');
}, 120_000);

test('a bad version is taken back by the controller, with the reason, and undone leaves a healthy Rollout', async () => {
  await deployed();
  errorsOf = (image) => (image.endsWith(':2') ? 0.2 : 0.001);
  const made = await plan('tracking-api:2');
  const { report } = await released(made);
  expect(report).toMatchObject({
    verdict: 'taken-back',
    reason: expect.stringMatching(/^errors was out of its bound in 1 of [12] measurements, at last 0.2$/),
  });
  await allAre('tracking-api:1');
  const undone = await kube.patch(made.undo.ref, made.undo.patch);
  const generation = undone.metadata.generation ?? 0;
  expect((await ended(made, { generation, byReference: true })).state.phase).toBe('promoted');
}, 120_000);

test.each([
  ['nothing at all', () => undefined],
  ['no number', () => Number.NaN],
])(
  'a version of which Prometheus has %s never passes: it is held, and can be taken back',
  async (_, share) => {
    await deployed();
    errorsOf = share;
    const made = await plan('tracking-api:2');
    const { report } = await released(made);
    expect(report).toMatchObject({ verdict: 'inconclusive', reason: 'errors had no value in 2 of 2 measurements' });
    expect((await images()).filter((image) => image.endsWith(':2'))).toHaveLength(1);
    await abortRollout(kube, made.rollout, following());
    expect((await ended(made, { generation: 0, byReference: true })).state.phase).toBe('aborted');
    await allAre('tracking-api:1');
  },
  120_000,
);

test('a person ends a step, takes back and promotes all at once', async () => {
  await deployed();
  const slow = {
    metrics: [],
    steps: [
      { weight: 25, seconds: 600 },
      { weight: 50, seconds: 600 },
    ],
  };
  const made = await plan('tracking-api:2', slow);
  const since = await startRollout(kube, made, following());
  const shareIs = async (count: number): Promise<void> =>
    until(async () => (await images()).filter((image) => image.endsWith(':2')).length === count);
  await shareIs(1);
  await until(async () => textAt(await kube.get(made.rollout), 'status', 'phase') === 'Paused');
  await promoteRollout(kube, made.rollout, { full: false, ...following() });
  await shareIs(2);
  const asked = Date.now();
  await abortRollout(kube, made.rollout, following());
  expect((await ended(made, since)).report).toMatchObject({ verdict: 'taken-back' });
  expect(Date.now() - asked).toBeLessThan(5000);
  await allAre('tracking-api:1');
  await promoteRollout(kube, made.rollout, { full: true, ...following() });
  await allAre('tracking-api:2');
}, 120_000);
