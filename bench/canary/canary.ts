// Judges of canaries beside each other on the same simulated traffic, from fixed seeds: `-- canary [--canaries N]`.
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { JUDGES, type JudgeName, type Result, type Task, plus } from './cell.ts';
import { NOISES, type Noise } from './noise.ts';

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: { canaries: { type: 'string', default: '10000' } },
});
const canaries = Number(values.canaries);
if (!Number.isInteger(canaries) || canaries < 1)
  throw new Error(`--canaries takes a whole number, not ${values.canaries}`);

/** So many canaries share a calibration. */
const PER_TASK = 1000;
const GOOD = [0.01, 0.001] as const;
const BAD = [
  [0.001, 0.005],
  [0.01, 0.02],
  [0.01, 0.05],
  [0.002, 0.03],
  [0.01, 0.03],
] as const;

const results = await simulateAll([...GOOD.map((rate) => [rate, rate] as const), ...BAD]);

console.log(`${canaries} canaries a cell, each 40 windows of 15 s with 750 requests an arm.\n`);
console.log('Taken back although as good as the baseline, at 1 % and at 0.1 % of errors:\n');
table(JUDGES.slice(0, 4), (noise, judge) => GOOD.map((rate) => taken(noise, [rate, rate], judge)).join(' / '));
for (const [baseline, canary] of BAD) {
  console.log(`\n${percent(baseline)} -> ${percent(canary)}, taken back (errors served until then):\n`);
  table(JUDGES, (noise, judge) => {
    const { served } = results.get(keyOf(noise, [baseline, canary]))?.[judge] ?? { served: 0 };
    return `${taken(noise, [baseline, canary], judge)} (${Math.round(served / canaries)})`;
  });
}

/** All cells, on as many threads as there are cores. */
async function simulateAll(releases: readonly (readonly [number, number])[]): Promise<Map<string, Result>> {
  const found = new Map<string, Result>();
  const tasks: Task[] = NOISES.flatMap((noise) =>
    releases.flatMap(([baseline, canary]) =>
      Array.from({ length: Math.ceil(canaries / PER_TASK) }, (_, i) => {
        const from = i * PER_TASK;
        return { noise, baseline, canary, from, canaries: Math.min(PER_TASK, canaries - from) };
      }),
    ),
  );
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return found;

  async function work(): Promise<void> {
    const worker = new Worker(new URL('worker.ts', import.meta.url));
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      worker.postMessage(task);
      const [result] = (await once(worker, 'message')) as [Result];
      const key = keyOf(task.noise, [task.baseline, task.canary]);
      const before = found.get(key);
      const sums = JUDGES.map((judge) => [judge, before ? plus(before[judge], result[judge]) : result[judge]] as const);
      found.set(key, Object.fromEntries(sums) as Result);
    }
    await worker.terminate();
  }
}

function keyOf(noise: Noise, [baseline, canary]: readonly [number, number]): string {
  return `${noise} ${baseline} ${canary}`;
}

function taken(noise: Noise, release: readonly [number, number], judge: JudgeName): string {
  return percent((results.get(keyOf(noise, release))?.[judge].taken ?? 0) / canaries);
}

function table(judges: readonly JudgeName[], cell: (noise: Noise, judge: JudgeName) => string): void {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  console.log(line(['noise', ...judges]));
  console.log(line(['---', ...judges.map(() => '---')]));
  for (const noise of NOISES) console.log(line([noise, ...judges.map((judge) => cell(noise, judge))]));
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}
